"""Whether a run with `--ultra-until` needs another round; the process that has waited for all others asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest

from pytest_ultra.analysis.gate_verdicts import GateEvaluator
from pytest_ultra.analysis.stopping import INTERIM_LEVEL, are_decided, find_widest
from pytest_ultra.controller.gate_hooks import load_reference
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.rounds import NOT_NEEDED, Until
from pytest_ultra.options.gate_settings import GateSettings, gates_of
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.text import count

Judge = Callable[[Sequence[Episode]], str | None]


def make_judge(settings: Settings, until: Until, planned: Iterable[Case]) -> Judge:
    """Return what says, of the episodes so far, why no further round is needed; None if one is."""
    if until.half_width is not None:
        return _judge_width(until.half_width, settings.tested)
    return _judge_gates(settings, planned)


def check_until(until: Until | None, gates: GateSettings) -> None:
    """Raise `pytest.UsageError` if nothing could be decided."""
    if until is not None and until.half_width is None and not gates.decide_run:
        raise pytest.UsageError(
            "--ultra-until: no gate could be decided; add one, as in --ultra-max-drop 0.2, or give points, as in "
            "--ultra-until 10"
        )


def _judge_width(wanted: float, models: Sequence[str]) -> Judge:
    def judge(episodes: Sequence[Episode]) -> str | None:
        widest = find_widest(episodes, models)
        if widest is None or widest > wanted:
            return None
        return f"{NOT_NEEDED}after {_tasks(episodes)}, every interval is within {100 * widest:.1f} points on each side"

    return judge


def _judge_gates(settings: Settings, planned: Iterable[Case]) -> Judge:
    gates = gates_of(settings.gates)
    reference = load_reference(settings, planned)

    def judge(episodes: Sequence[Episode]) -> str | None:
        evaluator = GateEvaluator(
            episodes, reference.episodes if reference else (), settings.gates.gate_on, alpha=INTERIM_LEVEL
        )
        return f"{NOT_NEEDED}after {_tasks(episodes)}, every gate is decided" if are_decided(evaluator, gates) else None

    return judge


def _tasks(episodes: Sequence[Episode]) -> str:
    return count(len({episode.case.task_key for episode in episodes if episode.outcome.is_scored}), "task")
