"""Tango's score test and interval for the difference of two paired proportions."""

from __future__ import annotations

import math

_STEPS = 60
"""Halvings of an interval of length 2 at most, which leaves less than the rounding error."""


def score_statistic(won: float, lost: float, pairs: float, difference: float) -> float:
    """Return the score statistic of the hypothesis that the true difference is `difference`, in [-1, 1].

    It is a standard normal deviate, negative if the observed difference (won - lost) / pairs is smaller. At 0 it is
    McNemar's: (won - lost) / sqrt(won + lost). The counts need not be whole: clustered pairs are divided by their
    design effect.

    Source: T. Tango, Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design, Statistics in Medicine 17 (1998), equations 5 and 6; divided counts as in J. N. K. Rao and A. J. Scott, A
    simple method for the analysis of clustered binary data, Biometrics 48 (1992).
    """
    excess = won - lost - pairs * difference
    variance = pairs * null_variance(won, lost, pairs, difference)
    if variance <= 0 or excess == 0:
        return math.copysign(math.inf, excess) if excess else 0.0
    return excess / math.sqrt(variance)


def null_variance(won: float, lost: float, pairs: float, difference: float) -> float:
    """Return the variance of one pair's gain under the hypothesis, with its most likely chances of winning and losing.

    Source: as for `score_statistic`.
    """
    b = (2 * pairs - won + lost) * difference - won - lost
    root = math.sqrt(max(b * b + 8 * pairs * lost * difference * (1 - difference), 0.0))
    chance_lost = max((root - b) / (4 * pairs), 0.0, -difference)
    return 2 * chance_lost + difference * (1 - difference)


def score_bound(won: float, lost: float, pairs: float, z: float) -> float:
    """Return the difference, in [-1, 1], at which the statistic is `z`: the lower end for z > 0, the upper for z < 0.

    Source: as for `score_statistic`, solved by bisection, because the statistic falls as the difference grows.
    """
    near, far = (won - lost) / pairs, -math.copysign(1.0, z)
    for _ in range(_STEPS):
        middle = (near + far) / 2
        if abs(score_statistic(won, lost, pairs, middle)) < abs(z):
            near = middle
        else:
            far = middle
    return (near + far) / 2
