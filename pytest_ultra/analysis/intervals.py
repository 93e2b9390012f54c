"""Confidence intervals of success rates."""

from __future__ import annotations

import math

from pytest_ultra.core.figures import Rate

Z_95 = 1.959963984540054


def measure_rate(successes: int, n: int) -> Rate | None:
    """Return the rate, in [0, 1], with its 95 % Wilson score interval; None if n is 0.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927), in the form of equation (4) of Brown, Cai and
    DasGupta, Interval estimation for a binomial proportion, Statistical Science 16 (2001).
    """
    if n == 0:
        return None
    share = successes / n
    centre = (successes + Z_95**2 / 2) / (n + Z_95**2)
    half = Z_95 * math.sqrt(n) / (n + Z_95**2) * math.sqrt(share * (1 - share) + Z_95**2 / (4 * n))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Rate(successes, n, low, high)
