"""Which failures the end of a run shows, and each in a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.reporting.failure_list import choose_different, describe, failure_lines
from tests.results_factory import make_case, make_episode

FAILED = make_episode(
    make_case(PromptType.FLAWED_LOGICAL_INCONSISTENCY, model="provider/some-model"),
    Outcome.FAILED,
    failure_class=FailureClass.MAX_TURNS,
    cause=FailureClass.WRONG_DELIVERABLE,
)


def test_one_of_each_kind_comes_before_a_second_one() -> None:
    words = ["apple", "avocado", "banana", "blueberry", "cherry"]
    assert choose_different(words, 3, lambda word: word[0]) == ["apple", "banana", "cherry"]
    assert choose_different(words, 4, lambda word: word[0]) == ["apple", "avocado", "banana", "cherry"]
    assert choose_different(words, 0, lambda word: word[0]) == []


@given(st.lists(st.integers(0, 4)), st.integers(0, 12))
def test_the_chosen_are_as_different_as_can_be_and_keep_their_order(kinds: list[int], most: int) -> None:
    items = list(enumerate(kinds))
    chosen = choose_different(items, most, lambda item: item[1])
    assert len(chosen) == min(most, len(items))
    assert chosen == sorted(chosen)
    assert len({kind for _, kind in chosen}) == min(most, len(set(kinds)))


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_a_line_names_the_case_and_its_cause_within_the_width(width: int) -> None:
    (line,) = failure_lines([describe(FAILED)], width)
    assert len(line) <= width
    assert line.startswith(FAILED.case_id[:8])
    assert "max_turns (wrong_deliverable)" in line
    assert ("simple_task 0" in line) == (width >= 120)


def test_no_failures_have_no_lines() -> None:
    assert failure_lines([], 80) == []
