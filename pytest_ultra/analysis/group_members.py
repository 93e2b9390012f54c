"""Groups of cases, named by an axis value: a prompt type, task type, difficulty, severity or model."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ultra.core.axes import Difficulty, PromptType, Severity, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode

FLAWED = "flawed"
"""The group of all flawed prompt types."""

_AXES = (PromptType, TaskType, Difficulty, Severity)


def members(episodes: Iterable[Episode], name: str) -> tuple[Episode, ...]:
    """Return the episodes of a group, with any outcome; () if there is no such group."""
    return tuple(episode for episode in episodes if name in _groups(episode.case))


def names(episodes: Iterable[Episode]) -> tuple[str, ...]:
    """Return the names of the groups that have episodes: `flawed`, axis values in their own order, then models."""
    found = {str(name) for episode in episodes for name in _groups(episode.case) if name}
    known = [FLAWED, *(str(value) for axis in _AXES for value in axis)]
    return (*(name for name in known if name in found), *sorted(found.difference(known)))


def _groups(case: Case) -> tuple[str | None, ...]:
    flawed = FLAWED if case.prompt_type.flaw_kind else None
    return (case.prompt_type, case.task_type, case.difficulty, case.severity, case.model, flawed)
