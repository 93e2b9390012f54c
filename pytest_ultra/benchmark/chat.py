"""What is asked of a model in one turn."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.case import Case
from pytest_ultra.benchmark.task import Guidance
from pytest_ultra.benchmark.transcript import Message, ToolSchema


class ChatRequest(msgspec.Struct, frozen=True):
    """One turn's request: the case it belongs to, the turn (from 1), and what the model is to see.

    `guidance`, and `offered` (the names of the tools that can be called now, in whatever protocol), are for the
    embedded demo endpoint alone; nothing of them is sent to any other.
    """

    case: Case
    guidance: Guidance
    turn: int
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    offered: tuple[str, ...] = ()
