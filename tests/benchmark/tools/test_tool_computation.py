"""The results of the computation tools."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.tools.knapsack import solve_knapsack
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json

PEOPLE: list[dict[str, Any]] = [
    {"name": "Ada", "city": "Oslo", "age": 36, "pay": 10.5},
    {"name": "Bob", "city": "Rome", "age": 41, "pay": 20},
    {"name": "Cem", "city": "Oslo", "age": 29, "pay": 30},
]

COMPUTED: list[tuple[str, dict[str, Json], Json]] = [
    (
        "calculator",
        {"left_field": "age", "operator": "*", "right": "pay", "result_field": "z"},
        [row | {"z": z} for row, z in zip(PEOPLE, (378, 820, 870), strict=True)],
    ),
    (
        "calculator",
        {"left_field": "pay", "operator": "/", "right": 3, "result_field": "pay"},
        [row | {"pay": z} for row, z in zip(PEOPLE, (3.5, 6.666667, 10), strict=True)],
    ),
    (
        "calculator",
        {"left_field": "pay", "operator": "-", "right": "pay", "result_field": "z"},
        [row | {"z": 0} for row in PEOPLE],
    ),
    (
        "calculator",
        {"left_field": "pay", "operator": "+", "right": 0.25, "result_field": "z"},
        [row | {"z": row["pay"] + 0.25} for row in PEOPLE],
    ),
    (
        "analyzer",
        {"field": "pay"},
        {
            "field": "pay",
            "count": 3,
            "sum": 60.5,
            "mean": 20.166667,
            "median": 20,
            "min": 10.5,
            "max": 30,
            "stdev": 7.961714,
        },
    ),
    ("predictor", {"field": "pay", "periods": 2}, [{"period": 4, "pay": 39.666667}, {"period": 5, "pay": 49.416667}]),
    (
        "simulator",
        {"field": "pay", "rate_percent": 10, "periods": 2},
        [{"period": 1, "pay": 66.55}, {"period": 2, "pay": 73.205}],
    ),
    ("optimizer", {"value_field": "pay", "cost_field": "age", "budget": 70}, [PEOPLE[1], PEOPLE[2]]),
    ("optimizer", {"value_field": "pay", "cost_field": "age", "budget": 69.5}, [PEOPLE[0], PEOPLE[2]]),
    ("optimizer", {"value_field": "pay", "cost_field": "age", "budget": 0}, []),
]


@pytest.mark.parametrize(("tool", "arguments", "expected"), COMPUTED)
def test_computation_tools_compute_the_expected_result(tool: str, arguments: dict[str, Json], expected: Json) -> None:
    after, result = invoke(World(artefacts={"people": PEOPLE}), f"computation_{tool}", {"data": "people", **arguments})
    assert after.artefacts.get(result.handle or "") == expected, result.message


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=7), st.integers(0, 30))
def test_the_knapsack_is_solved_exactly_and_ties_are_broken_by_rule(items: list[tuple[int, int]], budget: int) -> None:
    values, costs = [value for value, _ in items], [cost for _, cost in items]
    choices = [chosen for chosen in itertools.product((1, 0), repeat=len(items)) if _total(costs, chosen) <= budget]
    best = max(choices, key=lambda chosen: (_total(values, chosen), -_total(costs, chosen), chosen))
    assert solve_knapsack(values, costs, budget) == [index for index, is_chosen in enumerate(best) if is_chosen]


def _total(amounts: list[int], chosen: tuple[int, ...]) -> int:
    return sum(itertools.compress(amounts, chosen))


def test_a_linear_trend_is_continued_exactly() -> None:
    world = World(artefacts={"data_1": [{"n": 3 + 2.5 * period} for period in range(1, 6)]})
    after, _ = invoke(world, "computation_predictor", {"data": "data_1", "field": "n", "periods": 1})
    assert after.artefacts["data_2"] == [{"period": 6, "n": 18}]
