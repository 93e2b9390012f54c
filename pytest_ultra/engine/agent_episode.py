"""An episode of a user's own agent: the agent works in its own thread or loop, the engine runs its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

import msgspec

from pytest_ultra.core.agent_session import AgentEnd, RunningAgent
from pytest_ultra.core.bounds import MAX_REPLY_CHARS, bound_reply, bound_tokens
from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Usage
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.request_parameters import encode_identity
from pytest_ultra.core.suite import EpisodeRules
from pytest_ultra.core.transcript import TOKEN_COUNTS, Attempted, EndReason, Reply, ToolCall
from pytest_ultra.engine.agent_calls import AgentCalls
from pytest_ultra.engine.agent_runtime import AgentRuntime
from pytest_ultra.engine.agent_time import AgentTime
from pytest_ultra.engine.agent_turns import AgentTurns, PlannedCall
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.reported_usage import ReportedUsage, add_known
from pytest_ultra.engine.retry import TIME_LIMIT, Caller
from pytest_ultra.engine.running_episode import RunningEpisode
from pytest_ultra.errors import ConfigurationError, EpisodeEndedError

OVER = CallFailed(EndReason.SKIPPED, "the episode has ended")
"""The answer to requests of an agent that goes on after the end."""

_LEAST_CHECK_S = 0.05
_REJECTED_REQUEST = (400, 413, 422)
"""Statuses of a request that the agent has written wrongly: it gets them as they are."""


class AgentEpisode(RunningEpisode):
    """The episode of an agent. The methods of `AgentSession` may be called in any thread, all others in the loop's."""

    def __init__(self, assignment: Assignment, caller: Caller, rules: EpisodeRules, agents: AgentRuntime) -> None:
        super().__init__(assignment, caller, rules)
        self._agents = agents
        self._guidance = assignment.guidance
        self._turns = AgentTurns(rules.begin(assignment.case, self._guidance))
        self._plan = self._turns.conversation.plan
        self._opening = self._turns.conversation.request()
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._calls = AgentCalls(self._loop, self._bound)
        self._reported = ReportedUsage()
        self._urls: list[str] = []
        self._model_calls: set[asyncio.Task[Reply | CallFailed]] = set()
        self._requests = 0
        self._model_failure: CallFailed | None = None
        self._bug: BaseException | None = None  # our own, in a call of the model
        self._time = AgentTime(self._loop, self._caller.standstill)

    @property
    def case(self) -> Case:
        return self._assignment.case

    @property
    def model(self) -> str:
        return self.case.agent_model

    @property
    def messages(self) -> tuple[Message, ...]:
        return self._opening.messages

    @property
    def tools(self) -> tuple[ToolSchema, ...]:
        return self._opening.tools

    @property
    def left_s(self) -> float | None:
        """The seconds that are left: waiting and standstill do not count."""
        limit_s = self.case.timeout_s
        return None if limit_s is None else limit_s - self._time.passed_s - self._model_time_s

    def call(self, calls: Sequence[ToolCall]) -> list[Future[str]]:
        return self._calls.make(calls)

    def report(self, prompt: int | None, completion: int | None, cost: float | None) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take_report, prompt, completion, cost)

    def open_model(self) -> str:
        if not self.model:
            raise ConfigurationError(
                f"no model is behind the agent {self.case.model!r}: add one, as in --ultra-agent {self.case.agent}@demo"
            )
        url = self._agents.serve_model(self)
        self._urls.append(url)
        return url

    def open_mcp(self) -> str:
        url = self._agents.serve_tools(self)
        self._urls.append(url)
        return url

    async def run(self) -> None:
        budget = self._caller.reported_budget
        refusal = None if budget is None or self.model else budget.find_refusal()
        if refusal is not None:  # a model behind the agent would refuse the first request
            self._end(EndReason.SKIPPED, refusal)
            return
        running = self._agents.start(self, self._receive_end)
        serving = self._loop.create_task(self._serve_calls())
        try:
            await self._wait(serving, running)
            if self._bug is not None:
                raise self._bug
        finally:
            self._stop(serving)
            running.cancel()
            self._model_time_s += max(0.0, self._time.passed_s - self._tool_time_s)
            self._events = self._turns.conversation.events

    async def call_model(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], parameters: Mapping[str, Any]
    ) -> Reply | CallFailed:
        if self._over.done():
            return OVER
        self._requests += 1
        request = ChatRequest(
            case=msgspec.structs.replace(self.case, model=self.model),
            guidance=self._opening.guidance,
            turn=self._requests,
            messages=tuple(messages),
            tools=tuple(tools),
            offered=tuple(str(tool["function"]["name"]) for tool in tools),
            reference=self._opening.reference,
            own_parameters=encode_identity(parameters),
        )
        task = self._loop.create_task(self._request(request))
        self._model_calls.add(task)
        try:
            with self._time.paused():
                await asyncio.wait({task})
        finally:
            self._model_calls.discard(task)
        if task.cancelled() or self._over.done():
            return OVER
        self._bug = task.exception()
        if self._bug is not None:
            self._finish()
            return OVER
        result = task.result()
        self._take_result(result)
        return result

    async def _request(self, request: ChatRequest) -> Reply | CallFailed:
        attempts: list[Attempted] = []

        def record(attempt: Attempted) -> None:
            attempts.append(attempt)
            if self._over.done():  # nothing comes after the end
                return
            turn = self._turns.conversation.request().turn
            self._turns.conversation = self._turns.conversation.note(msgspec.structs.replace(attempt, turn=turn))

        started, stood_still_s = self._clock.now(), self._caller.standstill.of_loop_s()
        result = await self._caller.call(request, record, self.left_s)
        call_s = self._without_standstill(started, self._caller.standstill.of_loop_s() - stood_still_s)
        self._count_time(call_s, result, attempts)
        return result

    def _take_result(self, result: Reply | CallFailed) -> None:
        """Note the reply. A failure that is not about this request alone ends the episode."""
        if isinstance(result, Reply):
            self._replies.append(result)
            self._turns.expect(result)
            self._model_failure = None
            return
        events = self._turns.conversation.events
        is_rejected = bool(events) and isinstance(events[-1], Attempted) and events[-1].status in _REJECTED_REQUEST
        if result.reason.is_models and result.reason is not EndReason.AGENT_TIMEOUT:
            self._model_failure = result
        elif not (result.reason is EndReason.ENDPOINT and is_rejected):
            self._end(result.reason, result.detail)

    async def _wait(self, serving: asyncio.Task[None], running: RunningAgent) -> None:
        """Wait until the episode is over; end it when its time is up."""
        while not self._over.done():
            left_s = self.left_s
            if left_s is not None and left_s <= 0 and not self._time.is_paused:
                not_ready = running.why_not_ready()
                self._end(*(EndReason.AGENT_SETUP, not_ready) if not_ready else (EndReason.AGENT_TIMEOUT, TIME_LIMIT))
                return
            timeout_s = None if left_s is None else max(left_s, _LEAST_CHECK_S)
            await asyncio.wait({self._over, serving}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()  # raises our own bug

    def _stop(self, serving: asyncio.Task[None]) -> None:
        """Refuse what the agent still asks for."""
        self._close()
        serving.cancel()
        for task in self._model_calls:
            task.cancel()
        self._calls.refuse()
        for url in self._urls:
            self._agents.stop_serving(url)

    def _bound(self, call: ToolCall) -> ToolCall:
        """Return a call that can be stored: within bounds, and without secrets."""
        (bounded,) = bound_reply(Reply(tool_calls=(call,))).tool_calls
        return bounded.with_texts(self._caller.redact)

    async def _serve_calls(self) -> None:
        while True:
            pending = await self._calls.take(self._turns.has_gap)
            for planned in self._turns.plan([each.call for each in pending]):
                self._run_call(planned, pending[planned.place].result)
                await asyncio.sleep(0)

    def _run_call(self, planned: PlannedCall, result: Future[str]) -> None:
        if result.cancelled():  # the agent no longer wants it
            return
        started, stood_still_s = self._clock.now(), self._caller.standstill.of_process_s()
        try:
            content = self._turns.run(planned)
        except EpisodeEndedError as error:
            self._finish()
            with suppress(InvalidStateError):
                result.set_exception(error)
        else:
            with suppress(InvalidStateError):
                result.set_result(content)
        self._tool_time_s += self._without_standstill(started, self._caller.standstill.of_process_s() - stood_still_s)
        self._caller.activity.answered()

    def _take_report(self, prompt: int | None, completion: int | None, cost: float | None) -> None:
        self._reported.add(prompt, completion, cost)
        if self._caller.reported_budget is not None:
            tokens = bound_tokens(prompt or 0) + bound_tokens(completion or 0)
            self._caller.reported_budget.record(self.case, tokens, cost or 0.0)

    def _receive_end(self, end: AgentEnd) -> None:
        with suppress(RuntimeError):  # the engine is gone
            self._loop.call_soon_threadsafe(self._take_end, end)

    def _take_end(self, end: AgentEnd) -> None:
        if self._over.done():
            return
        if end.reason is EndReason.STOPPED:
            final = bound_reply(Reply(text=end.words[: MAX_REPLY_CHARS + 1])).with_texts(self._caller.redact)
            self._turns.finish(final.text)
            self._finish()
        elif end.reason is EndReason.AGENT_ERROR and self._model_failure is not None:
            self._end(self._model_failure.reason, self._model_failure.detail)
        else:
            self._end(end.reason, self._caller.redact(end.detail))

    def _end(self, reason: EndReason, detail: str) -> None:
        if not self._over.done():
            self._turns.end(reason, detail)
            self._finish()

    def _finish(self) -> None:
        self._events = self._turns.conversation.events
        self._close()

    def _close(self) -> None:
        self._calls.end()
        if not self._over.done():
            self._over.set_result(None)

    def _usage(self) -> Usage:
        """Return what was used: at the model behind the agent, and by the agent's own account."""
        tokens: dict[str, int | None] = dict.fromkeys(TOKEN_COUNTS)
        if self._replies:
            tokens |= self._counted_tokens()
        tokens["prompt_tokens"] = add_known(tokens["prompt_tokens"], self._reported.prompt)
        tokens["completion_tokens"] = add_known(tokens["completion_tokens"], self._reported.completion)
        cost = add_known(self._cost(self.model) if self._replies else None, self._reported.cost)
        return msgspec.structs.replace(super()._usage(), cost=cost, **tokens)
