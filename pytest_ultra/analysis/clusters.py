"""The interval of a paired difference whose pairs are clustered by task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_CONFIDENCE = 0.95


class Cluster(NamedTuple):
    """The pairs of one task: how many there are, and how many of them were won and lost."""

    pairs: int
    won: int
    lost: int

    @property
    def gain(self) -> int:
        return self.won - self.lost


def group_by_task(gains: Iterable[tuple[object, int]]) -> tuple[Cluster, ...]:
    """Return the sorted clusters, one per task, from the (task, gain) of each pair; a gain is 1, 0 or -1."""
    tasks: dict[object, list[int]] = {}
    for task, gain in gains:
        tasks.setdefault(task, []).append(gain)
    return tuple(sorted(Cluster(len(found), found.count(1), found.count(-1)) for found in tasks.values()))


def design_effect(clusters: Sequence[Cluster]) -> float:
    """Return how many pairs of these clusters are worth one independent pair, from 1 to the mean cluster size.

    The estimate is the ratio of the variances of the mean gain with and without clusters (the first linearised,
    with m / (m - 1) for m clusters), clipped to that range. If nothing can be estimated, because there is one
    cluster or all pairs have the same gain, it is the mean cluster size, as if the pairs of a cluster were all
    alike. With one pair per cluster it is 1.

    Source: L. Kish, Survey Sampling (1965); clipped at 1 as in J. D. Parker et al., National Center for Health
    Statistics data presentation standards for proportions, Vital and Health Statistics 2(175) (2017).
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


def clustered_interval(clusters: Sequence[Cluster], pairs_per_episode: float = 1) -> tuple[float, float] | None:
    """Return the 95 % interval (low, high) of the mean gain, within [-1, 1]; None for a single cluster.

    Bonett and Price add one won and one lost pair to the data, so that the interval has a width even if all pairs
    have the same gain. Here two clusters are added, one all won and one all lost. Their size, in pairs, is the
    geometric mean of the design effect and the mean cluster size, and at least `pairs_per_episode`, the mean number
    of pairs that share an episode (several flaws share a control). The variance is the linearised variance between
    clusters; the quantile is Student's, with m - 1 degrees of freedom for m clusters. With one pair per cluster this
    is Bonett and Price's interval with Student's quantile. The size of the added clusters was chosen by simulation;
    docs/statistics.md has the coverage.

    Source: D. G. Bonett and R. M. Price, Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data, Journal of Educational and Behavioral Statistics 37 (2012); between clusters as in
    W. G. Cochran, Sampling Techniques (1977), chapter 9A.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - SciPy takes 0.2 s, and only the end of a run needs it

    if len(clusters) == 1:
        return None
    size = max(math.sqrt(design_effect(clusters) * _mean_size(clusters)), pairs_per_episode)
    pairs = sum(c.pairs for c in clusters) + 2 * size
    centre = sum(c.gain for c in clusters) / pairs
    added = size**2 * ((1 - centre) ** 2 + (1 + centre) ** 2)
    deviations = math.fsum((c.gain - centre * c.pairs) ** 2 for c in clusters)
    quantile = float(stdtrit(len(clusters) - 1, (1 + _CONFIDENCE) / 2))
    half = quantile * math.sqrt(deviations + added) / pairs
    return max(centre - half, -1.0), min(centre + half, 1.0)


def _mean_size(clusters: Sequence[Cluster]) -> float:
    """Return the mean cluster size in pairs, averaged over pairs, not over clusters."""
    return sum(c.pairs**2 for c in clusters) / sum(c.pairs for c in clusters)
