"""McNemar's test: its power, the difference that it detects, the pairs that it needs; and Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from pytest_ultra.analysis.score_interval import null_variance

if TYPE_CHECKING:  # 0.1 s, and only the end of a run needs it
    import numpy as np
    from numpy.typing import NDArray

ALPHA = 0.05
POWER = 0.8
_PRECISION = 1e-10
_z = NormalDist().inv_cdf


def adjust_holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values in the given order, corrected so that the family-wise error rate is controlled.

    Holm's method, because a few differences are each read on their own, so that limiting the share of false ones
    (Benjamini-Hochberg) is not enough; and because it holds under any dependence, and flaws share their controls.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
    (1979).
    """
    corrected = [0.0] * len(p_values)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = least
    return tuple(corrected)


@lru_cache(maxsize=256)
def detectable_difference(pairs: int, discordant: float, level: float = ALPHA) -> float | None:
    """Return the smallest difference, in (0, 1], that McNemar's test finds at `level` with a power of 80 %.

    `pairs` is the number of independent pairs, `discordant` the share of them that differ; the difference itself
    counts if it is larger. None if not even a difference of 1 would be found, as with fewer than four pairs at 5 %.
    """
    if power_of_test(pairs, 1.0, 1.0, level) < POWER:
        return None
    low, high = 0.0, 1.0
    while high - low > _PRECISION:
        middle = (low + high) / 2
        if power_of_test(pairs, middle, max(middle, discordant), level) < POWER:
            low = middle
        else:
            high = middle
    return high


def power_of_test(pairs: int, difference: float, discordant: float, level: float = ALPHA) -> float:
    """Return the power of McNemar's test, two-sided at `level`, in [0, 1].

    `pairs` is the number of independent pairs, `difference` the true difference, in (0, 1], and `discordant` the
    share of the pairs that differ, at least `difference`.

    Source: M. A. Schork and G. W. Williams, Number of observations required for the comparison of two correlated
    proportions, Communications in Statistics B 9 (1980): the test's power given the number of discordant pairs,
    averaged over that number.
    """
    import numpy as np  # noqa: PLC0415 - only the end of a run needs it

    k = np.arange(pairs + 1)
    rarer = np.floor((k - _z(1 - level / 2) * np.sqrt(k)) / 2).astype(np.int64)  # the most that are significant
    can_reject = (rarer >= 0) & (k > 0)
    if not can_reject.any():
        return 0.0
    chances = binomial(k, np.full_like(k, pairs), discordant)[can_reject]
    lost = (1 + difference / discordant) / 2
    k, rarer = k[can_reject], rarer[can_reject]
    return float(chances @ (_at_most(rarer, k, lost) + _at_most(rarer, k, 1 - lost)))


def binomial(k: NDArray[np.int64], n: NDArray[np.int64], chance: float) -> NDArray[np.float64]:
    """Return the probabilities of `k` successes in `n` trials, element by element, for 0 <= k <= n."""
    import numpy as np  # noqa: PLC0415 - only the end of a run needs it

    log_factorial = _log_factorials(int(n.max()))
    ways = log_factorial[n] - log_factorial[k] - log_factorial[n - k]
    return np.asarray(np.exp(ways + _log_power(chance, k) + _log_power(1 - chance, n - k)), dtype=np.float64)


def _at_most(c: NDArray[np.int64], k: NDArray[np.int64], chance: float) -> NDArray[np.float64]:
    """Return the probabilities of at most `c` successes in `k` trials, where k grows by 1 and c by 0 or 1.

    One more trial takes the chance of c successes and then one more away; a larger c adds its own probability.
    """
    import numpy as np  # noqa: PLC0415 - only the end of a run needs it

    exactly = binomial(c, k, chance)
    first = binomial(np.arange(c[0] + 1), np.full(c[0] + 1, k[0]), chance).sum()
    steps = np.where(np.diff(c) > 0, exactly[1:], 0.0) - chance * exactly[:-1]
    return np.asarray(first + np.concatenate(([0.0], np.cumsum(steps))), dtype=np.float64)


def _log_power(base: float, exponents: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logarithms of powers of a base in [0, 1]; 0 to the 0 is 1."""
    import numpy as np  # noqa: PLC0415 - only the end of a run needs it

    if base > 0:
        return np.asarray(exponents * math.log(base), dtype=np.float64)
    return np.where(exponents == 0, 0.0, -np.inf)


@lru_cache(maxsize=2)
def _log_factorials(most: int) -> NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415 - only the end of a run needs it

    return np.array([math.lgamma(n + 1) for n in range(most + 1)])


def pairs_needed(difference: float, discordant: float, *, limit: float = 0.0, level: float = ALPHA / 2) -> float | None:
    """Return the independent pairs with which the score test separates `difference` from `limit` with a power of 80 %.

    Both are true differences in [-1, 1], `discordant` is the share of the pairs that differ, and `level` is one-sided.
    None if they are the same, so that no number is enough.

    Source: R. J. Connor, Sample size for testing differences in proportions for the paired-sample design, Biometrics 43
    (1987); with a limit, the variance under it is that of Tango's statistic at the expected counts, as in J. Nam,
    Establishing equivalence of two treatments and sample size requirements in matched-pairs design, Biometrics 53
    (1997).
    """
    gap = abs(difference - limit)
    if gap < _PRECISION:
        return None
    discordant = max(discordant, abs(difference))
    under_limit = null_variance((discordant + difference) / 2, (discordant - difference) / 2, 1, limit)
    own = max(discordant - difference**2, 0.0)
    return ((_z(1 - level) * math.sqrt(under_limit) + _z(POWER) * math.sqrt(own)) / gap) ** 2
