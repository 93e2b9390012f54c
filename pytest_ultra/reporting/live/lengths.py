"""How many answers an episode will need, learnt from those that have ended and from those that have not.

The number of answers is looked at as a multiple of what was expected. Its distribution is the product-limit estimator
(Kaplan & Meier, "Nonparametric estimation from incomplete observations", JASA 53, 1958), since episodes under way are
observations that are cut off; a few imagined episodes speak where nothing has been observed yet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate

from pytest_ultra.benchmark.progress import Cohort

_IMAGINED = {0.6: 0.5, 0.8: 1.5, 0.9: 2.0, 1.0: 2.0, 1.1: 2.0, 1.25: 1.25, 1.5: 0.5, 1.75: 0.2, 2.0: 0.05}
_NEGLIGIBLE = 1e-3
_HALF = 0.5  # an answer less or more: answers are whole, and what lies between is rounded


class Lengths:
    """The distribution, as far as it is known."""

    def __init__(self, ended: Iterable[Cohort], ahead: Iterable[Cohort], most_answers: int) -> None:
        self._most_answers = most_answers
        self._ends: Counter[float] = Counter(_IMAGINED)
        self._seen: Counter[float] = Counter(_IMAGINED)
        for cohort in ended:
            ratio = cohort.answers / max(1, cohort.expected)
            self._ends[ratio] += cohort.episodes
            self._seen[ratio] += cohort.episodes
        for cohort in ahead:
            self._seen[(cohort.answers + _HALF) / max(1, cohort.expected)] += cohort.episodes
        self._known: dict[tuple[int, int], list[float]] = {}

    def ahead(self, expected: int, answers: int) -> list[float]:
        """Return the chances of 1, 2, 3 ... more answers for an episode that has had so many."""
        key = (expected, answers)
        if key not in self._known:
            self._known[key] = self._chances(*key)
        return self._known[key]

    def _chances(self, expected: int, answers: int) -> list[float]:
        alive = now = self._survival((answers + _HALF) / max(1, expected))
        chances: list[float] = []
        while now > 0 and alive / now > _NEGLIGIBLE and answers + len(chances) + 1 < self._most_answers:
            left = self._survival((answers + len(chances) + 1 + _HALF) / max(1, expected))
            chances.append((alive - left) / now)
            alive = left
        rest = 1 - sum(chances)
        return [*chances, rest] if rest > 0 else chances

    def _survival(self, ratio: float) -> float:
        ratios, survivals = self._curve
        return survivals[bisect_right(ratios, ratio)]

    @cached_property
    def _curve(self) -> tuple[list[float], list[float]]:
        """Return the multiples at which episodes end, and before each, and after the last, the share that goes on."""
        ratios = sorted(self._seen)
        at_risk = list(accumulate(self._seen[ratio] for ratio in reversed(ratios)))[::-1]
        steps = [1 - self._ends[ratio] / risk for ratio, risk in zip(ratios, at_risk, strict=True)]
        return ratios, [1.0, *(max(0.0, share) for share in accumulate(steps, lambda a, b: a * b))]
