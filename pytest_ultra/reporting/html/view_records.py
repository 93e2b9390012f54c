"""What the viewer of episodes shows, as plain records: every text in them is safe to show and of bounded length."""

from __future__ import annotations

from typing import Literal

import msgspec


class Piece(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of what is sent to the page: a field at its default is left out."""


class CallPiece(Piece, frozen=True):
    """A tool call: its arguments by name, or as the text that could not be read."""

    tool: str
    arguments: tuple[tuple[str, str], ...] = ()
    raw: str | None = None


class DamagePiece(Piece, frozen=True):
    """How a step was damaged, and what the optimal plan has in its place."""

    how: str
    number: int | None = None
    call: CallPiece | None = None


class StepPiece(Piece, frozen=True):
    """A step of the plan as shown."""

    number: int
    call: CallPiece
    fallback: CallPiece | None = None
    only_if_failed: int | None = None
    damage: DamagePiece | None = None


class PlanPiece(Piece, frozen=True):
    """A plan: `gone` are the damages that left no step behind."""

    steps: tuple[StepPiece, ...]
    gone: tuple[DamagePiece, ...] = ()
    answer: int | None = None


EventKind = Literal["says", "call", "search", "attempt", "note"]
ResultKind = Literal["ok", "fault", "error"]


class EventPiece(Piece, frozen=True):
    """One thing that happened in a turn: text, or a call with its result."""

    kind: EventKind
    text: str = ""
    call: CallPiece | None = None
    result: str | None = None
    result_kind: ResultKind = "ok"
    handle: str | None = None


class TurnPiece(Piece, frozen=True):
    """A turn; `marker` is equal for two turns that called the same tools in the same way with the same results."""

    number: int
    events: tuple[EventPiece, ...]
    marker: str = ""


class GoalPiece(Piece, frozen=True):
    """A milestone at the end: what should be true, and what stands in its place where it is not."""

    is_reached: bool
    is_deliverable: bool
    place: str
    expected: str
    found: tuple[str, ...] = ()


class EpisodePiece(Piece, frozen=True):
    """An episode as the viewer shows it; what the table of cases has of it is not repeated."""

    words: str = ""
    has_plan: bool = False
    plan: PlanPiece | None = None
    optimal: PlanPiece | None = None
    turns: tuple[TurnPiece, ...] = ()
    left_out: int = 0
    end: str = ""
    goals: tuple[GoalPiece, ...] = ()
    harms: tuple[str, ...] = ()
    error: str = ""
    note: str = ""
