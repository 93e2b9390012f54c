"""Groups of cases, named by an axis value: a prompt type, task type, difficulty, severity or model."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.groups import FLAWED


def members(episodes: Iterable[Episode], name: str) -> tuple[Episode, ...]:
    """Return the episodes of a group, with any outcome; () if there is no such group."""
    return tuple(episode for episode in episodes if name in _groups(episode.case))


def _groups(case: Case) -> tuple[str | None, ...]:
    flawed = FLAWED if case.prompt_type.flaw_kind else None
    return (case.prompt_type, case.task_type, case.difficulty, case.severity, case.model, flawed)
