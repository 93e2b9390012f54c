"""An episode of a model: the model and the tools take turns until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TypeGuard

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.suite import Conversation
from pytest_ultra.core.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.backoff import is_final_status
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.retry import TIME_LIMIT
from pytest_ultra.engine.running_episode import RunningEpisode
from pytest_ultra.engine.tool_rejection import may_reject_tools


class ModelEpisode(RunningEpisode):
    """An episode in which the built-in agent loop asks the model."""

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


def _is_infrastructure(result: Reply | CallFailed) -> TypeGuard[CallFailed]:
    return isinstance(result, CallFailed) and result.reason.is_infrastructure


def _last_status(conversation: Conversation) -> int | None:
    last = conversation.events[-1] if conversation.events else None
    return last.status if isinstance(last, Attempted) else None
