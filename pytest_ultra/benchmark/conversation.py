"""The conversation of a benchmark task: its tools work on a world that is kept between calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import msgspec

from pytest_ultra.agents.tool_conversation import ToolConversation
from pytest_ultra.agents.turn_messages import with_result
from pytest_ultra.benchmark.agent_workflows import agent_workflows
from pytest_ultra.benchmark.canary_names import Renaming, renaming_of
from pytest_ultra.benchmark.other_ways import with_other_ways
from pytest_ultra.benchmark.prompts import opening, plan_text
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.benchmark.tool_discovery import DESCRIBE, SCHEMAS, discover, is_discovery, not_described
from pytest_ultra.benchmark.tool_faults import call_tool, down_target
from pytest_ultra.benchmark.tools import TOOLS, tool_schema
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.benchmark.tools.call_targets import DownTarget
from pytest_ultra.benchmark.tools.inputs import quote
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.turn_limit import turn_limit
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import FaultKind, ToolProtocol
from pytest_ultra.core.bounds import parse_arguments
from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Json, Message, ToolSchema
from pytest_ultra.core.transcript import Discovered, ToolCall, ToolResult
from pytest_ultra.core.workflow import Call, Workflow


class Conversation(ToolConversation, frozen=True, kw_only=True):
    """An episode so far.

    `messages`, `tools` and `shown` (the guidance) use the names that the model sees; everything else uses the
    benchmark's own names. `reference` is the optimal workflow with its other ways, where tools can be down, and
    `agent_workflows` what reference agents do instead, in the names that the model sees. `down` is what permanent
    faults took down.
    """

    guidance: BenchmarkGuidance
    shown: BenchmarkGuidance
    renaming: Renaming
    world: World
    calls: dict[str, int] = {}  # noqa: RUF012 - msgspec copies it
    described: tuple[str, ...] = ()
    reference: Workflow | None = None
    agent_workflows: dict[str, Workflow] = {}  # noqa: RUF012 - msgspec copies it
    down: tuple[DownTarget, ...] = ()

    @classmethod
    def begin(cls, case: Case, guidance: BenchmarkGuidance) -> Self:
        """Start an episode in the case's protocol; `auto` starts as native."""
        protocol = ToolProtocol.TEXT if case.tool_protocol is ToolProtocol.TEXT else ToolProtocol.NATIVE
        renaming = renaming_of(case, guidance.task)
        shown = renaming.guidance(guidance)
        started = cls(
            case=case,
            guidance=guidance,
            protocol=protocol,
            shown=shown,
            renaming=renaming,
            world=guidance.task.world,
        ).open()
        has_other_ways = FaultKind.PERMANENT in case.fault_kinds
        optimal = with_other_ways(guidance.task, guidance.optimal) if has_other_ways else guidance.optimal
        own = agent_workflows(guidance.task, optimal, has_plan=case.prompt_type.has_plan)
        return msgspec.structs.replace(
            started,
            reference=renaming.workflow(optimal) if has_other_ways else None,
            agent_workflows={agent: renaming.workflow(workflow) for agent, workflow in own.items()},
        )

    def opening(self, text_tools: Sequence[ToolSchema]) -> tuple[Message, ...]:
        return opening(self.case, self.shown, text_tools)

    @property
    def plan(self) -> str:
        """The plan's text as the model sees it; empty without one."""
        return plan_text(self.case.prompt_type, self.shown)

    @property
    def turn_limit(self) -> int:
        return turn_limit(self.case, self.guidance.optimal)

    def own_call(self, call: ToolCall) -> ToolCall:
        return self.renaming.call(call)

    def own_text(self, text: str) -> str:
        return self.renaming.text(text)

    def shown_result(self, result: ToolResult) -> ToolResult:
        return self.renaming.result(result)

    def schemas(self) -> tuple[ToolSchema, ...]:
        described = self.described if self.case.has_tool_discovery else self.guidance.task.tools
        schemas = (self.renaming.schema(tool_schema(TOOLS[name])) for name in described)
        return (*(SCHEMAS if self.case.has_tool_discovery else ()), *schemas)

    def request(self) -> ChatRequest:
        return ChatRequest(
            self.case,
            self.shown,
            self.turn,
            self.messages,
            self.tools,
            self.offered,
            reference=self.reference,
            agent_workflows=self.agent_workflows,
        )

    def call_tool(self, call: ToolCall) -> Self:
        """Run one tool call, with the random fault drawn for it, if any."""
        arguments = parse_arguments(call.arguments)
        if self.case.has_tool_discovery and is_discovery(call.name):
            return self.discover(call, arguments)
        k = self.calls.get(call.name, 0) + 1
        world, result = self._invoke(call.name, arguments, k)
        after = msgspec.structs.replace(self, world=world, calls={**self.calls, call.name: k})
        down = down_target(call, result)
        if down is not None and down not in self.down:
            after = msgspec.structs.replace(after, down=(*self.down, down))
        return after.answer(call, arguments, result)

    def discover(self, call: ToolCall, arguments: dict[str, Json] | None) -> Self:
        """Run a call of tool discovery; a tool can be called once it is described."""
        result = discover(self.guidance.task.tools, call.name, arguments)
        is_new = call.name == DESCRIBE and result.is_success and result.value["name"] not in self.described
        after = msgspec.structs.replace(
            self,
            messages=with_result(self.messages, call, self.renaming.result(result), self.protocol),
            events=(*self.events, Discovered(self.turn, call, arguments, result)),
            described=(*self.described, result.value["name"]) if is_new else self.described,
        )
        return msgspec.structs.replace(after, tools=after.schemas()) if self.tools else after

    def _invoke(self, tool: str, arguments: dict[str, Any] | None, k: int) -> tuple[World, ToolResult]:
        """Call a tool for the k-th time. A tool that was not offered does not exist."""
        if tool not in self.guidance.task.tools:
            message = f"You have no tool named {quote(tool)}."
            return self.world, ToolResult(code=EarnedCode.UNKNOWN_TOOL.value, message=message)
        if self.case.has_tool_discovery and tool not in self.described:
            return self.world, not_described(tool)
        if arguments is None:
            return invoke(self.world, tool, arguments)
        return call_tool(self.case, self.guidance.task, self.world, Call(tool, arguments), k=k, down=self.down)
