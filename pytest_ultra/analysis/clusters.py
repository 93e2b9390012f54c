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
    """Return how many pairs of these clusters say as much as one independent pair: 1 to the clusters' mean size.

    The estimate is the ratio of the variances of the mean gain with and without clusters (the first linearised,
    with m / (m - 1) for m clusters). It is cut at 1 below; above, and where no pair differs from another so that
    nothing can be estimated, at its value for clusters whose pairs are all alike. With one pair a cluster it is 1.

    Source: L. Kish, Survey Sampling (1965), 5.4 and 8.2; cut at 1 as by E. L. Korn and B. I. Graubard, Confidence
    intervals for proportions with small expected number of positive counts estimated from survey data, Survey
    Methodology 24 (1998).
    """
    m = len(clusters)
    pairs = sum(c.pairs for c in clusters)
    most = sum(c.pairs**2 for c in clusters) / pairs
    mean = sum(c.gain for c in clusters) / pairs
    alone = sum(c.won + c.lost for c in clusters) / pairs - mean**2
    if m == 1 or alone <= 0:
        return most
    together = m / (m - 1) * math.fsum((c.gain - mean * c.pairs) ** 2 for c in clusters) / pairs**2
    return min(max(together / (alone / (pairs - 1)), 1.0), most)


def interval(clusters: Sequence[Cluster]) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean gain, within [-1, 1]; None for a single cluster, which allows none.

    It is Bonett and Price's adjusted Wald interval (one pair more won, one more lost, so that it has a width even
    where all pairs came out alike) for the effective number of pairs, pairs / design effect, with the quantile of
    Student's t for one degree of freedom less than there are clusters. `docs/statistics.md` has its coverage.

    Source: D. G. Bonett and R. M. Price, Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data, Journal of Educational and Behavioral Statistics 37 (2012); effective numbers as by Korn
    and Graubard (1998), see `design_effect`.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - SciPy takes 0.2 s, and only the end of a run needs it

    if len(clusters) == 1:
        return None
    effect = design_effect(clusters)
    n = sum(c.pairs for c in clusters) / effect + 2
    won = (sum(c.won for c in clusters) / effect + 1) / n
    lost = (sum(c.lost for c in clusters) / effect + 1) / n
    quantile = float(stdtrit(len(clusters) - 1, (1 + _CONFIDENCE) / 2))
    half = quantile * math.sqrt((won + lost - (won - lost) ** 2) / n)
    return max(won - lost - half, -1.0), min(won - lost + half, 1.0)
