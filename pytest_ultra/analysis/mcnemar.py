"""McNemar's exact test, its correction over a family of tests, its power and its detectable difference."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

ALPHA = 0.05
POWER = 0.8
_PRECISION = 1e-10


def exact_p_value(won: int, lost: int) -> float:
    """Return the two-sided p-value of McNemar's exact test, for `won` and `lost` discordant pairs.

    Source: Q. McNemar, Psychometrika 12 (1947); exact by the binomial distribution, F. Mosteller, Biometrics 8 (1952).
    """
    from scipy.special import bdtr  # noqa: PLC0415 - SciPy takes 0.2 s, and only the end of a run needs it

    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5)))


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
def detectable_difference(pairs: int, discordant: float) -> float | None:
    """Return the smallest difference, in (0, 1], that the exact test finds at the 5 % level with a power of 80 %.

    `pairs` is the number of independent pairs, `discordant` the share of them that differ; the difference itself
    counts if it is larger. None if not even a difference of 1 would be found, as with fewer than six pairs.
    """
    if exact_test_power(pairs, 1.0, 1.0) < POWER:
        return None
    low, high = 0.0, 1.0
    while high - low > _PRECISION:
        middle = (low + high) / 2
        if exact_test_power(pairs, middle, max(middle, discordant)) < POWER:
            low = middle
        else:
            high = middle
    return high


def exact_test_power(pairs: int, difference: float, discordant: float) -> float:
    """Return the power of McNemar's exact test, two-sided at the 5 % level, in [0, 1].

    `pairs` is the number of independent pairs, `difference` the true difference, in (0, 1], and `discordant` the
    share of the pairs that differ, at least `difference`.

    Source: M. A. Schork and G. W. Williams, Number of observations required for the comparison of two correlated
    proportions, Communications in Statistics B 9 (1980): the exact test's power, averaged over the number of
    discordant pairs.
    """
    import numpy as np  # noqa: PLC0415 - only the end of a run needs it
    from scipy.special import bdtr  # noqa: PLC0415 - same reason

    criticals = np.array(_find_criticals(pairs))
    k = np.arange(pairs + 1)
    is_chance = bdtr(k, pairs, discordant)
    chances = np.diff(is_chance, prepend=0.0)
    lost = (1 + difference / discordant) / 2
    can_reject = criticals >= 0
    c, k = criticals[can_reject], k[can_reject]
    rejects = bdtr(c, k, lost) + bdtr(c, k, 1 - lost)
    return float(chances[can_reject] @ rejects)


@lru_cache(maxsize=64)
def _find_criticals(pairs: int) -> tuple[int, ...]:
    """Return, for 0 to `pairs` discordant pairs, the largest significant count of the rarer kind; -1 if none is."""
    found: list[int] = []
    critical = -1
    for discordant in range(pairs + 1):
        if exact_p_value(critical + 1, discordant - critical - 1) <= ALPHA and discordant > 2 * (critical + 1):
            critical += 1
        found.append(critical)
    return tuple(found)
