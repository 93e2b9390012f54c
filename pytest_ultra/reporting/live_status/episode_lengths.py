"""How many more answers an episode will need, estimated from finished and unfinished episodes.

The unit is the deviation: answers above the expected number, divided by the root of the expected number, since an
episode is a sum of steps. Its distribution is the product-limit estimator (Kaplan & Meier, "Nonparametric estimation
from incomplete observations", JASA 53, 1958), with unfinished episodes as censored observations. A few prior episodes
stand in where nothing has been observed yet.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate

from pytest_ultra.core.progress import Cohort

_PRIOR = {-0.6: 1.2, -0.4: 2.8, -0.15: 1.5, 0.0: 1.5, 0.3: 1.4, 0.6: 0.8, 0.9: 0.5, 1.2: 0.2, 1.8: 0.1}
"""Prior episodes by deviation: as variable as when each step is repeated until it succeeds, with a chance of 0.8."""
_TAIL_SCALE = 0.6  # of the exponential tail beyond the largest known deviation
_NEGLIGIBLE = 1e-3
_HALF = 0.5  # of an answer: answers are whole numbers, deviations are not


class EpisodeLengths:
    """The distribution of episode lengths, as far as it is known."""

    def __init__(self, ended: Iterable[Cohort], unfinished: Iterable[Cohort], most_answers: int) -> None:
        self._most_answers = most_answers
        self._ends: Counter[float] = Counter(_PRIOR)
        self._seen: Counter[float] = Counter(_PRIOR)
        for cohort in ended:
            at = _deviation(cohort.answers, cohort.expected)
            self._ends[at] += cohort.episodes
            self._seen[at] += cohort.episodes
        for cohort in unfinished:
            self._seen[_deviation(cohort.answers + _HALF, cohort.expected)] += cohort.episodes
        self._cache: dict[tuple[int, int], list[float]] = {}

    def remaining_answers(self, expected: int, answers: int) -> list[float]:
        """Return the chances of 1, 2, 3 ... more answers for an episode that has had `answers`."""
        key = (expected, answers)
        if key not in self._cache:
            self._cache[key] = self._chances(*key)
        return self._cache[key]

    def _chances(self, expected: int, answers: int) -> list[float]:
        surviving = now = self._survival(_deviation(answers + _HALF, expected))
        chances: list[float] = []
        while now > 0 and surviving / now > _NEGLIGIBLE and answers + len(chances) + 1 < self._most_answers:
            left = self._survival(_deviation(answers + len(chances) + 1 + _HALF, expected))
            chances.append((surviving - left) / now)
            surviving = left
        rest = 1 - sum(chances)
        return [*chances, rest] if rest > 0 else chances

    def _survival(self, deviation: float) -> float:
        """Return the share of episodes that continue; beyond all that have ended, it decays exponentially."""
        points, survivals = self._curve
        beyond = max(0.0, deviation - max(self._ends))
        return survivals[bisect_right(points, deviation)] * math.exp(-beyond / _TAIL_SCALE)

    @cached_property
    def _curve(self) -> tuple[list[float], list[float]]:
        """Return the deviations at which episodes end, and the share that continues before each and after the last."""
        points = sorted(self._seen)
        at_risk = list(accumulate(self._seen[point] for point in reversed(points)))[::-1]
        steps = [1 - self._ends[point] / risk for point, risk in zip(points, at_risk, strict=True)]
        return points, [1.0, *(max(0.0, share) for share in accumulate(steps, lambda a, b: a * b))]


def _deviation(answers: float, expected: int) -> float:
    return (answers - expected) / math.sqrt(max(1, expected))
