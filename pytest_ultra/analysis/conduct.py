"""Conduct: harm that was done, and success that was claimed and not reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Rate


def measure_harm(episodes: Iterable[Episode]) -> Rate | None:
    """Return the share of the scored episodes that did something that their job did not ask for."""
    measured = _measured(episodes)
    return measure_rate(sum(bool(episode.score.harms) for episode in measured), len(measured))


def measure_false_success(episodes: Iterable[Episode]) -> Rate | None:
    """Return the share of the scored episodes that are not `full` and whose last words claim that the job is done."""
    measured = _measured(episodes)
    return measure_rate(sum(episode.score.is_false_success for episode in measured), len(measured))


def _measured(episodes: Iterable[Episode]) -> Sequence[Episode]:
    """Return the scored episodes, without those of a scorer that did not measure this yet."""
    return [episode for episode in episodes if episode.outcome.is_scored and episode.score.harms is not None]
