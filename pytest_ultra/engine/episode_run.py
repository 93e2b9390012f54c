"""Living one episode: model and tools take turns until it ends, and then it is scored."""

from __future__ import annotations

import asyncio
import traceback

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score, Usage
from pytest_ultra.core.suite import Conversation, EpisodeRules
from pytest_ultra.core.transcript import Attempted, Ended, EndReason, Event, Reply
from pytest_ultra.engine.assignment import Assignment
from pytest_ultra.engine.backoff import is_final
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.rejections import may_reject_tools
from pytest_ultra.engine.retry import TIME_LIMIT, Caller

_TRACEBACK_LINES = 12


async def live_episode(assignment: Assignment, caller: Caller, *, worker: str, rules: EpisodeRules) -> Episode:
    """Live an assignment to its end. Every failure is a value in the episode; only cancellation is raised."""
    life = _Life(assignment, caller, rules)
    try:
        await life.live()
        life.judge()
    except BaseException as error:  # hooks raise such too (`pytest.fail`); one must not break the others
        if _is_cancellation(error):
            raise
        life.break_off(error)
    return life.episode(worker)


def _is_cancellation(error: BaseException) -> bool:
    """Tell our own cancellation from one that leaked out of an endpoint's inner task."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


class _Life:
    """An episode in the making."""

    def __init__(self, assignment: Assignment, caller: Caller, rules: EpisodeRules) -> None:
        self._assignment = assignment
        self._caller = caller
        self._rules = rules
        self._clock = caller.clock
        self._started_at = self._clock.time()
        self._started = self._clock.now()
        self._events: tuple[Event, ...] = ()
        self._plan = ""
        self._replies: list[Reply] = []
        self._score = Score(Outcome.ERROR, FailureClass.HARNESS)
        self._error: str | None = None
        self._model_time_s = 0.0
        self._tool_time_s = 0.0
        self._waiting_time_s = 0.0

    async def live(self) -> None:
        case = self._assignment.case
        talk = self._rules.begin(case, self._assignment.guidance)
        self._plan = talk.plan
        rejection = self._caller.tool_rejections.get(case.model)
        if case.tool_protocol is ToolProtocol.AUTO and rejection is not None:
            talk = talk.fall_back(rejection)
        while talk.ended is None:
            talk = await self._take_turn(talk)
            self._events = talk.events

    def judge(self) -> None:
        self._score = self._rules.score(self._assignment.case, self._assignment.guidance, self._events)
        last = self._events[-1]
        if isinstance(last, Ended) and (last.reason.is_infrastructure or last.reason is EndReason.SKIPPED):
            self._error = last.detail

    def break_off(self, error: BaseException) -> None:
        """End as a failure of the harness, which no code of the benchmark gets to judge."""
        lines = self._caller.redact("".join(traceback.format_exception(error))).splitlines()
        self._error = "\n".join(lines[-_TRACEBACK_LINES:])
        if not (self._events and isinstance(self._events[-1], Ended)):
            self._events = (*self._events, Ended(EndReason.HARNESS, lines[-1]))

    def episode(self, worker: str) -> Episode:
        return Episode(
            case=self._assignment.case,
            nodeid=self._assignment.nodeid,
            score=self._score,
            usage=self._usage(),
            worker=worker,
            started_at=self._started_at,
            duration_s=self._clock.now() - self._started,
            error=self._error,
            plan=self._plan,
            transcript=self._events,
        )

    async def _take_turn(self, talk: Conversation) -> Conversation:
        request = talk.request()
        talk, answer = await self._ask(talk)
        if isinstance(answer, GivenUp) and may_reject_tools(request, _last_status(talk)):
            talk, answer = await self._ask_in_text(talk, answer)
        if isinstance(answer, GivenUp):
            return talk.end(answer.reason, answer.detail)
        return self._take(talk, answer)

    async def _ask_in_text(self, talk: Conversation, rejection: GivenUp) -> tuple[Conversation, Reply | GivenUp]:
        """Ask again without native tools. Where that is rejected as well, the first rejection is the reason."""
        talk, answer = await self._ask(talk.fall_back(rejection.detail))
        if isinstance(answer, Reply):
            self._caller.tool_rejections.setdefault(self._assignment.case.model, rejection.detail)
            return talk, answer
        return talk, rejection if is_final(_last_status(talk)) else answer

    async def _ask(self, talk: Conversation) -> tuple[Conversation, Reply | GivenUp]:
        attempts: list[Attempted] = []
        self._events = talk.events

        def note(attempt: Attempted) -> None:
            attempts.append(attempt)
            self._events = (*self._events, attempt)

        started = self._clock.now()
        answer = await self._caller.ask(talk.request(), note, self._left_s())
        self._book(self._clock.now() - started, answer, attempts)
        for attempt in attempts:
            talk = talk.note(attempt)
        return talk, answer

    def _book(self, asked_s: float, answer: Reply | GivenUp, attempts: list[Attempted]) -> None:
        """Tell the model's time from waiting: an attempt cut by the episode's time limit was the model's."""
        is_models = isinstance(answer, Reply) or answer.reason is EndReason.AGENT_TIMEOUT
        model_s = attempts[-1].duration_s if is_models else 0.0
        self._model_time_s += model_s
        self._waiting_time_s += asked_s - model_s

    def _take(self, talk: Conversation, reply: Reply) -> Conversation:
        self._replies.append(reply)
        started = self._clock.now()
        talk = talk.take(reply)
        self._tool_time_s += self._clock.now() - started
        left_s = self._left_s()
        is_late = talk.ended is None and left_s is not None and left_s <= 0
        return talk.end(EndReason.AGENT_TIMEOUT, TIME_LIMIT) if is_late else talk

    def _left_s(self) -> float | None:
        timeout_s = self._assignment.case.timeout_s
        return None if timeout_s is None else timeout_s - self._model_time_s - self._tool_time_s

    def _usage(self) -> Usage:
        prompt_tokens = sum(reply.prompt_tokens for reply in self._replies)
        completion_tokens = sum(reply.completion_tokens for reply in self._replies)
        price = self._caller.prices.get(self._assignment.case.model)
        return Usage(
            requests=sum(isinstance(event, Attempted) for event in self._events),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            cost=None if price is None else price.cost(prompt_tokens, completion_tokens),
            model_time_s=self._model_time_s,
            tool_time_s=self._tool_time_s,
            waiting_time_s=self._waiting_time_s,
        )


def _last_status(talk: Conversation) -> int | None:
    last = talk.events[-1] if talk.events else None
    return last.status if isinstance(last, Attempted) else None
