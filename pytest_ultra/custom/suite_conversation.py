"""The conversation of a task of a user's suite: its tools are the user's functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import msgspec

from pytest_ultra.agents.tool_conversation import ToolConversation
from pytest_ultra.benchmark.answers import read_answer
from pytest_ultra.core.axes import FaultKind, ToolProtocol
from pytest_ultra.core.bounds import parse_arguments
from pytest_ultra.core.case import DEFAULT_MAX_TURNS, Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Json, Message, ToolSchema
from pytest_ultra.core.transcript import Answered, Ended, EndReason, GoalCheck, Replied, ToolCall, ToolResult
from pytest_ultra.custom.custom_task import CustomGuidance, with_fallbacks
from pytest_ultra.custom.suite_prompts import opening_messages, plan_text
from pytest_ultra.custom.tool_run import Stage

TURNS_PER_STEP = 3
"""Turns for each step of the reference, where that is more than the default limit."""

FaultyCaller = Callable[[Stage, str, dict[str, Json] | None, Sequence[Answered]], tuple[Stage, ToolResult]]
"""Makes a call, with its random fault: (stage, tool, arguments, earlier calls of the tool) to the stage after it and
the result."""
GoalChecker = Callable[[Stage, Json], GoalCheck | None]
"""Checks the goal: (stage, answer) to what the user's check said; None if the task has none."""


class SuiteConversation(ToolConversation, frozen=True, kw_only=True):
    """An episode so far."""

    guidance: CustomGuidance
    stage: Any
    call_faulty: FaultyCaller
    check_goal: GoalChecker

    @classmethod
    def begin(
        cls, case: Case, guidance: CustomGuidance, stage: Any, call_faulty: FaultyCaller, check_goal: GoalChecker
    ) -> Self:
        """Start an episode in the case's protocol; `auto` starts as native. Without a `stage`, it can only be shown."""
        protocol = ToolProtocol.TEXT if case.tool_protocol is ToolProtocol.TEXT else ToolProtocol.NATIVE
        return cls(
            case=case,
            guidance=guidance,
            protocol=protocol,
            stage=stage,
            call_faulty=call_faulty,
            check_goal=check_goal,
        ).open()

    @property
    def plan(self) -> str:
        """The plan's text as the model sees it; empty without one."""
        return plan_text(self.guidance, self.case.prompt_type)

    @property
    def turn_limit(self) -> int:
        return turn_limit(self.case, self.guidance)

    def opening(self, text_tools: Sequence[ToolSchema]) -> tuple[Message, ...]:
        return opening_messages(self.case, self.guidance, text_tools)

    def schemas(self) -> tuple[ToolSchema, ...]:
        return self.guidance.task.schemas

    def request(self) -> ChatRequest:
        read_only = self.guidance.task.read_only
        shown = (self.case, self.guidance, self.turn, self.messages, self.tools, self.offered)
        has_other_ways = FaultKind.PERMANENT in self.case.fault_kinds
        reference = with_fallbacks(self.guidance.task, self.guidance.optimal) if has_other_ways else None
        return ChatRequest(*shown, reference=reference, repeatable=read_only)

    def call_tool(self, call: ToolCall) -> Self:
        arguments = parse_arguments(call.arguments)
        answers = (event for event in self.events if isinstance(event, Answered))
        earlier = [event for event in answers if event.call.name == call.name]
        stage, result = self.call_faulty(self.stage, call.name, arguments, earlier)
        after = msgspec.structs.replace(self, stage=stage)
        return after.answer(call, arguments, result)

    def end(self, reason: EndReason, detail: str = "") -> Self:
        """End the episode, and let the user's check judge the world that it leaves."""
        check = self.check_goal(self.stage, self._answer(reason)) if reason.is_models else None
        if self.stage is not None:
            self.stage.close()
        ended = Ended(reason, detail) if check is None else Ended(reason, detail, check)
        return msgspec.structs.replace(self, events=(*self.events, ended))

    def _answer(self, reason: EndReason) -> Json:
        texts = [event.text for event in self.events if isinstance(event, Replied)]
        return read_answer(texts[-1], is_final=reason is EndReason.STOPPED) if texts else None


def turn_limit(case: Case, guidance: CustomGuidance) -> int:
    """Return the user's limit; for the default, three turns for each step of the reference if that is more."""
    if case.max_turns != DEFAULT_MAX_TURNS:
        return case.max_turns
    return max(case.max_turns, TURNS_PER_STEP * len(guidance.optimal.steps))
