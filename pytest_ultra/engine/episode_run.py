"""One episode: the model and the tools take turns until it ends, and then it is scored."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from typing import TypeGuard

import msgspec

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score, Usage
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.json_types import MAX_COUNT
from pytest_ultra.core.suite import Conversation, EpisodeRules
from pytest_ultra.core.transcript import TOKEN_COUNTS, Attempted, Ended, EndReason, Event, Reply
from pytest_ultra.engine.agent_runtime import AgentRuntime
from pytest_ultra.engine.backoff import is_final_status
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.retry import TIME_LIMIT, Caller
from pytest_ultra.engine.tool_rejection import may_reject_tools

_TRACEBACK_LINES = 12


async def run_episode(
    assignment: Assignment, caller: Caller, *, worker: str, rules: EpisodeRules, agents: AgentRuntime | None = None
) -> Episode:
    """Run an assignment to its end. Every failure is a value in the episode; only cancellation is raised.

    `agents` runs the cases of users' own agents.
    """
    run = EpisodeRun(assignment, caller, rules)
    try:
        if agents is not None and assignment.case.agent:
            from pytest_ultra.engine.agent_episode import AgentEpisode  # noqa: PLC0415 - only own agents need it

            run = AgentEpisode(assignment, caller, rules, agents)
        await run.run()
        run.score()
    except BaseException as error:  # hooks raise BaseException too (`pytest.fail`); other episodes must go on
        if _is_cancellation(error):
            raise
        run.fail(error)
    return run.episode(worker)


def _is_cancellation(error: BaseException) -> bool:
    """Return whether our own task is cancelled: a cancellation may also leak out of an endpoint's inner task."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


class EpisodeRun:
    """An episode in progress."""

    def __init__(self, assignment: Assignment, caller: Caller, rules: EpisodeRules) -> None:
        self._assignment = assignment
        self._guidance: AnyGuidance | None = None
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
        self._standstill_s = 0.0

    async def run(self) -> None:
        case = self._assignment.case
        guidance = self._guidance = self._assignment.guidance
        conversation = self._rules.begin(case, guidance)
        self._plan = conversation.plan
        rejection = self._caller.tool_rejections.get(case.model)
        if case.tool_protocol is ToolProtocol.AUTO and rejection is not None:
            conversation = conversation.fall_back(rejection)
        while conversation.ended is None:
            conversation = await self._take_turn(conversation)
            self._events = conversation.events

    def score(self) -> None:
        guidance = self._guidance or self._assignment.guidance
        self._score = self._rules.score(self._assignment.case, guidance, self._events)
        last = self._events[-1]
        if isinstance(last, Ended) and (last.reason.is_infrastructure or last.reason is EndReason.SKIPPED):
            self._error = last.detail

    def fail(self, error: BaseException) -> None:
        """End the episode as a failure of the harness, without scoring it."""
        lines = self._caller.redact("".join(traceback.format_exception(error))).splitlines()
        self._error = "\n".join(lines[-_TRACEBACK_LINES:])
        if not (self._events and isinstance(self._events[-1], Ended)):
            self._events = (*self._events, Ended(EndReason.HARNESS, lines[-1]))

    def episode(self, worker: str) -> Episode:
        flawed = self._guidance.flawed if self._guidance else None
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
            proved_visibility=flawed.visibility if flawed else None,
        )

    async def _take_turn(self, conversation: Conversation) -> Conversation:
        request = conversation.request()
        conversation, result = await self._call(conversation)
        if _is_infrastructure(result) and may_reject_tools(request, _last_status(conversation)):
            conversation, result = await self._call_in_text(conversation, result)
        if isinstance(result, CallFailed):
            return conversation.end(result.reason, result.detail)
        return await self._accept(conversation, result)

    async def _call_in_text(
        self, conversation: Conversation, rejection: CallFailed
    ) -> tuple[Conversation, Reply | CallFailed]:
        """Call again without native tools. If that is rejected as well, return the first rejection."""
        conversation, result = await self._call(conversation.fall_back(rejection.detail))
        if isinstance(result, Reply):
            self._caller.tool_rejections.setdefault(self._assignment.case.model, rejection.detail)
            return conversation, result
        return conversation, rejection if is_final_status(_last_status(conversation)) else result

    async def _call(self, conversation: Conversation) -> tuple[Conversation, Reply | CallFailed]:
        attempts: list[Attempted] = []
        self._events = conversation.events

        def record(attempt: Attempted) -> None:
            attempts.append(attempt)
            self._events = (*self._events, attempt)

        started, stood_still_s = self._clock.now(), self._caller.standstill.of_loop_s()
        result = await self._caller.call(conversation.request(), record, self._left_s())
        call_s = self._without_standstill(started, self._caller.standstill.of_loop_s() - stood_still_s)
        self._count_time(call_s, result, attempts)
        for attempt in attempts:
            conversation = conversation.note(attempt)
        return conversation, result

    def _count_time(self, call_s: float, result: Reply | CallFailed, attempts: list[Attempted]) -> None:
        """Count the last attempt as model time if it got a reply or the model failed in it; the rest is waiting."""
        is_models = isinstance(result, Reply) or result.reason.is_models
        model_s = attempts[-1].duration_s if is_models else 0.0
        self._model_time_s += model_s
        self._waiting_time_s += max(0.0, call_s - model_s)

    def _without_standstill(self, started: float, standstill_s: float) -> float:
        """Return the seconds since `started` that count, and add up those that do not."""
        self._standstill_s += standstill_s
        return max(0.0, self._clock.now() - started - standstill_s)

    async def _accept(self, conversation: Conversation, reply: Reply) -> Conversation:
        """Add the reply to the conversation, which runs its tool calls; other episodes can run after each of them."""
        self._replies.append(reply)
        steps = conversation.steps(reply)
        while (step := self._run_tool(steps)) is not None:
            conversation = step
            await asyncio.sleep(0)
        left_s = self._left_s()
        is_late = conversation.ended is None and left_s is not None and left_s <= 0
        return conversation.end(EndReason.AGENT_TIMEOUT, TIME_LIMIT) if is_late else conversation

    def _run_tool(self, steps: Iterator[Conversation]) -> Conversation | None:
        started, stood_still_s = self._clock.now(), self._caller.standstill.of_process_s()
        step = next(steps, None)
        self._tool_time_s += self._without_standstill(started, self._caller.standstill.of_process_s() - stood_still_s)
        return step

    def _left_s(self) -> float | None:
        timeout_s = self._assignment.case.timeout_s
        return None if timeout_s is None else timeout_s - self._model_time_s - self._tool_time_s

    def _usage(self) -> Usage:
        return Usage(
            requests=sum(isinstance(event, Attempted) for event in self._events),
            model_time_s=self._model_time_s,
            tool_time_s=self._tool_time_s,
            waiting_time_s=self._waiting_time_s,
            standstill_s=self._standstill_s,
            first_token_s=self._first_token_s(),
            estimated_requests=sum(reply.is_estimated for reply in self._replies),
            cost=self._cost(self._assignment.case.model),
            **self._counted_tokens(),
        )

    def _cost(self, model: str) -> float | None:
        """Return the cost of all replies at the price of a model."""
        price = self._caller.prices.get(model)
        return None if price is None else price.cost_of(msgspec.structs.replace(Reply(), **self._counted_tokens()))

    def _counted_tokens(self) -> dict[str, int]:
        return {name: min(sum(getattr(reply, name) for reply in self._replies), MAX_COUNT) for name in TOKEN_COUNTS}

    def _first_token_s(self) -> float | None:
        """Return the mean time to the first token of the streamed replies, None without one."""
        attempts = (event for event in self._events if isinstance(event, Attempted))
        times = [attempt.first_token_s for attempt in attempts if attempt.first_token_s is not None]
        return sum(times) / len(times) if times else None


def _is_infrastructure(result: Reply | CallFailed) -> TypeGuard[CallFailed]:
    return isinstance(result, CallFailed) and result.reason.is_infrastructure


def _last_status(conversation: Conversation) -> int | None:
    last = conversation.events[-1] if conversation.events else None
    return last.status if isinstance(last, Attempted) else None
