"""McNemar's exact test, its correction over a family of tests, and what it could have shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

ALPHA = 0.05
POWER = 0.8
_PRECISION = 1e-10


def exact_p_value(won: int, lost: int) -> float:
    """Return the two-sided p-value of McNemar's exact test: of so uneven a split of the discordant pairs by chance.

    Source: Q. McNemar, Psychometrika 12 (1947); exact by the binomial distribution, F. Mosteller, Biometrics 8 (1952).
    """
    from scipy.special import bdtr  # noqa: PLC0415 - SciPy takes 0.2 s, and only the end of a run needs it

    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5)))


def correct(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values corrected for there being so many of them, so that one false alarm in all is unlikely.

    Holm's, since each of a few differences is read by itself, where a share of false ones (Benjamini-Hochberg) would
    be cold comfort; and since it holds however the tests depend on each other, as flaws do that share their controls.

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
    """Return the smallest difference that the exact test would find at 5 % four times out of five.

    `pairs` are independent ones, `discordant` the share of them that came out differently, or as much of them as a
    difference needs. None where not even a difference of 1 would be found, as with fewer than six pairs.
    """
    if find_power(pairs, 1.0, 1.0) < POWER:
        return None
    low, high = 0.0, 1.0
    while high - low > _PRECISION:
        middle = (low + high) / 2
        if find_power(pairs, middle, max(middle, discordant)) < POWER:
            low = middle
        else:
            high = middle
    return high


def find_power(pairs: int, difference: float, discordant: float) -> float:
    """Return the chance that McNemar's exact test finds a difference at 5 %, two-sided.

    `discordant` is the share of the pairs that come out differently, at least `difference`.

    Source: M. A. Schork and G. W. Williams, Number of observations required for the comparison of two correlated
    proportions, Communications in Statistics B 9 (1980): the exact test's power, averaged over how many pairs turn
    out discordant.
    """
    import numpy as np  # noqa: PLC0415 - only the end of a run needs it
    from scipy.special import bdtr  # noqa: PLC0415 - likewise

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
    """Return for 0 to `pairs` discordant pairs how many of the rarer kind are significant; -1 where none are."""
    found: list[int] = []
    critical = -1
    for discordant in range(pairs + 1):
        if exact_p_value(critical + 1, discordant - critical - 1) <= ALPHA and discordant > 2 * (critical + 1):
            critical += 1
        found.append(critical)
    return tuple(found)
