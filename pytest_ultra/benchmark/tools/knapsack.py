"""An exact solver of the 0/1 knapsack problem."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

_UNITS = 10**6  # amounts are integers in millionths, so that sums are exact on every machine

_MAX_STATES = 20_000

_State = tuple[int, int, int]  # cost, negated value, negated bit set of chosen items (first item = highest bit)


class TooManyChoicesError(ValueError):
    """The best choice cannot be found in reasonable time; the message is shown to the agent."""


def solve_knapsack(values: Sequence[float], costs: Sequence[float], budget: float) -> list[int]:
    """Return the indices of the items with the highest total value whose total cost is within the budget.

    Ties go to the lowest cost, then to the earliest items. Costs must not be negative. Raises `TooManyChoicesError`
    if more than 20,000 partial choices are undominated.
    """
    chosen = _solve(tuple(values), tuple(costs), budget)
    if chosen is None:
        raise TooManyChoicesError(f"There are too many choices among {len(values)} rows to find the best one.")
    return list(chosen)


@lru_cache(maxsize=64)  # a long table takes seconds, and proof, run and score of an episode ask for the same choice
def _solve(values: tuple[float, ...], costs: tuple[float, ...], budget: float) -> tuple[int, ...] | None:
    """Return the chosen indices; None if there are too many partial choices."""
    limit, n = _in_units(budget), len(values)
    frontier: list[_State] = [(0, 0, 0)]
    for index, (value, cost) in enumerate(zip(map(_in_units, values), map(_in_units, costs), strict=True)):
        if value >= 0 and cost <= limit:
            bit = 1 << (n - 1 - index)
            frontier += [(c + cost, v - value, chosen - bit) for c, v, chosen in frontier if c + cost <= limit]
            frontier = _undominated(frontier)
        if len(frontier) > _MAX_STATES:
            return None
    chosen = -frontier[-1][2]
    return tuple(index for index in range(n) if chosen >> (n - 1 - index) & 1)


def _undominated(states: list[_State]) -> list[_State]:
    """Drop the states that another one beats in cost and value; the result ascends in both."""
    kept: list[_State] = []
    for state in sorted(states):
        if not kept or state[1] < kept[-1][1]:
            kept.append(state)
    return kept


def _in_units(amount: float) -> int:
    return round(amount * _UNITS)
