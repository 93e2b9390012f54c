"""The 0/1 knapsack, solved exactly."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = 10**6  # amounts count in millionths, so that sums are exact and no machine rounds them differently

_MOST_STATES = 20_000

_State = tuple[int, int, int]  # cost; value, negated; chosen items, negated: the first item is the highest bit


class TooManyChoicesError(ValueError):
    """The best choice cannot be found in reasonable time."""


def fill(values: Sequence[float], costs: Sequence[float], budget: float) -> list[int]:
    """Return the indices of the items of the highest total value whose total cost is within the budget.

    Of equally valuable choices the cheapest is taken, then the one with the earliest items. Costs are not negative.
    Raises `TooManyChoicesError` when more than some ten thousand partial choices are worth keeping.
    """
    limit, n = _in_units(budget), len(values)
    frontier: list[_State] = [(0, 0, 0)]
    for index, (value, cost) in enumerate(zip(map(_in_units, values), map(_in_units, costs), strict=True)):
        if value >= 0 and cost <= limit:
            bit = 1 << (n - 1 - index)
            frontier += [(c + cost, v - value, chosen - bit) for c, v, chosen in frontier if c + cost <= limit]
            frontier = _undominated(frontier)
        if len(frontier) > _MOST_STATES:
            raise TooManyChoicesError(f"There are too many choices among {n} rows to find the best one.")
    chosen = -frontier[-1][2]
    return [index for index in range(n) if chosen >> (n - 1 - index) & 1]


def _undominated(states: list[_State]) -> list[_State]:
    """Drop the states that another one beats in cost and value; what is left grows in both."""
    kept: list[_State] = []
    for state in sorted(states):
        if not kept or state[1] < kept[-1][1]:
            kept.append(state)
    return kept


def _in_units(amount: float) -> int:
    return round(amount * _UNITS)
