"""The computation tools, which compute with the numbers of a table."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from pytest_ultra.benchmark.tools.base import Effect, Tool
from pytest_ultra.benchmark.tools.inputs import (
    LARGEST_NUMBER,
    Number,
    add,
    get_numbers,
    get_rows,
    round_number,
    wrong_data,
)
from pytest_ultra.benchmark.tools.knapsack import TooManyChoicesError, solve_knapsack
from pytest_ultra.benchmark.tools.parameters import choice, handle, integer, number, parameters, text
from pytest_ultra.benchmark.world import World

_MIN_ROWS_FOR_TREND = 2


def calculate(world: World, arguments: dict[str, Any]) -> Effect:
    rows, right = get_rows(world, arguments), arguments["right"]
    lefts = get_numbers(rows, arguments["left_field"])
    rights = get_numbers(rows, right) if isinstance(right, str) else [right] * len(rows)
    compute, field = _OPERATORS[arguments["operator"]], arguments["result_field"]
    if compute is operator.truediv and 0 in rights:
        raise wrong_data(f"Row {rights.index(0) + 1} would be divided by zero.")
    results = map(compute, lefts, rights)
    return Effect(world, [{**row, field: round_number(result)} for row, result in zip(rows, results, strict=True)])


_OPERATORS: dict[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def analyze(world: World, arguments: dict[str, Any]) -> Effect:
    field = arguments["field"]
    numbers = sorted(get_numbers(get_rows(world, arguments), field))
    if not numbers:
        raise wrong_data("There are no rows to analyze.")
    n, total = len(numbers), add(numbers)
    mean = total / n
    figures = {
        "sum": total,
        "mean": mean,
        "median": (numbers[(n - 1) // 2] + numbers[n // 2]) / 2,
        "min": numbers[0],
        "max": numbers[-1],
        "stdev": math.sqrt(math.fsum((x - mean) * (x - mean) for x in numbers) / n),
    }
    return Effect(
        world, {"field": field, "count": n} | {name: round_number(figure) for name, figure in figures.items()}
    )


def predict(world: World, arguments: dict[str, Any]) -> Effect:
    field, numbers = arguments["field"], get_numbers(get_rows(world, arguments), arguments["field"])
    n = len(numbers)
    if n < _MIN_ROWS_FOR_TREND:
        raise wrong_data("A trend needs at least two rows.")
    centre, mean = (n + 1) / 2, add(numbers) / n
    covariance = math.fsum((x - centre) * (y - mean) for x, y in enumerate(numbers, start=1))
    slope = covariance / math.fsum((x - centre) ** 2 for x in range(1, n + 1))
    periods = range(n + 1, n + 1 + int(arguments["periods"]))
    return Effect(world, [{"period": x, field: round_number(mean + slope * (x - centre))} for x in periods])


def simulate(world: World, arguments: dict[str, Any]) -> Effect:
    field = arguments["field"]
    total, factor = add(get_numbers(get_rows(world, arguments), field)), 1 + arguments["rate_percent"] / 100
    rows = []
    for period in range(1, int(arguments["periods"]) + 1):
        total *= factor
        rows.append({"period": period, field: round_number(total)})
    return Effect(world, rows)


def optimize(world: World, arguments: dict[str, Any]) -> Effect:
    rows = get_rows(world, arguments)
    values = get_numbers(rows, arguments["value_field"])
    costs = get_numbers(rows, arguments["cost_field"])
    if min(costs, default=0) < 0:
        raise wrong_data("A cost is negative.")
    try:
        chosen = solve_knapsack(values, costs, arguments["budget"])
    except TooManyChoicesError as error:
        raise wrong_data(str(error)) from None
    return Effect(world, [rows[index] for index in chosen])


_FIELD = text("Field with the numbers.")

TOOLS = (
    Tool(
        "computation_calculator",
        "Compute a new field of every row from one field and another field or a number. Produces the table with the "
        "new field.",
        parameters(
            {
                "data": handle("the table to compute with"),
                "left_field": text("Field on the left of the operator."),
                "operator": choice("What to compute.", *_OPERATORS),
                "right": {
                    "type": ["string", "number"],
                    "minimum": -LARGEST_NUMBER,
                    "maximum": LARGEST_NUMBER,
                    "description": "Right of the operator: the name of a field, or a number.",
                },
                "result_field": text("Name of the new field."),
            }
        ),
        ("CALCULATOR_BUSY", "TRY_AGAIN_LATER"),
        calculate,
        weight=0.5,
    ),
    Tool(
        "computation_analyzer",
        "Describe the numbers of one field. Produces a record with count, sum, mean, median, min, max and (population) "
        "stdev.",
        parameters({"data": handle("the table to describe"), "field": _FIELD}),
        ("WORKER_BUSY", "TIMEOUT"),
        analyze,
    ),
    Tool(
        "computation_predictor",
        "Continue a field along its straight-line trend (least squares, row after row). Produces a table with the "
        "number of each coming period and the expected value.",
        parameters(
            {
                "data": handle("the table with one row a period, oldest first"),
                "field": _FIELD,
                "periods": integer("How many periods to look ahead.", 1, 60),
            }
        ),
        ("MODEL_WARMING_UP", "TIMEOUT", "TRY_AGAIN_LATER"),
        predict,
    ),
    Tool(
        "computation_simulator",
        "Let the total of a field grow by a fixed rate, compounded each period. Produces a table with the number of "
        "each period from 1 and the total after it.",
        parameters(
            {
                "data": handle("the table whose total grows"),
                "field": _FIELD,
                "rate_percent": number("Growth in a period, in percent; negative shrinks.", -100, 1000),
                "periods": integer("How many periods to simulate.", 1, 60),
            }
        ),
        ("SIMULATOR_BUSY", "TIMEOUT"),
        simulate,
    ),
    Tool(
        "computation_optimizer",
        "Choose the rows that together have the highest value at a cost within a budget. Produces a table of the "
        "chosen rows.",
        parameters(
            {
                "data": handle("the table to choose from"),
                "value_field": text("Field with what a row is worth."),
                "cost_field": text("Field with what a row costs."),
                "budget": number("The highest total cost.", 0, LARGEST_NUMBER),
            }
        ),
        ("SOLVER_BUSY", "TIMEOUT", "TRY_AGAIN_LATER"),
        optimize,
        weight=1.5,
    ),
)
