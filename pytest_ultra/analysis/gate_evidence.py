"""What the cases of a gate show about its limit: beyond it, within it, or neither yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from pytest_ultra.analysis.clusters import Cluster, design_effect
from pytest_ultra.analysis.difference_test import DifferenceTest
from pytest_ultra.analysis.intervals import wilson_interval
from pytest_ultra.analysis.mcnemar import ALPHA, POWER, pairs_needed
from pytest_ultra.analysis.paired_difference import FEW_TASKS
from pytest_ultra.core.gates import Finding

_z = NormalDist().inv_cdf
_ROUNDING = 1e-9


class Judgement(NamedTuple):
    """What was found, the one-sided bounds of the figure, its tasks, and how many would decide (None: no number).

    The bounds are those of 95 %, unless another chance of a false alarm was asked for. A limit that no number of cases
    could show to be kept (a rate of 1, a loss of 0) is met if the measured figure keeps it.
    """

    finding: Finding
    low: float
    high: float
    tasks: int
    tasks_needed: int | None = None


def judge_rate(clusters: Sequence[Cluster], limit: float, *, alpha: float = ALPHA) -> Judgement:
    """Judge whether the success rate of other tasks is at least `limit`; a cluster has a task's cases as its pairs.

    The bounds are Wilson's for the effective number of cases: cases / design effect.

    Source: E. L. Korn and B. I. Graubard, Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data, Survey Methodology 24 (1998), for the effective number.
    """
    cases = sum(c.pairs for c in clusters)
    rate = sum(c.won for c in clusters) / cases
    effective = cases / design_effect(clusters)
    low, high = wilson_interval(effective * rate, effective, _z(1 - alpha))
    if low >= limit or (limit == 1 == rate):
        return Judgement(Finding.MET, low, high, len(clusters))
    if high < limit:
        return Judgement(Finding.MISSED, low, high, len(clusters))
    needed = _cases_needed(rate, limit)
    return Judgement(
        Finding.UNDECIDED, low, high, len(clusters), _round_up(needed, len(clusters) / effective, len(clusters))
    )


def judge_loss(
    clusters: Sequence[Cluster], test: DifferenceTest, limit: float, family: int = 1, *, alpha: float = ALPHA
) -> Judgement:
    """Judge whether other tasks lose at most `limit`, from the test on these clusters.

    Of a `family` of losses, each is shown to be beyond the limit at `alpha` divided by their number, so that the chance
    of any false alarm stays below `alpha`; all must be shown to be within, which needs no correction. Fewer than five
    tasks show neither.
    """
    low, high = test.bounds(alpha, alpha / family)
    tasks = len(clusters)
    gain = sum(c.gain for c in clusters) / test.pairs
    if limit >= 1 or (limit == 0 <= gain) or (tasks >= FEW_TASKS and test.p_above(-limit, alpha) <= alpha):
        return Judgement(Finding.MET, low, high, tasks)
    if tasks >= FEW_TASKS and test.p_below(-limit, alpha / family) <= alpha / family:
        return Judgement(Finding.MISSED, low, high, tasks)
    discordant = sum(c.won + c.lost for c in clusters) / test.pairs
    level = alpha / family if gain < -limit else alpha
    needed = pairs_needed(gain, discordant, limit=-limit, level=level)
    return Judgement(
        Finding.UNDECIDED, low, high, tasks, _round_up(needed, tasks / test.effective_pairs, max(tasks, FEW_TASKS - 1))
    )


def _cases_needed(rate: float, limit: float) -> float | None:
    """Return the independent cases with which the score test separates `rate` from `limit` with a power of 80 %.

    Source: J. L. Fleiss, B. Levin and M. C. Paik, Statistical Methods for Rates and Proportions (3rd ed., 2003),
    equation 2.31.
    """
    if math.isclose(rate, limit):
        return None
    spread = _z(1 - ALPHA) * math.sqrt(limit * (1 - limit)) + _z(POWER) * math.sqrt(rate * (1 - rate))
    return (spread / (rate - limit)) ** 2


def _round_up(needed: float | None, tasks_per_unit: float, fewer: int) -> int | None:
    """Return a number of tasks, more than those that have not decided; None for none."""
    return None if needed is None else max(math.ceil(needed * tasks_per_unit - _ROUNDING), fewer + 1)
