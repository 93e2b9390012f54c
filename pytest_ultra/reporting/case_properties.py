"""Properties on the reports of a test that takes a case: for JUnit, logs and other plugins."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_ultra.core.episode import Episode
from pytest_ultra.reporting.text import neutralise


def properties_of(episode: Episode) -> dict[str, str]:
    """Return the properties of an episode's test: few and flat, since they cross processes and end in JUnit files."""
    values = {name: read(episode) for name, read in PROPERTIES.items()}
    return {name: neutralise(str(value)) for name, value in values.items() if value is not None}


def _text(value: float | None) -> str | None:
    return None if value is None else str(value)


PROPERTIES: Mapping[str, Callable[[Episode], str | None]] = {
    "ultra_case_id": lambda episode: episode.case.case_id,
    "ultra_model": lambda episode: episode.case.model,
    "ultra_prompt_type": lambda episode: episode.case.prompt_type,
    "ultra_task_type": lambda episode: episode.case.task_type,
    "ultra_difficulty": lambda episode: episode.case.difficulty,
    "ultra_severity": lambda episode: episode.case.severity,
    "ultra_visibility": lambda episode: episode.proved_visibility,
    "ultra_outcome": lambda episode: episode.outcome,
    "ultra_failure_class": lambda episode: episode.score.failure_class,
    "ultra_duration_s": lambda episode: f"{episode.duration_s:.3f}",
    "ultra_tokens": lambda episode: _text(episode.usage.tokens),
    "ultra_cost": lambda episode: _text(episode.usage.cost),
    "ultra_reused": lambda episode: "true" if episode.reused else None,
}
"""How each property is read from an episode; None where it does not apply."""
