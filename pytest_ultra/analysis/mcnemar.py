"""McNemar's exact test, its correction over a family, and what it could have shown."""

from __future__ import annotations

ALPHA = 0.05
POWER = 0.8


def exact_p_value(won: int, lost: int) -> float:
    """Return the two-sided p-value of McNemar's exact test: of so uneven a split of the discordant pairs by chance.

    Source: Q. McNemar, Psychometrika 12 (1947); exact by the binomial distribution, F. Mosteller, Biometrics 8 (1952).
    """
    from scipy.special import bdtr  # noqa: PLC0415 - SciPy takes 0.2 s, and only the end of a run needs it

    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5)))
