"""Pairs clustered by task, and how many independent pairs they are worth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


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


def _mean_size(clusters: Sequence[Cluster]) -> float:
    """Return the mean cluster size in pairs, averaged over pairs, not over clusters."""
    return sum(c.pairs**2 for c in clusters) / sum(c.pairs for c in clusters)
