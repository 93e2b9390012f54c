"""The records that the page of a case shows: every text in them is safe to show and of bounded length."""

from __future__ import annotations

from typing import Literal

import msgspec


class ViewRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of all view records. Fields at their default are omitted from the JSON."""


class CallView(ViewRecord, frozen=True):
    """A tool call: its arguments by name, or `raw`, the text that could not be parsed."""

    tool: str
    arguments: tuple[tuple[str, str], ...] = ()
    raw: str | None = None


class DamageView(ViewRecord, frozen=True):
    """How a step was damaged, and the step of the optimal plan in its place."""

    how: str
    number: int | None = None
    call: CallView | None = None


class StepView(ViewRecord, frozen=True):
    """A step of the plan as the model saw it."""

    number: int
    call: CallView
    fallback: CallView | None = None
    only_if_failed: int | None = None
    damage: DamageView | None = None


class PlanView(ViewRecord, frozen=True):
    """A plan. `removed` are the damages that removed a step."""

    steps: tuple[StepView, ...]
    removed: tuple[DamageView, ...] = ()
    answer: int | None = None


EventKind = Literal["text", "call", "search", "attempt", "note"]
ResultKind = Literal["ok", "fault", "error"]


class EventView(ViewRecord, frozen=True):
    """An event of a turn: a text, or a call with its result."""

    kind: EventKind
    text: str = ""
    call: CallView | None = None
    result: str | None = None
    result_kind: ResultKind = "ok"
    handle: str | None = None


class TurnView(ViewRecord, frozen=True):
    """A turn. `marker` is equal for two turns with the same calls and the same results.

    `model_s` is the time of its requests, `wait_s` that of the waits between them, both in seconds; `retries` counts
    the requests that failed. `tokens` are those of the prompt and of the completion, None if there was no reply. `cost`
    is in US dollars, None if the price is unknown.
    """

    number: int
    events: tuple[EventView, ...]
    marker: str = ""
    model_s: float = 0.0
    wait_s: float = 0.0
    retries: int = 0
    tokens: tuple[int, int] | None = None
    cost: float | None = None


class GoalView(ViewRecord, frozen=True):
    """A milestone at the end of an episode: the expected value, and the values found if it was not reached.

    `differences` says for each value found how it differs; it is empty where the values show it.
    """

    is_reached: bool
    is_deliverable: bool
    place: str
    expected: str
    found: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


class EpisodeView(ViewRecord, frozen=True):
    """An episode as the page of its case shows it, without what the table of cases already has."""

    words: str = ""
    has_plan: bool = False
    plan: PlanView | None = None
    optimal: PlanView | None = None
    turns: tuple[TurnView, ...] = ()
    left_out: int = 0
    end: str = ""
    goals: tuple[GoalView, ...] = ()
    harms: tuple[str, ...] = ()
    error: str = ""
    note: str = ""
