"""The state of an episode without its I/O: it takes replies, runs tools, and gives the next messages until it ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, Self

import msgspec

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
from pytest_ultra.benchmark.tools.invoke import invoke, parse_arguments
from pytest_ultra.benchmark.turn_limit import turn_limit
from pytest_ultra.benchmark.turn_messages import (
    TOO_MANY_CALLS,
    UNREADABLE_CALL,
    ReplyCalls,
    assistant_message,
    read_reply,
    with_result,
)
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import FaultKind, ToolProtocol
from pytest_ultra.core.bounds import MAX_CALLS, MAX_EPISODE_CHARS, reply_chars
from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.generation_end import describe_end, find_abnormal_end, judge_last_reply
from pytest_ultra.core.json_types import Json, Message, ToolSchema
from pytest_ultra.core.transcript import (
    Answered,
    Attempted,
    Discovered,
    Ended,
    EndReason,
    Event,
    FellBack,
    Replied,
    Reply,
    ToolCall,
    ToolResult,
)
from pytest_ultra.core.workflow import Call, Workflow

GIVE_UP_AFTER = 3
"""The same call with the same earned error, in this many turns and with no other call between, ends an episode."""
TOO_LONG = f"The model's replies reached {MAX_EPISODE_CHARS:,} characters."
"""Why an episode ends before its last turn."""


class Conversation(msgspec.Struct, frozen=True):
    """An episode so far. `turn` is the number of the next request, from 1; `protocol` is never `auto`.

    `messages`, `tools` and `shown` (the guidance) use the names that the model sees; everything else uses the
    benchmark's own names. `chars` counts the characters of all replies. `reference` is the optimal workflow with its
    other ways, where tools can be down, and `agent_workflows` what reference agents do instead, in the names that the
    model sees. `down` is what permanent faults took down.
    """

    case: Case
    guidance: BenchmarkGuidance
    shown: BenchmarkGuidance
    renaming: Renaming
    protocol: ToolProtocol
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    world: World
    turn: int = 1
    events: tuple[Event, ...] = ()
    calls: dict[str, int] = {}
    described: tuple[str, ...] = ()
    chars: int = 0
    reference: Workflow | None = None
    agent_workflows: dict[str, Workflow] = {}
    down: tuple[DownTarget, ...] = ()

    @classmethod
    def begin(cls, case: Case, guidance: BenchmarkGuidance) -> Self:
        """Start an episode in the case's protocol; `auto` starts as native."""
        protocol = ToolProtocol.TEXT if case.tool_protocol is ToolProtocol.TEXT else ToolProtocol.NATIVE
        renaming = renaming_of(case, guidance.task)
        shown = renaming.guidance(guidance)
        started = cls(case, guidance, shown, renaming, protocol, (), (), guidance.task.world).open()
        has_other_ways = FaultKind.PERMANENT in case.fault_kinds
        optimal = with_other_ways(guidance.task, guidance.optimal) if has_other_ways else guidance.optimal
        own = agent_workflows(guidance.task, optimal, has_plan=case.prompt_type.has_plan)
        return msgspec.structs.replace(
            started,
            reference=renaming.workflow(optimal) if has_other_ways else None,
            agent_workflows={agent: renaming.workflow(workflow) for agent, workflow in own.items()},
        )

    def open(self) -> Self:
        """Add the opening messages and the tools, in the form of the protocol."""
        is_text = self.protocol is ToolProtocol.TEXT
        messages = opening(self.case, self.shown, self.schemas() if is_text else ())
        return msgspec.structs.replace(self, messages=messages, tools=() if is_text else self.schemas())

    def fall_back(self, detail: str) -> Self:
        """Start again in the text protocol, because the endpoint rejects native tools."""
        events = (*self.events, FellBack(self.turn, detail))
        return msgspec.structs.replace(self, protocol=ToolProtocol.TEXT, events=events).open()

    @property
    def plan(self) -> str:
        """The plan's text as the model sees it; empty without one."""
        return plan_text(self.case.prompt_type, self.shown)

    @property
    def ended(self) -> EndReason | None:
        return self.events[-1].reason if self.events and isinstance(self.events[-1], Ended) else None

    @property
    def offered(self) -> tuple[str, ...]:
        """The tools that can be called now, under the names that the model sees."""
        return tuple(schema["function"]["name"] for schema in self.schemas())

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

    def note(self, attempt: Attempted) -> Self:
        return msgspec.structs.replace(self, events=(*self.events, attempt))

    def end(self, reason: EndReason, detail: str = "") -> Self:
        return msgspec.structs.replace(self, events=(*self.events, Ended(reason, detail)))

    def take(self, reply: Reply) -> Self:
        """Add the model's reply of this turn: run its tool calls in order, or end the episode."""
        return deque(self.steps(reply), maxlen=1).pop()

    def steps(self, reply: Reply) -> Iterator[Self]:
        """Take a reply as `take` does, and yield the conversation after the reply and after each call."""
        reply_calls = self._read(reply)
        after = self._add(reply, reply_calls)
        yield after
        for number, call in enumerate(reply_calls.calls):
            is_readable = call.id not in reply_calls.unreadable
            if number == len(reply_calls.calls) - 1 and (cut := _find_cut(reply, call, is_readable=is_readable)):
                yield after.end(cut, describe_end(reply, cut))
                return
            after = after.take_call(call, number, is_readable=is_readable)
            yield after
            if after.ended is not None:
                return
        yield after.end_turn(reply, has_called=bool(reply_calls.calls))

    def add_reply(self, reply: Reply) -> Self:
        """Add the reply of this turn without running its calls."""
        return self._add(reply, self._read(reply))

    def _read(self, reply: Reply) -> ReplyCalls:
        return read_reply(reply, self.protocol, self.turn, self.offered if not reply.tool_calls else ())

    def _add(self, reply: Reply, reply_calls: ReplyCalls) -> Self:
        return msgspec.structs.replace(
            self,
            messages=(*self.messages, assistant_message(reply, self.protocol)),
            events=(*self.events, self._replied(reply, reply_calls)),
            chars=self.chars + reply_chars(reply),
        )

    def take_call(self, call: ToolCall, number: int, *, is_readable: bool = True) -> Self:
        """Run a call of this turn, or answer one that cannot be run; end the episode if the model is stuck."""
        if number >= MAX_CALLS:
            after = self.answer(call, None, TOO_MANY_CALLS)
        else:
            after = (
                self.call_tool(self.renaming.call(call)) if is_readable else self.answer(call, None, UNREADABLE_CALL)
            )
        return after.end(EndReason.GAVE_UP) if _is_stuck(after.events) else after

    def end_turn(self, reply: Reply, *, has_called: bool) -> Self:
        """Go on to the next turn, or end the episode."""
        if not has_called:
            reason = judge_last_reply(reply, is_first=self.turn == 1)
            return self.end(reason, describe_end(reply, reason))
        if self.turn >= turn_limit(self.case, self.guidance.optimal):
            return self.end(EndReason.MAX_TURNS)
        if self.chars >= MAX_EPISODE_CHARS:
            return self.end(EndReason.MAX_TURNS, TOO_LONG)
        return msgspec.structs.replace(self, turn=self.turn + 1)

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

    def answer(self, call: ToolCall, arguments: dict[str, Json] | None, result: ToolResult) -> Self:
        return msgspec.structs.replace(
            self,
            messages=with_result(self.messages, call, self.renaming.result(result), self.protocol),
            events=(*self.events, Answered(self.turn, call, arguments, result)),
        )

    def _replied(self, reply: Reply, read: ReplyCalls) -> Replied:
        text = self.renaming.text(reply.text)
        return Replied(self.turn, reply, read.forgiven, None if text == reply.text else text, read.in_text)

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


def _find_cut(reply: Reply, call: ToolCall, *, is_readable: bool) -> EndReason | None:
    """Return the end that the reply's finish reason names if its last call is incomplete, else None."""
    is_complete = is_readable and parse_arguments(call.arguments) is not None
    return None if is_complete else find_abnormal_end(reply)


def _is_stuck(events: Sequence[Event]) -> bool:
    """Return whether the last calls, random faults aside, are the same call with the same earned error in three turns.

    Several calls of one turn count once: the model had not seen the error when it made the second. Called after each
    call: the last one can end the series only if it got an earned error itself.
    """
    newest = events[-1]
    if not isinstance(newest, Answered | Discovered) or newest.result.is_random or newest.result.is_success:
        return False
    turns = {event.turn for event in takewhile(lambda event: _repeats(event, newest), _earned(events))}
    return len(turns) >= GIVE_UP_AFTER


def _repeats(event: Answered | Discovered, newest: Answered | Discovered) -> bool:
    return event.result.code == newest.result.code and _is_same_call(event, newest)


def _earned(events: Sequence[Event]) -> Iterator[Answered | Discovered]:
    """Yield the answers that are no random faults, the newest first."""
    for event in reversed(events):
        if isinstance(event, Answered | Discovered) and not event.result.is_random:
            yield event


def _is_same_call(one: Answered | Discovered, other: Answered | Discovered) -> bool:
    """Compare calls by their parsed arguments, or by their text if that is not a JSON object."""
    if one.arguments is None or other.arguments is None:
        return one.call.name == other.call.name and one.call.arguments == other.call.arguments
    return one.call.name == other.call.name and one.arguments == other.arguments
