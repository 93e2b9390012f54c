"""Tests of a paired difference whose pairs are clustered by task, and the intervals that agree with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from statistics import NormalDist

from pytest_ultra.analysis.clusters import Cluster, design_effect
from pytest_ultra.analysis.mcnemar import ALPHA
from pytest_ultra.analysis.score_interval import score_bound, score_statistic
from pytest_ultra.analysis.sign_flips import SignFlips


class DifferenceTest:
    """Tests hypotheses on the true mean gain of clusters; a hypothesis that is rejected lies outside the interval.

    With one pair a task it is Tango's score test. With several, the counts are divided by the design effect,
    and a difference is rejected only if the sign-flip test over
    tasks rejects it too. The sign-flip test has no say at a level at which so few tasks could reject nothing, such as
    five tasks at 2.5 %.

    Of k pairs that share an episode, such as seven flaws of one control, that episode has about half of each pair's
    variance, so that their design effect is (1 + k) / 2; the estimate is at least that for `pairs_per_episode`, because
    few tasks may happen to show no failure of a control.
    """

    def __init__(self, clusters: Sequence[Cluster], pairs_per_episode: float = 1) -> None:
        self._clusters = clusters
        self.pairs = sum(c.pairs for c in clusters)
        self.effective_pairs = self.pairs / max(design_effect(clusters), (1 + pairs_per_episode) / 2)
        share = self.effective_pairs / self.pairs
        self._counts = (share * sum(c.won for c in clusters), share * sum(c.lost for c in clusters))
        self._is_clustered = len(clusters) < self.pairs

    def p_below(self, difference: float, level: float) -> float:
        """Return the one-sided p-value, to be read at `level`, of a true difference of at least `difference`."""
        p = _lower_tail(score_statistic(*self._counts, self.effective_pairs, difference))
        return max(p, self._flips.p_below(difference)) if self._has_flips(level) else p

    def p_above(self, difference: float, level: float) -> float:
        """Return the one-sided p-value, to be read at `level`, of a true difference of at most `difference`."""
        p = _lower_tail(-score_statistic(*self._counts, self.effective_pairs, difference))
        return max(p, self._flips.p_above(difference)) if self._has_flips(level) else p

    @property
    def p_value(self) -> float:
        """The two-sided p-value of no difference; at most 0.05 exactly if the 95 % interval excludes zero."""
        return min(1.0, 2 * self.p_below(0, ALPHA / 2), 2 * self.p_above(0, ALPHA / 2))

    def bounds(self, low_level: float, high_level: float) -> tuple[float, float]:
        """Return the differences in [-1, 1] at which the one-sided p-values are `low_level` and `high_level`."""
        low = score_bound(*self._counts, self.effective_pairs, -_quantile(low_level))
        high = score_bound(*self._counts, self.effective_pairs, _quantile(high_level))
        if self._has_flips(low_level):
            low = min(low, self._flips.bounds(low_level)[0])
        if self._has_flips(high_level):
            high = max(high, self._flips.bounds(high_level)[1])
        return low, high

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval; None for a single task, which says nothing about others."""
        return self.bounds(ALPHA / 2, ALPHA / 2) if len(self._clusters) > 1 else None

    def _has_flips(self, level: float) -> bool:
        return self._is_clustered and 0.5 ** len(self._clusters) <= level

    @cached_property
    def _flips(self) -> SignFlips:
        return SignFlips(self._clusters)


def _lower_tail(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


_quantile = NormalDist().inv_cdf
