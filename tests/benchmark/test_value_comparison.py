"""Values are compared as a person would compare them, and wrong values stay wrong."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.number_match import count_decimals, is_same_number
from pytest_ultra.benchmark.tables import write_csv, write_json
from pytest_ultra.benchmark.value_comparison import ValueComparison
from pytest_ultra.core.json_types import Json

WORDS = "The sizes are in MB, the fees in EUR."
MEANS = [{"team": "a", "mean": 3.14159}, {"team": "b", "mean": 2.71828}]


@pytest.mark.parametrize(
    ("wanted", "given", "precision", "is_single", "expected"),
    [
        (20008, 20008.0, None, True, True),
        (20008, 20007, None, True, False),
        (20008, 20008.4, None, True, False),
        (10001, 10002, None, False, False),
        (1234567890, 1234567891, None, True, False),
        (1234567890, 1234567890.0000002, None, True, True),  # what a sum of many fractions leaves
        (0.1 + 0.2, 0.3, None, False, True),
        (3.14159, 3.14, None, False, True),
        (3.14159, 3.142, None, False, True),
        (3.14159, 3.141, None, False, False),  # truncated, not rounded
        (3.14159, 3.1, None, False, False),
        (3.496, 3.5, None, False, True),  # 3.50
        (2.345, 2.34, None, False, True),  # a tie goes either way
        (2.345, 2.35, None, False, True),
        (12345.678, 12345.7, None, False, True),  # fewer decimals, and still within 1e-4
        (12345.678, 12346, None, False, True),
        (12345.678, 12347, None, False, False),  # a neighbour in a table
        (12345.678, 12346.5, None, True, True),  # a single computed value may differ by a relative 1e-4
        (12345.678, 12347.5, None, True, False),
        (1234.56, 1234.50, None, True, False),  # a price: exact
        (1234.56, 1234.6, None, True, True),
        (0.004, 0, None, True, False),
        (-0.004, 0.0, None, False, False),
        (-3.14159, -3.14, None, False, True),
        (-3.14159, 3.14, None, False, False),
        (3.14159, 3.14, 2, False, True),
        (3.14, 3.14159, 2, False, True),
        (3.14159, 3.1416, 2, False, True),
        (3.14159, 3.147, 2, False, False),
        (3.14159, 3.1, 1, False, True),
        (20008.4, 20008, 0, True, True),
        (20008.4, 20009, 0, True, False),
        (20008, 20008.4, 0, True, True),
        (123456.345, 123456.34, 2, False, True),  # a tie, whose gap is a little more than half a unit in memory
    ],
)
def test_a_number_is_the_same_if_it_is_rounded_no_further_than_it_may_be(
    wanted: float, given: float, precision: int | None, *, is_single: bool, expected: bool
) -> None:
    assert is_same_number(wanted, given, precision=precision, is_single=is_single) is expected


def test_written_decimals_count_where_they_are_known() -> None:
    assert count_decimals(2.50) == 1
    assert is_same_number(12345.04, 12345.0, decimals=0)
    assert not is_same_number(12345.4, 12345.0, decimals=3)
    assert [count_decimals(value) for value in (1e20, 1e-7, 0.0, -1.25)] == [0, 7, 0, 2]


@given(st.floats(0.01, 1e6), st.integers(2, 5))
def test_every_correct_rounding_to_two_decimals_or_more_is_right_and_a_unit_beside_it_is_not(
    value: float, decimals: int
) -> None:
    rounded = round(value, decimals)
    assert is_same_number(value, rounded) or rounded == 0
    beside = round(rounded + 2 * 10.0**-decimals, decimals)
    is_written_so = count_decimals(beside) == decimals and beside - value > 1e-8 * value and not value.is_integer()
    assert not is_same_number(value, beside) or not is_written_so


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (MEANS, [{"mean": 2.72, "team": "b"}, {"team": "a", "mean": 3.14}]),
        (MEANS, "team,mean\nb,2.718\na,3.142\n"),
        (MEANS, '[{"team": "b", "mean": "2.72"}, {"team": "a", "mean": 3.14, "note": null}]'),
        ([1.111, 2.222, 3.333], [3.33, 1.11, 2.22]),
        ([[1.005, 5], [1.006, 3]], [[1.01, 3], [1.0, 5]]),
        ({"size": 20008}, {"size": "20,008 MB"}),
        ({"fee": 12.5}, {"fee": "€12.50"}),
        ([{"n": 1, "x": 1.001}, {"n": 2, "x": 1.002}], [{"n": 2, "x": 1.0}, {"n": 1, "x": 1.0}]),
        ({"inner": {"mean": 3.14159}}, {"inner": {"mean": 3.14}}),
        ({"rows": "a,b\n1,2.005\n3,4\n"}, {"rows": [{"a": 3, "b": 4}, {"a": 1, "b": 2.01}]}),
        (True, "true"),
        (None, ""),
    ],
)
def test_spelling_and_rounding_are_ignored_everywhere_in_a_value(wanted: Json, given: Json) -> None:
    assert ValueComparison(words=WORDS).is_same(wanted, given)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (MEANS, [{"team": "a", "mean": 2.72}, {"team": "b", "mean": 3.14}]),
        (MEANS, MEANS[:1]),
        (MEANS, [*MEANS, MEANS[0]]),
        (MEANS, [{"team": "a", "mean": 3.14159, "n": 3}, MEANS[1]]),
        (MEANS, [{"team": "a"}, MEANS[1]]),
        (MEANS, [{"team": "A", "mean": 3.14}, MEANS[1]]),
        ([1.111, 1.112], [1.11, 1.13]),
        ([{"id": 10001, "x": 0.5}], [{"id": 10002, "x": 0.5}]),
        ({"size": 20008}, {"size": "20,008 GB"}),
        ({"size": 20008}, {"size": "20,008 and more"}),
        ({"fee": 12.5}, {"fee": "$12.50"}),
        ({"code": "007"}, {"code": 7}),
        ({"code": 7}, {"code": "007"}),
        ({"flag": True}, {"flag": 1}),
        ({"flag": 1}, {"flag": True}),
        ({"text": "3.14159"}, {"text": "x"}),
        ([[1.005], [2]], [[1.005, 2]]),
        ({"a": 1.005}, [1.005]),
        ([1.005], {"a": 1.005}),
        ([1.005], 1.005),
        ({"a": [1.005]}, {"a": None}),
        (10**400, 10**401),
        (float("inf"), 1e308),
    ],
)
def test_other_values_stay_other_values(wanted: Json, given: Json) -> None:
    assert not ValueComparison(words=WORDS).is_same(wanted, given)


def test_order_counts_where_it_was_asked_for_also_between_rounded_numbers() -> None:
    backwards = [{"team": "b", "mean": 2.72}, {"team": "a", "mean": 3.14}]
    assert not ValueComparison(is_ordered=True).is_same(MEANS, backwards)
    assert ValueComparison(is_ordered=True).is_same(MEANS, backwards[::-1])


def test_the_precision_holds_for_every_number_of_a_table() -> None:
    rounded = [{"team": "a", "mean": 3.1}, {"team": "b", "mean": 2.7}]
    assert ValueComparison(precision=1).is_same(MEANS, rounded)
    assert not ValueComparison().is_same(MEANS, rounded)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 99)), min_size=1, max_size=8), st.randoms())
def test_rows_are_matched_in_any_order_however_they_are_rounded(pairs: Any, rng: random.Random) -> None:
    rows = [{"n": n, "x": x} for n, x in pairs]
    given = [{"n": n, "x": round(x, 3) or x} for n, x in pairs]
    rng.shuffle(given)
    assert ValueComparison().is_same(rows, given)
    assert ValueComparison().is_same(rows, [{"n": row["n"] + 1, "x": row["x"]} for row in given]) is False


def test_many_rows_are_matched_by_their_whole_numbers() -> None:
    rows = [{"id": n, "x": n / 7} for n in range(2000)]
    given = [{"id": n, "x": round(n / 7, 2)} for n in reversed(range(2000))]
    assert ValueComparison().is_same(rows, given)
    given[5]["x"] += 0.02
    assert not ValueComparison().is_same(rows, given)


def test_many_rows_are_matched_by_their_whole_numbers_before_the_others() -> None:
    rows = [{"a": 1.3 + n * 7919 % 300 / 1_000_000, "id": n} for n in range(300)]
    given = [{"a": 1.3, "id": n} for n in reversed(range(300))]
    assert ValueComparison().is_same(rows, given)
    assert not ValueComparison().is_same(rows, [{"a": 1.3, "id": 300}, *given[1:]])


def test_many_rows_are_matched_by_their_texts_where_rounding_makes_their_numbers_equal() -> None:
    rows = [[f"n{n}", [1 + n / 1_000_000, "x"]] for n in range(1, 300)]
    given = [[f"n{n}", [1.0, "x"]] for n in reversed(range(1, 300))]
    assert ValueComparison().is_same(rows, given)
    assert not ValueComparison().is_same(rows, [["n0", [1.0, "x"]], *given[1:]])


@pytest.mark.parametrize(
    ("kind", "key", "wanted", "given", "expected"),
    [
        (FactKind.FILE, "out.json", write_json(MEANS), '[{"team":"a","mean":3.14},{"team":"b","mean":2.72}]', True),
        (FactKind.FILE, "out.csv", write_csv(MEANS), "team,mean\nb,2.72\na,3.14\n", True),
        (FactKind.FILE, "out.csv", write_csv(MEANS), '[{"team":"a","mean":3.14},{"team":"b","mean":2.72}]', False),
        (FactKind.FILE, "out.txt", "total: 3.14159", "total: 3.14", False),
        (FactKind.SINK, "u", MEANS, [{"team": "a", "mean": 3.14}, {"team": "b", "mean": 2.72}], True),
        (FactKind.ARTEFACT, "", MEANS, [{"team": "a", "mean": 3.14}, {"team": "b", "mean": 2.72}], False),
    ],
)
def test_deliverables_are_compared_in_the_same_way(
    kind: FactKind, key: str, wanted: Json, given: Json, *, expected: bool
) -> None:
    """But an artefact is the exact result of a tool, and a file must have the format of its name."""
    assert Fact.of(kind, key, wanted).is_met_by(given) is expected
