"""When a run with `--ultra-until` has seen enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_ultra.analysis.gate_verdicts import GateEvaluator
from pytest_ultra.analysis.model_figures import measure_models, order_models
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import ModelFigures
from pytest_ultra.core.gates import Gate, GateKind

INTERIM_LEVEL = 0.001
"""The one-sided level at which a gate counts as decided before the last round.

Looking after every round at 5 % would raise the false alarms to over 10 %; at this level the looks before the last one
add next to nothing. Source: J. L. Haybittle, Repeated assessment of results in clinical trials of cancer treatment,
British Journal of Radiology 44 (1971); R. Peto et al., British Journal of Cancer 34 (1976).
"""


def find_widest(episodes: Sequence[Episode], models: Iterable[str]) -> float | None:
    """Return the largest half-width, as a share, of the models' intervals; None if a model has none yet.

    The interval is that of a model's flawed cases against their controls, or of its success in a run without pairs.
    """
    found = measure_models(episodes, order_models(episodes, ()))
    widths = {figures.model: _half_width(figures) for figures in found}
    wanted = [widths.get(model) for model in models]
    known = [width for width in wanted if width is not None]
    return max(known) if known and len(known) == len(wanted) else None


def _half_width(figures: ModelFigures) -> float | None:
    if figures.flawed is not None:
        if figures.flawed.low is None or figures.flawed.high is None:
            return None
        return (figures.flawed.high - figures.flawed.low) / 2
    return None if figures.success is None else (figures.success.high - figures.success.low) / 2


def are_decided(evaluator: GateEvaluator, gates: Iterable[Gate]) -> bool:
    """Return whether every gate is missed or met; the one on errors is judged at the end alone."""
    verdicts = [evaluator.evaluate(gate) for gate in gates if gate.kind is not GateKind.MAX_ERRORS]
    return not any(verdict.is_undecided for verdict in verdicts)
