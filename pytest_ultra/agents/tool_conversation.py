"""A conversation of an agent with tools, whatever the suite: it takes replies, and runs their calls until it ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Self

import msgspec

from pytest_ultra.agents.turn_messages import (
    TOO_MANY_CALLS,
    UNREADABLE_CALL,
    ReplyCalls,
    assistant_message,
    read_reply,
    with_result,
)
from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.bounds import MAX_CALLS, MAX_EPISODE_CHARS, parse_arguments, reply_chars
from pytest_ultra.core.case import Case
from pytest_ultra.core.generation_end import describe_end, find_abnormal_end, judge_last_reply
from pytest_ultra.core.guidance import AnyGuidance
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

GIVE_UP_AFTER = 3
"""The same call with the same earned error, in this many turns and with no other call between, ends an episode."""
TOO_LONG = f"The model's replies reached {MAX_EPISODE_CHARS:,} characters."
"""Why an episode ends before its last turn."""


class ToolConversation(msgspec.Struct, frozen=True):
    """An episode so far, without its I/O. A suite's own conversation says which tools there are, and calls them.

    `turn` is the number of the next request, from 1; `protocol` is never `auto`. `messages` and `tools` are as the
    model sees them. `chars` counts the characters of all replies.
    """

    case: Case
    guidance: AnyGuidance
    protocol: ToolProtocol
    messages: tuple[Message, ...] = ()
    tools: tuple[ToolSchema, ...] = ()
    turn: int = 1
    events: tuple[Event, ...] = ()
    chars: int = 0

    def schemas(self) -> tuple[ToolSchema, ...]:
        """Return the schemas of the tools that can be called now."""
        raise NotImplementedError

    def opening(self, text_tools: Sequence[ToolSchema]) -> tuple[Message, ...]:
        """Return the first messages; `text_tools` are the tools to describe in them, for the text protocol."""
        raise NotImplementedError

    def call_tool(self, call: ToolCall) -> Self:
        """Run one tool call, with its random fault, if any."""
        raise NotImplementedError

    @property
    def turn_limit(self) -> int:
        """The turn after which the episode ends."""
        return self.case.max_turns

    def own_call(self, call: ToolCall) -> ToolCall:
        """Return a call in the suite's own names, if the model is shown others."""
        return call

    def own_text(self, text: str) -> str:
        """Return what the model says in the suite's own names."""
        return text

    def shown_result(self, result: ToolResult) -> ToolResult:
        """Return a result in the names that the model sees."""
        return result

    def open(self) -> Self:
        """Add the opening messages and the tools, in the form of the protocol."""
        is_text = self.protocol is ToolProtocol.TEXT
        messages = self.opening(self.schemas() if is_text else ())
        return msgspec.structs.replace(self, messages=messages, tools=() if is_text else self.schemas())

    def fall_back(self, detail: str) -> Self:
        """Start again in the text protocol, because the endpoint rejects native tools."""
        events = (*self.events, FellBack(self.turn, detail))
        return msgspec.structs.replace(self, protocol=ToolProtocol.TEXT, events=events).open()

    @property
    def ended(self) -> EndReason | None:
        return self.events[-1].reason if self.events and isinstance(self.events[-1], Ended) else None

    @property
    def offered(self) -> tuple[str, ...]:
        """The tools that can be called now, under the names that the model sees."""
        return tuple(schema["function"]["name"] for schema in self.schemas())

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

    def take_call(self, call: ToolCall, number: int, *, is_readable: bool = True) -> Self:
        """Run a call of this turn, or answer one that cannot be run; end the episode if the model is stuck."""
        if number >= MAX_CALLS:
            after = self.answer(call, None, TOO_MANY_CALLS)
        else:
            after = self.call_tool(self.own_call(call)) if is_readable else self.answer(call, None, UNREADABLE_CALL)
        return after.end(EndReason.GAVE_UP) if _is_stuck(after.events) else after

    def end_turn(self, reply: Reply, *, has_called: bool) -> Self:
        """Go on to the next turn, or end the episode."""
        if not has_called:
            reason = judge_last_reply(reply, is_first=self.turn == 1)
            return self.end(reason, describe_end(reply, reason))
        if self.turn >= self.turn_limit:
            return self.end(EndReason.MAX_TURNS)
        if self.chars >= MAX_EPISODE_CHARS:
            return self.end(EndReason.MAX_TURNS, TOO_LONG)
        return msgspec.structs.replace(self, turn=self.turn + 1)

    def answer(self, call: ToolCall, arguments: dict[str, Json] | None, result: ToolResult) -> Self:
        return msgspec.structs.replace(
            self,
            messages=with_result(self.messages, call, self.shown_result(result), self.protocol),
            events=(*self.events, Answered(self.turn, call, arguments, result)),
        )

    def _read(self, reply: Reply) -> ReplyCalls:
        return read_reply(reply, self.protocol, self.turn, self.offered if not reply.tool_calls else ())

    def _add(self, reply: Reply, reply_calls: ReplyCalls) -> Self:
        return msgspec.structs.replace(
            self,
            messages=(*self.messages, assistant_message(reply, self.protocol)),
            events=(*self.events, self._replied(reply, reply_calls)),
            chars=self.chars + reply_chars(reply),
        )

    def _replied(self, reply: Reply, read: ReplyCalls) -> Replied:
        text = self.own_text(reply.text)
        return Replied(self.turn, reply, read.forgiven, None if text == reply.text else text, read.in_text)


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
