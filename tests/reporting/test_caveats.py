"""Caveats in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType
from pytest_ultra.core.figures import Counts, Repeats, Row
from pytest_ultra.core.paired_evidence import Caveat, PairedDifference
from pytest_ultra.reporting.caveats import caveat_lines

MISUSE, DRIFT = PromptType.FLAWED_TOOL_MISUSE, PromptType.FLAWED_SEMANTIC_DRIFT


def make_row(prompt_type: PromptType = MISUSE, unpaired: int = 0, **fields: Any) -> Row:
    values: dict[str, Any] = {"pairs": 20, "won": 1, "lost": 4, "tasks": 20, "low": -0.4, "high": 0.1}
    difference = PairedDifference(**(values | {"detectable": 0.372} | fields))
    return Row("m", prompt_type, None, None, Counts(20), None, difference, None, None, None, unpaired=unpaired)


def test_the_smallest_detectable_difference_is_printed() -> None:
    assert list(caveat_lines([make_row(), make_row(DRIFT)])) == ["detectable with 80% power: 37 points"]
    assert list(caveat_lines([make_row(), make_row(detectable=0.5)])) == [
        "detectable with 80% power: 37 to 50 points (by row)"
    ]


def test_too_few_tasks_are_reported() -> None:
    few = make_row(tasks=5, pairs=5, detectable=None, caveats=(Caveat.FEW_TASKS,))
    assert list(caveat_lines([few])) == [
        "vs optimal is based on 5 tasks per row: too few to distinguish an effect from chance"
    ]
    assert next(iter(caveat_lines([few, make_row()]))) == (
        "vs optimal is based on 5 tasks per row in 1 of 2 rows: too few to distinguish an effect from chance"
    )


def test_many_pairs_without_a_detectable_difference_count_as_too_few_tasks() -> None:
    uneven = make_row(tasks=7, pairs=90, detectable=None)
    assert list(caveat_lines([uneven])) == [
        "vs optimal is based on 7 tasks per row: too few to distinguish an effect from chance"
    ]


def test_rows_with_different_numbers_of_tasks_are_reported_as_a_range() -> None:
    rows = [make_row(tasks=n, pairs=n, detectable=None, caveats=(Caveat.FEW_TASKS,)) for n in (5, 2, 4)]
    assert (
        next(caveat_lines(rows))
        == "vs optimal is based on 2 to 5 tasks per row: too few to distinguish an effect from chance"
    )


def test_a_single_task_gives_no_interval() -> None:
    one = make_row(tasks=1, pairs=1, low=None, high=None, detectable=None, caveats=(Caveat.FEW_TASKS,))
    assert list(caveat_lines([one])) == [
        "vs optimal is based on 1 task per row: too few to distinguish an effect from chance",
        "a single task gives no interval for vs optimal",
    ]


@pytest.mark.parametrize(
    ("unpaired", "line"),
    [
        (1, "1 scored case has no scored control and is left out of vs optimal"),
        (3, "3 scored cases have no scored control and are left out of vs optimal"),
    ],
)
def test_cases_without_a_control_are_reported(unpaired: int, line: str) -> None:
    without = msgspec.structs.replace(make_row(unpaired=unpaired), difference=None)
    assert list(caveat_lines([without])) == [line]


def test_rows_in_which_no_pair_differs_are_reported() -> None:
    alike = make_row(caveats=(Caveat.NO_DISCORDANT_PAIRS,))
    other = make_row(DRIFT)
    words = "no pair differs {}: the intervals show which differences are still possible"
    assert list(caveat_lines([alike, other]))[-1] == words.format("in flawed_tool_misuse")
    assert list(caveat_lines([alike, alike]))[-1] == words.format("in any row")
    few = make_row(tasks=1, detectable=None, caveats=(Caveat.FEW_TASKS, Caveat.NO_DISCORDANT_PAIRS))
    assert not any("no pair differs" in line for line in caveat_lines([few])), "its interval is left out"
    many = [make_row(flaw, caveats=(Caveat.NO_DISCORDANT_PAIRS,)) for flaw in FLAWED_PROMPT_TYPES[:4]]
    assert list(caveat_lines([*many, other]))[-1] == words.format("in 4 of 5 rows")
    assert list(caveat_lines([alike, make_row()]))[-1] == words.format("in 1 of 2 rows"), (
        "the prompt type does not identify the row"
    )


def test_what_more_tasks_would_detect_is_printed_with_its_cost() -> None:
    rows = [make_row(tasks_needed=120), make_row(DRIFT, tasks_needed=240, effective_pairs=20.0)]
    assert list(caveat_lines(rows))[-1] == "240 tasks per row, not 20, would detect 15 points"
    priced = [msgspec.structs.replace(row, mean_cost=0.01) for row in rows]
    assert list(caveat_lines(priced))[-1] == "240 tasks per row, not 20, would detect 15 points, for about $4.80"


def test_where_15_points_are_detectable_no_more_tasks_are_proposed() -> None:
    assert list(caveat_lines([make_row(detectable=0.15, tasks_needed=20)])) == ["detectable with 80% power: 15 points"]


def test_the_interval_of_success_over_repeats_has_a_caveat() -> None:
    repeated = msgspec.structs.replace(make_row(), repeats=(Repeats(1, 0.5, 0.5, 10),))
    assert list(caveat_lines([make_row(), repeated]))[-1] == (
        "tasks are repeated: the interval of success holds for these tasks, not for others like them"
    )


def test_without_differences_there_are_no_caveats() -> None:
    assert list(caveat_lines([])) == []
    assert list(caveat_lines([msgspec.structs.replace(make_row(), difference=None)])) == []
