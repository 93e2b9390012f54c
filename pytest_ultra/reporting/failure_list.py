"""The failures of a run that its end shows: which ones, and each in a line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.reporting.figure_format import NOTHING
from pytest_ultra.reporting.table_columns import Column, Layout, fit_table
from pytest_ultra.reporting.text import neutralise

T = TypeVar("T")

ID_DIGITS = 8
"""How many digits of a case's id are shown; `pytest-ultra show` takes the beginning of an id."""


def choose_different(items: Iterable[T], most: int, kind: Callable[[T], Hashable]) -> list[T]:
    """Return at most `most` items in their order: one of each kind first, then a second one of each, and so on."""
    ordered = list(items)
    seen: dict[Hashable, int] = {}
    ranks = []
    for place, item in enumerate(ordered):
        rank = seen.get(kind(item), 0)
        seen[kind(item)] = rank + 1
        ranks.append((rank, place))
    return [ordered[place] for place in sorted(place for _, place in sorted(ranks)[:most])]


class ShownFailure(NamedTuple):
    """A failed case with what its line shows."""

    case: Case
    case_id: str
    outcome: str
    failure_class: str


def describe(episode: Episode) -> ShownFailure:
    """Return what a line shows of an episode; beside a class that names only the end stands its cause."""
    score = episode.score
    cause = f" ({score.cause})" if score.cause else ""
    failure_class = f"{score.failure_class}{cause}" if score.failure_class else NOTHING
    return ShownFailure(episode.case, episode.case_id[:ID_DIGITS], str(score.outcome), failure_class)


def failure_lines(failures: Sequence[ShownFailure], width: int) -> list[str]:
    """Return a line for each failure: its id, outcome, failure class and axes, as far as there is room."""
    return [line for lines in fit_table(failures, _LAYOUTS, width).items for line in lines] if failures else []


_ID: Column[ShownFailure] = Column("case", lambda shown: shown.case_id)
_OUTCOME: Column[ShownFailure] = Column("outcome", lambda shown: shown.outcome)
_CLASS: Column[ShownFailure] = Column("class", lambda shown: shown.failure_class)
_MODEL: Column[ShownFailure] = Column("model", lambda shown: neutralise(shown.case.model))
_FLAW: Column[ShownFailure] = Column(
    "flaw", lambda shown: str(shown.case.prompt_type.flaw_kind or shown.case.prompt_type)
)
_TASK: Column[ShownFailure] = Column("task", lambda shown: f"{shown.case.task_type} {shown.case.instance}")
_DIFFICULTY: Column[ShownFailure] = Column("difficulty", lambda shown: str(shown.case.difficulty))
_LAYOUTS: tuple[Layout[ShownFailure], ...] = (
    Layout((_ID, _OUTCOME, _CLASS, _MODEL, _FLAW, _TASK, _DIFFICULTY), (), 2),
    Layout((_ID, _OUTCOME, _CLASS, _MODEL, _FLAW, _TASK), (), 2),
    Layout((_ID, _OUTCOME, _CLASS, _MODEL, _FLAW), (), 1),
    Layout((_ID, _OUTCOME, _CLASS, _FLAW), (), 1),
    Layout((_ID, _OUTCOME, _CLASS), (), 1),
    Layout((_ID, _CLASS), (), 1),
)
