"""The sign-flip test over tasks: whether the gains of tasks are as likely in the other direction."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_ultra.analysis.clusters import Cluster

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_EXACT = 14
"""The largest number of tasks of which all sets are enumerated."""
_DRAWN_SETS = 16_384
_CHUNK = 1_024


class SignFlips:
    """The test of each hypothesis on the mean gain, and its bounds, for clusters of pairs.

    If the true mean gain is D, a task's gains exceed what D predicts as likely as they fall short of it. Of all ways to
    flip the signs of these residuals, those that give a sum no larger than the observed one belong to the sets of tasks
    whose own mean gain is at least D. So the test counts sets, and the interval's ends are means of sets. With more
    than 14 tasks a fixed sample of 16,384 sets stands for all of them.

    Source: J. A. Hartigan, Using subsample values as typical values, JASA 64 (1969), also for random sets; p with the
    observed signs counted among the flips, as in B. Phipson and G. K. Smyth, Permutation p-values should never be zero,
    Statistical Applications in Genetics and Molecular Biology 9 (2010).
    """

    def __init__(self, clusters: Sequence[Cluster]) -> None:
        ordered = sorted(clusters)
        mirrored = sorted(Cluster(c.pairs, c.lost, c.won) for c in clusters)
        # Both directions use the same sets, so that swapping the sides of a comparison mirrors its figures exactly.
        means = _set_means(tuple(min(ordered, mirrored)))
        self._means = means if ordered <= mirrored else -means[::-1]

    def p_below(self, difference: float) -> float:
        """Return the one-sided p-value of the hypothesis that the true mean gain is at least `difference`."""
        reached = len(self._means) - int(self._means.searchsorted(difference, side="left"))
        return (1 + reached) / (1 + len(self._means))

    def p_above(self, difference: float) -> float:
        """Return the one-sided p-value of the hypothesis that the true mean gain is at most `difference`."""
        return (1 + int(self._means.searchsorted(difference, side="right"))) / (1 + len(self._means))

    def bounds(self, level: float) -> tuple[float, float]:
        """Return the one-sided bounds (low, high) that fail at `level` each; -1 and 1 if no set can be left out."""
        beyond = int(level * (1 + len(self._means))) - 1
        if beyond < 0:
            return -1.0, 1.0
        return float(self._means[beyond]), float(self._means[len(self._means) - 1 - beyond])


@lru_cache(maxsize=64)
def _set_means(clusters: tuple[Cluster, ...]) -> NDArray[np.float64]:
    """Return the sorted mean gains of sets of tasks, none of them empty."""
    import numpy as np  # noqa: PLC0415 - only the end of a run needs it

    table = np.array([(c.gain, c.pairs) for c in clusters], dtype=np.float64)
    sums = np.concatenate([chosen @ table for chosen in _sets(len(clusters))])
    sums = sums[sums[:, 1] > 0]
    return np.sort(sums[:, 0] / sums[:, 1])


def _sets(tasks: int) -> Iterator[NDArray[np.float64]]:
    """Yield sets of tasks in chunks, one set a row: all of them, or a sample that is the same everywhere."""
    import numpy as np  # noqa: PLC0415 - only the end of a run needs it

    if tasks <= MOST_EXACT:
        numbers = np.arange(1, 2**tasks)
        yield (numbers[:, None] >> np.arange(tasks) & 1).astype(np.float64)
        return
    chance = random.Random(f"sets of {tasks} tasks")
    for _ in range(_DRAWN_SETS // _CHUNK):
        size = _CHUNK // 8 * tasks
        drawn = chance.randint(0, 256**size - 1).to_bytes(size, "little")
        yield np.unpackbits(np.frombuffer(drawn, dtype=np.uint8)).reshape(_CHUNK, tasks).astype(np.float64)
