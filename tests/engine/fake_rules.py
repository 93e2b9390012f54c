"""Episode rules without a benchmark, for tests of the engine alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import FailureClass, Outcome, Score
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.suite import Conversation
from pytest_ultra.core.transcript import (
    Answered,
    Attempted,
    Ended,
    EndReason,
    Event,
    FellBack,
    Replied,
    Reply,
    ToolCall,
    ToolResult,
)


class Chat(msgspec.Struct, frozen=True):
    """Continues while the model calls tools, up to the case's turns."""

    case: Case
    guidance: AnyGuidance
    turn: int = 1
    events: tuple[Event, ...] = ()
    plan: str = "1. Do nothing."

    @property
    def ended(self) -> EndReason | None:
        return self.events[-1].reason if self.events and isinstance(self.events[-1], Ended) else None

    def request(self) -> ChatRequest:
        results = [{"content": str(event.result.value)} for event in self.events if isinstance(event, Answered)]
        return ChatRequest(self.case, self.guidance, self.turn, tuple(results), ())

    def note(self, attempted: Attempted) -> Self:
        return self._add(attempted)

    def take(self, reply: Reply) -> Self:
        after = self._add(Replied(self.turn, reply))
        if not reply.tool_calls:
            return after.end(EndReason.STOPPED)
        if self.turn >= self.case.max_turns:
            return after.end(EndReason.MAX_TURNS)
        return msgspec.structs.replace(after, turn=self.turn + 1)

    def add_reply(self, reply: Reply) -> Self:
        return self._add(Replied(self.turn, reply))

    def take_call(self, call: ToolCall, number: int) -> Self:
        del number
        return self._add(Answered(self.turn, call, {}, ToolResult(value=len(self.events))))

    def end_turn(self, reply: Reply, *, has_called: bool) -> Self:
        del reply, has_called
        if self.turn >= self.case.max_turns:
            return self.end(EndReason.MAX_TURNS)
        return msgspec.structs.replace(self, turn=self.turn + 1)

    def steps(self, reply: Reply) -> Iterator[Self]:
        yield self.take(reply)

    def fall_back(self, detail: str) -> Self:
        return self._add(FellBack(self.turn, detail))

    def end(self, reason: EndReason, detail: str = "") -> Self:
        return self._add(Ended(reason, detail))

    def _add(self, event: Event) -> Self:
        return msgspec.structs.replace(self, events=(*self.events, event))


def score(_case: Case, _guidance: AnyGuidance, events: Sequence[Event]) -> Score:
    """Score by the reason of the last event: `full` for a model that stopped by itself."""
    ended = events[-1]
    assert isinstance(ended, Ended)
    if ended.reason is EndReason.STOPPED:
        return Score(Outcome.FULL)
    if ended.reason is EndReason.SKIPPED:
        return Score(Outcome.SKIPPED)
    outcome = Outcome.ERROR if ended.reason.is_infrastructure else Outcome.FAILED
    return Score(outcome, FailureClass(ended.reason))


class Rules(msgspec.Struct, frozen=True):
    """Episode rules of two functions."""

    begin: Callable[[Case, AnyGuidance], Conversation]
    score: Callable[[Case, AnyGuidance, Sequence[Event]], Score]


RULES = Rules(Chat, score)
