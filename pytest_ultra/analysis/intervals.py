"""Confidence intervals of success rates."""

from __future__ import annotations

import math

from pytest_ultra.core.figures import Rate

Z_95 = 1.959963984540054


def measure_rate(successes: int, n: int) -> Rate | None:
    """Return the rate, in [0, 1], with its 95 % Wilson score interval; None if n is 0."""
    return Rate(successes, n, *wilson_interval(successes, n, Z_95)) if n else None


def wilson_interval(successes: float, n: float, z: float) -> tuple[float, float]:
    """Return the score interval of a rate, in [0, 1], for `n` > 0 independent cases and a normal quantile `z`.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927), in the form of equation (4) of Brown, Cai and
    DasGupta, Interval estimation for a binomial proportion, Statistical Science 16 (2001).
    """
    share = successes / n
    centre = (successes + z**2 / 2) / (n + z**2)
    half = z * math.sqrt(n) / (n + z**2) * math.sqrt(max(share * (1 - share), 0.0) + z**2 / (4 * n))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return low, high
