"""The part of the benchmark that an engine drives: how a conversation goes, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, Self

import msgspec

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import Guidance
from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Score
from pytest_ultra.core.transcript import Attempted, EndReason, Event, Reply


class Talk(Protocol):
    """An immutable conversation; each step returns the next one."""

    @property
    def events(self) -> tuple[Event, ...]: ...

    @property
    def ended(self) -> EndReason | None: ...

    @property
    def plan(self) -> str: ...

    def request(self) -> ChatRequest: ...

    def note(self, attempted: Attempted, /) -> Self: ...

    def take(self, reply: Reply, /) -> Self: ...

    def fall_back(self, detail: str, /) -> Self: ...

    def end(self, reason: EndReason, detail: str, /) -> Self: ...


class Rules(msgspec.Struct, frozen=True):
    """How to begin a conversation and how to score its events."""

    begin: Callable[[Case, Guidance], Talk]
    score: Callable[[Case, Guidance, Sequence[Event]], Score]


BENCHMARK = Rules(Conversation.begin, score)
