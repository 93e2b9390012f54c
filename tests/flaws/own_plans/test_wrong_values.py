"""Wrong values look like the right ones: another day, number, word or name of the same shape."""

from __future__ import annotations

import pytest

from pytest_ultra.core.json_types import Json
from pytest_ultra.flaws.own_plans.wrong_values import MOST_VALUES, wrong_values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("late", ["late2"]),
        ("ann@x.example", ["ann2@x.example"]),
        ("src/a.py", ["src/a2.py"]),
        ("example.com", ["example2.com"]),
        (
            "week-30.tar",
            [
                "week-31.tar",
                "week-29.tar",
                "week-32.tar",
                "week-40.tar",
                "hour-30.tar",
                "day-30.tar",
                "month-30.tar",
                "quarter-30.tar",
            ],
        ),
        ("o-99", ["o-98"]),
        ("o-00", ["o-01", "o-02", "o-10"]),
        ("due 2024-02-28", ["due 2024-02-29", "due 2024-02-27", "due 2024-03-06", "due 2024-02-21"]),
        ("Monthly", ["Hourly", "Daily", "Weekly", "Quarterly", "Yearly"]),
        ("MAX", ["MIN"]),
        ("a free text", []),
        ("", []),
        (5, [6, 4, 50, 0, 10]),
        (1.5, [2.5, 0.5, 15.0, 0.0, 3.0]),
        (True, [False]),
        (None, []),
        (["a", "b-1"], [["a"], ["a2", "b-1"], ["a", "b-2"]]),
        (
            {"unit": "day", "n": 1},
            [{"unit": "hour", "n": 1}, {"unit": "week", "n": 1}, {"unit": "day", "n": 2}, {"unit": "day", "n": 0}],
        ),
    ],
)
def test_siblings_of_a_value(value: Json, expected: list[Json]) -> None:
    assert [wrong.value for wrong in wrong_values(value, {}, (), ())] == expected


def test_what_the_schema_lists_and_other_calls_hold_comes_first() -> None:
    found = wrong_values("late", {"enum": ["open", "late"], "examples": ["due"]}, ["sent", 3, "open"], ["soon", "a b"])
    assert [(wrong.value, wrong.way) for wrong in found] == [
        ("open", "other_choice"),
        ("due", "other_choice"),
        ("sent", "sibling_value"),
        ("soon", "sibling_name"),
        ("late2", "sibling_name"),
    ]


def test_no_more_than_some_values_are_proposed() -> None:
    assert len(wrong_values("x", {}, map(str, range(100)), ())) == MOST_VALUES
