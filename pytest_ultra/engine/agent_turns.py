"""The turns of an agent: groups the tool calls that it makes into turns, in the order of the model behind it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.bounds import MAX_CALLS, bound_reply, decode_json
from pytest_ultra.core.generation_end import describe_end, find_abnormal_end
from pytest_ultra.core.suite import Conversation
from pytest_ultra.core.transcript import EndReason, Reply, ToolCall
from pytest_ultra.errors import EpisodeEndedError


class PlannedCall(msgspec.Struct, frozen=True):
    """A call of several that were made at once: its place among them, and the reply of its turn."""

    place: int
    call: ToolCall
    reply: Reply


class AgentTurns:
    """The conversation of an agent's episode.

    The calls that a reply of the model holds are one turn, in the reply's order; so are other calls that were made at
    once. Any other call is a turn of its own.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self._reply: Reply | None = None  # the model's last one
        self._awaited: list[ToolCall] = []  # its calls that the agent has not made yet
        self._open: Reply | None = None  # that of the turn in progress
        self._number = 0

    def expect(self, reply: Reply) -> None:
        """Note a reply of the model, whose calls the agent may make."""
        self._reply = reply
        self._awaited = list(reply.tool_calls)

    def has_gap(self, calls: Sequence[ToolCall]) -> bool:
        """Return whether the model made another call, which has not come yet, before one of these."""
        found = self._match(calls)
        return bool(found) and set(found.values()) != set(range(len(found)))

    def plan(self, calls: Sequence[ToolCall]) -> list[PlannedCall]:
        """Return calls that were made at once in the order in which they are to be run, and their turns."""
        found = self._match(calls)
        unmatched = tuple(call for number, call in enumerate(calls) if number not in found)
        others = bound_reply(Reply(tool_calls=unmatched, finish_reason="tool_calls"))
        planned = []
        for place in sorted(range(len(calls)), key=lambda place: (place not in found, found.get(place, place))):
            call, reply = calls[place], others
            if place in found and self._reply is not None:
                call, reply = msgspec.structs.replace(call, id=self._awaited[found[place]].id), self._reply
            planned.append(PlannedCall(place, call, reply))
        self._awaited = [awaited for n, awaited in enumerate(self._awaited) if n not in found.values()]
        return planned

    def run(self, planned: PlannedCall) -> str:
        """Run a call, and return its result as a model sees it.

        Raises `EpisodeEndedError` if the episode has ended, with this call or before it.
        """
        if self._open is not planned.reply:
            self._close_turn()
            self._open_turn(planned.reply)
        if self.conversation.ended is None and self._number <= MAX_CALLS:  # the first beyond it says that it is
            self.conversation = self.conversation.take_call(planned.call, self._number)
            self._number += 1
        if self.conversation.ended is not None:
            raise EpisodeEndedError(f"the episode has ended: {self.conversation.ended}")
        return str(self.conversation.request().messages[-1]["content"])

    def finish(self, words: str) -> None:
        """End the episode with the agent's final words."""
        self._close_turn()
        if self.conversation.ended is not None:
            return
        reply = Reply(text=words)
        if self._reply is not None and not self._reply.tool_calls and self._reply.text.strip() == words.strip():
            reply = self._reply
        reason = find_abnormal_end(reply)
        detail = "" if reason is None else describe_end(reply, reason)
        self.conversation = self.conversation.add_reply(reply).end(reason or EndReason.STOPPED, detail)

    def end(self, reason: EndReason, detail: str) -> None:
        if self.conversation.ended is None:
            self.conversation = self.conversation.end(reason, detail)

    def _open_turn(self, reply: Reply) -> None:
        if self.conversation.ended is None:
            self.conversation = self.conversation.add_reply(reply)
            self._open, self._number = reply, 0

    def _close_turn(self) -> None:
        if self._open is not None:
            self.conversation = self.conversation.end_turn(self._open, has_called=True)
            self._open = None

    def _match(self, calls: Sequence[ToolCall]) -> dict[int, int]:
        """Return the places of calls that the model's reply holds, each with its place there."""
        found: dict[int, int] = {}
        left = dict(enumerate(self._awaited))
        for is_same in (_has_same_id, _has_same_arguments, _has_same_name):
            for place, call in enumerate(calls):
                match = next((number for number, awaited in left.items() if is_same(call, awaited)), None)
                if place not in found and match is not None:
                    found[place] = match
                    del left[match]
        return found


def _has_same_id(call: ToolCall, awaited: ToolCall) -> bool:
    return bool(call.id) and call.id == awaited.id


def _has_same_arguments(call: ToolCall, awaited: ToolCall) -> bool:
    return call.name == awaited.name and _read(call.arguments) == _read(awaited.arguments)


def _has_same_name(call: ToolCall, awaited: ToolCall) -> bool:
    """Frameworks fill in defaults and convert values, so that the arguments can differ."""
    return call.name == awaited.name


def _read(arguments: str) -> object:
    try:
        return decode_json(arguments)
    except msgspec.DecodeError:
        return arguments
