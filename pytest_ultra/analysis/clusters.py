"""The interval around a paired difference whose pairs come in clusters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_CONFIDENCE = 0.95


class Cluster(NamedTuple):
    """The pairs of one task: how many, and how many of them were won and lost."""

    pairs: int
    won: int
    lost: int

    @property
    def gain(self) -> int:
        return self.won - self.lost


def cluster(gains: Iterable[tuple[object, int]]) -> tuple[Cluster, ...]:
    """Put together the gains (1, 0 or -1) of each task."""
    tasks: dict[object, list[int]] = {}
    for task, gain in gains:
        tasks.setdefault(task, []).append(gain)
    return tuple(sorted(Cluster(len(found), found.count(1), found.count(-1)) for found in tasks.values()))


def design_effect(clusters: Sequence[Cluster]) -> float:
    """Return how many pairs of these clusters say as much as one independent pair: 1 to a cluster's size.

    The estimate is the ratio of the variances of the mean gain with and without clusters (the first linearised,
    with m / (m - 1) for m clusters). It is cut at 1 below; above, and where no pair differs from another so that
    nothing can be estimated, it is the size of a cluster, as if its pairs were all alike. With one pair a cluster
    it is 1.

    Source: L. Kish, Survey Sampling (1965); cut at 1 as in J. D. Parker et al., National Center for Health Statistics
    data presentation standards for proportions, Vital and Health Statistics 2(175) (2017).
    """
    m = len(clusters)
    pairs = sum(c.pairs for c in clusters)
    most = _mean_size(clusters)
    mean = sum(c.gain for c in clusters) / pairs
    alone = sum(c.won + c.lost for c in clusters) / pairs - mean**2
    if m == 1 or alone <= 0:
        return most
    together = m / (m - 1) * math.fsum((c.gain - mean * c.pairs) ** 2 for c in clusters) / pairs**2
    return min(max(together / (alone / (pairs - 1)), 1.0), most)


def interval(clusters: Sequence[Cluster], sharing: float = 1) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean gain, within [-1, 1]; None for a single cluster, which allows none.

    Bonett and Price add one pair won and one lost to the data, so that the interval has a width even where all pairs
    came out alike. Here these are two clusters, one all won and one all lost. Their size is the geometric mean of
    how many pairs are worth one and of a cluster's size; and at least `sharing`, the number of pairs that share an
    episode (as several flaws share a control). The variance is the linearised one between clusters, the quantile
    Student's for one degree of freedom less than there are clusters. With one pair a cluster it is Bonett and Price's
    interval but for Student's quantile. The size was chosen by simulation: docs/statistics.md has the coverage.

    Source: D. G. Bonett and R. M. Price, Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data, Journal of Educational and Behavioral Statistics 37 (2012); between clusters as in
    W. G. Cochran, Sampling Techniques (1977), chapter 9A.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - SciPy takes 0.2 s, and only the end of a run needs it

    if len(clusters) == 1:
        return None
    size = max(math.sqrt(design_effect(clusters) * _mean_size(clusters)), sharing)
    pairs = sum(c.pairs for c in clusters) + 2 * size
    centre = sum(c.gain for c in clusters) / pairs
    added = size**2 * ((1 - centre) ** 2 + (1 + centre) ** 2)
    deviations = math.fsum((c.gain - centre * c.pairs) ** 2 for c in clusters)
    quantile = float(stdtrit(len(clusters) - 1, (1 + _CONFIDENCE) / 2))
    half = quantile * math.sqrt(deviations + added) / pairs
    return max(centre - half, -1.0), min(centre + half, 1.0)


def _mean_size(clusters: Sequence[Cluster]) -> float:
    """Return the size of the cluster that a pair stands in, on average over the pairs."""
    return sum(c.pairs**2 for c in clusters) / sum(c.pairs for c in clusters)
