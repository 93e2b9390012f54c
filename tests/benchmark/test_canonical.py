"""One canonical text for all spellings of a value, and different texts for different values."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_ultra.benchmark.canonical import canonical
from pytest_ultra.benchmark.tables import write_csv, write_json
from pytest_ultra.core.json_types import Json, Row

CELLS = st.integers(-999, 999) | st.booleans() | st.sampled_from(["x", "y z", "a,b", 'q"', "é"])
TABLES = st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}), min_size=1, max_size=6)
VALUES = st.recursive(
    st.none() | CELLS | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=3), parts, max_size=4),
    max_leaves=12,
)


def shuffled(value: Json, rng: random.Random) -> Json:
    if isinstance(value, list):
        return rng.sample([shuffled(item, rng) for item in value], len(value))
    if isinstance(value, dict):
        return {key: shuffled(value[key], rng) for key in rng.sample(list(value), len(value))}
    return value


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_keys_and_items_is_ignored(value: Json, rng: random.Random) -> None:
    assert canonical(shuffled(value, rng)) == canonical(value)


@given(TABLES, st.randoms(use_true_random=False))
def test_the_spelling_of_a_table_is_ignored(rows: list[Row], rng: random.Random) -> None:
    spellings = [rows, write_csv(rows), write_json(rows), json.dumps(rows, indent=2), write_csv(shuffled(rows, rng))]
    assert len({canonical(spelling) for spelling in spellings}) == 1


@given(TABLES, st.data())
def test_a_changed_cell_changes_the_text(rows: list[Row], data: st.DataObject) -> None:
    index, field = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.sampled_from("ab"))
    cell = data.draw(CELLS | st.none())
    assume(type(cell) is not type(rows[index][field]) or cell != rows[index][field])
    changed = [row | {field: cell} if number == index else row for number, row in enumerate(rows)]
    assert canonical(changed) != canonical(rows)
    assert canonical(write_csv(changed)) != canonical(rows)
    assert canonical(changed, is_ordered=True) != canonical(rows, is_ordered=True)


@given(TABLES)
def test_a_lost_or_repeated_row_changes_the_text(rows: list[Row]) -> None:
    assert len({canonical(rows), canonical(rows[1:]), canonical([rows[0], *rows])}) == 3


@given(st.lists(st.integers(-9, 9), max_size=5), st.lists(st.integers(-9, 9), max_size=5))
def test_ordered_lists_are_equal_only_item_by_item(left: list[int], right: list[int]) -> None:
    assert (canonical(left, is_ordered=True) == canonical(right, is_ordered=True)) == (left == right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (1, "1"),
        ("1.0", "1e0"),
        (0, -0.0),
        (0, "-0"),
        (10**10, 1e10),
        (10**9, 1e9),
        (-(10**9), -1e9),
        (1234567890, 1234567890.0000002),
        (1234567890123, "1234567890123"),
        ("-0", "0.0"),
        (1.000000001, 1),  # nine digits
        (1234.567890, 1234.5678900001),
        (0.1 + 0.2, 0.3),
        (123456789012, "123456789012.4"),
        (True, "true"),
        (None, ""),
        ({"a": 1, "b": None}, {"a": 1}),
        ((1, 2), [2, 1]),
        ("a,b\n1,2\n3,4\n", "b,a\r\n4,3\r\n2.0,1\r\n"),
        ('a,b\n1,"2"', [{"a": 1, "b": 2}]),
        (' {"a": [1, 2]}', {"a": [2, 1]}),
        ({"payload": "[1]"}, {"payload": [1]}),
    ],
)
def test_spellings_of_the_same_value_are_equal(left: Json, right: Json) -> None:
    assert canonical(left) == canonical(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (0, None),
        (1, 1.00000001),
        (12345678.9, 12345678.8),
        (999999999, 999999998),
        (1234567890, 1234567891),  # whole numbers count with all their digits
        ("1234567890", "1234567891"),
        (10**9 + 0.4, 10**9),
        (10**18, 10**18 + 1),
        (10**400, 10**401),
        ("007", 7),
        ("9" * 400, "8" * 400),
        ("x", "X"),
        ([], {}),
        ([], None),
        ([[1], [2]], [[1, 2]]),
        ("a\nb", "b\na"),
        ("Dear Ann,", "Dear Bob,"),
        ("a,b\n1,2,3\n4,5", "a,b\n4,5\n1,2,3"),
        ("[1, 2", "[2, 1"),
        ("a\n1\n2", "a\n2\n1"),
    ],
)
def test_different_values_are_different(left: Any, right: Any) -> None:
    assert canonical(left) != canonical(right)


def test_order_counts_in_text_too_if_requested() -> None:
    assert canonical("a,b\n1,2\n3,4", is_ordered=True) != canonical("a,b\n3,4\n1,2", is_ordered=True)
    assert canonical("[1, 2]", is_ordered=True) != canonical("[2, 1]", is_ordered=True)


def test_text_nested_too_deeply_stays_text() -> None:
    text = "[" * 10**5 + "]" * 10**5
    assert canonical(text) == json.dumps(text)
