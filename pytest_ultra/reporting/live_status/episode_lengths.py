"""How many answers an episode will need, learnt from those that have ended and from those that have not.

What is looked at is the deviation: how many answers more than expected, over the root of what was expected, since an
episode is a sum of steps. Its distribution is the product-limit estimator (Kaplan & Meier, "Nonparametric estimation
from incomplete observations", JASA 53, 1958), since episodes under way are observations that are cut off; a few
imagined episodes speak where nothing has been observed yet.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate

from pytest_ultra.core.progress import Cohort

_IMAGINED = {-0.6: 1.2, -0.4: 2.8, -0.15: 1.5, 0.0: 1.5, 0.3: 1.4, 0.6: 0.8, 0.9: 0.5, 1.2: 0.2, 1.8: 0.1}
"""By deviation: as spread as where each step is done until it succeeds, four times out of five."""
_LINGER = 0.6  # of deviation, beyond the longest that is known
_NEGLIGIBLE = 1e-3
_HALF = 0.5  # an answer less or more: answers are whole, and what lies between is rounded


class Lengths:
    """The distribution, as far as it is known."""

    def __init__(self, ended: Iterable[Cohort], ahead: Iterable[Cohort], most_answers: int) -> None:
        self._most_answers = most_answers
        self._ends: Counter[float] = Counter(_IMAGINED)
        self._seen: Counter[float] = Counter(_IMAGINED)
        for cohort in ended:
            at = _deviation(cohort.answers, cohort.expected)
            self._ends[at] += cohort.episodes
            self._seen[at] += cohort.episodes
        for cohort in ahead:
            self._seen[_deviation(cohort.answers + _HALF, cohort.expected)] += cohort.episodes
        self._known: dict[tuple[int, int], list[float]] = {}

    def ahead(self, expected: int, answers: int) -> list[float]:
        """Return the chances of 1, 2, 3 ... more answers for an episode that has had so many."""
        key = (expected, answers)
        if key not in self._known:
            self._known[key] = self._chances(*key)
        return self._known[key]

    def _chances(self, expected: int, answers: int) -> list[float]:
        alive = now = self._survival(_deviation(answers + _HALF, expected))
        chances: list[float] = []
        while now > 0 and alive / now > _NEGLIGIBLE and answers + len(chances) + 1 < self._most_answers:
            left = self._survival(_deviation(answers + len(chances) + 1 + _HALF, expected))
            chances.append((alive - left) / now)
            alive = left
        rest = 1 - sum(chances)
        return [*chances, rest] if rest > 0 else chances

    def _survival(self, deviation: float) -> float:
        """Return the share that goes on; beyond all that have ended, those that are left do so one after the other."""
        points, survivals = self._curve
        beyond = max(0.0, deviation - max(self._ends))
        return survivals[bisect_right(points, deviation)] * math.exp(-beyond / _LINGER)

    @cached_property
    def _curve(self) -> tuple[list[float], list[float]]:
        """Return the deviations at which episodes end, and before each, and after the last, the share that goes on."""
        points = sorted(self._seen)
        at_risk = list(accumulate(self._seen[point] for point in reversed(points)))[::-1]
        steps = [1 - self._ends[point] / risk for point, risk in zip(points, at_risk, strict=True)]
        return points, [1.0, *(max(0.0, share) for share in accumulate(steps, lambda a, b: a * b))]


def _deviation(answers: float, expected: int) -> float:
    return (answers - expected) / math.sqrt(max(1, expected))
