"""What differences do not say is said in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType
from pytest_ultra.core.figures import Caveat, Counts, PairedDifference, Repeats, Row
from pytest_ultra.reporting.caveats import caveat_lines

MISUSE, DRIFT = PromptType.FLAWED_TOOL_MISUSE, PromptType.FLAWED_SEMANTIC_DRIFT


def make_row(prompt_type: PromptType = MISUSE, unpaired: int = 0, **fields: Any) -> Row:
    values: dict[str, Any] = {"pairs": 20, "won": 1, "lost": 4, "tasks": 20, "low": -0.4, "high": 0.1}
    difference = PairedDifference(**(values | {"detectable": 0.372} | fields))
    return Row("m", prompt_type, None, None, Counts(20), None, difference, None, None, None, unpaired=unpaired)


def test_the_smallest_difference_that_would_have_shown_is_told() -> None:
    assert list(caveat_lines([make_row(), make_row(DRIFT)])) == [
        "so many pairs would show a difference of at least 37 points four times out of five"
    ]
    assert list(caveat_lines([make_row(), make_row(detectable=0.5)])) == [
        "so many pairs would show a difference of at least 37 to 50 points (by row) four times out of five"
    ]


def test_too_few_tasks_are_told() -> None:
    few = make_row(tasks=5, pairs=5, detectable=None, caveats=(Caveat.FEW_TASKS,))
    assert list(caveat_lines([few])) == ["vs optimal rests on 5 tasks a row: too few to tell an effect from chance"]
    assert next(iter(caveat_lines([few, make_row()]))) == (
        "vs optimal rests on 5 tasks a row in 1 of 2 rows: too few to tell an effect from chance"
    )


def test_many_tasks_whose_pairs_say_next_to_nothing_are_few_as_well() -> None:
    uneven = make_row(tasks=7, pairs=90, detectable=None)
    assert list(caveat_lines([uneven])) == ["vs optimal rests on 7 tasks a row: too few to tell an effect from chance"]


def test_rows_of_unlike_numbers_of_tasks_are_told_by_their_range() -> None:
    rows = [make_row(tasks=n, pairs=n, detectable=None, caveats=(Caveat.FEW_TASKS,)) for n in (5, 2, 4)]
    assert next(caveat_lines(rows)) == "vs optimal rests on 2 to 5 tasks a row: too few to tell an effect from chance"


def test_a_single_task_allows_no_interval() -> None:
    one = make_row(tasks=1, pairs=1, low=None, high=None, detectable=None, caveats=(Caveat.FEW_TASKS,))
    assert list(caveat_lines([one])) == [
        "vs optimal rests on 1 task a row: too few to tell an effect from chance",
        "a single task allows no interval of vs optimal",
    ]


@pytest.mark.parametrize(("unpaired", "words"), [(1, "1 scored case has"), (3, "3 scored cases have")])
def test_cases_without_a_control_are_told(unpaired: int, words: str) -> None:
    without = msgspec.structs.replace(make_row(unpaired=unpaired), difference=None)
    assert list(caveat_lines([without])) == [f"{words} no scored control, and so no part in vs optimal"]


def test_rows_whose_pairs_all_came_out_alike_are_told() -> None:
    alike = make_row(caveats=(Caveat.NO_DISCORDANT_PAIRS,))
    other = make_row(DRIFT)
    words = "no pair came out differently {}: the intervals say what may still be so"
    assert list(caveat_lines([alike, other]))[-1] == words.format("in flawed_tool_misuse")
    assert list(caveat_lines([alike, alike]))[-1] == words.format("in any row")
    many = [make_row(flaw, caveats=(Caveat.NO_DISCORDANT_PAIRS,)) for flaw in FLAWED_PROMPT_TYPES[:4]]
    assert list(caveat_lines([*many, other]))[-1] == words.format("in 4 of 5 rows")
    assert list(caveat_lines([alike, make_row()]))[-1] == words.format("in 1 of 2 rows"), "which one, is not clear"


def test_p_values_of_clustered_pairs_are_put_in_their_place() -> None:
    assert list(caveat_lines([make_row(caveats=(Caveat.CLUSTERED,))]))[-1] == (
        "p takes the several pairs of a task for independent: where it and the interval part, go by the interval"
    )


def test_the_interval_of_success_over_repeats_is_put_in_its_place() -> None:
    repeated = msgspec.structs.replace(make_row(), repeats=(Repeats(1, 0.5, 0.5, 10),))
    assert list(caveat_lines([make_row(), repeated]))[-1] == (
        "where tasks are repeated, the interval of success is about these tasks, not about others like them"
    )


def test_without_differences_there_is_nothing_to_say() -> None:
    assert list(caveat_lines([])) == []
    assert list(caveat_lines([msgspec.structs.replace(make_row(), difference=None)])) == []
