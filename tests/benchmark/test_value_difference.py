"""The difference of a delivered value from the wanted one, in words."""

from __future__ import annotations

import pytest

from pytest_ultra.benchmark.value_difference import describe_difference
from pytest_ultra.core.json_types import Json


@pytest.mark.parametrize(
    ("wanted", "delivered", "words"),
    [
        ([1, 2, 3], [1, 2], "2 items, wanted 3; 1 missing, first 3"),
        ([1, 2], [1, 2, 2], "3 items, wanted 2; 1 not wanted, first 2"),
        ([1, 2], [2, 1], "the same items in another order"),
        (
            "a,b\n1,2\n",
            [{"a": 1, "b": 3}],
            '1 missing, first {"a": "1", "b": "2"}; 1 not wanted, first {"a": 1, "b": 3}',
        ),
        ({"a": 1, "b": 2, "d": 4}, {"b": 3, "c": 1, "d": 4}, "a: null, wanted 1; b: 3, wanted 2; c: 1, wanted null"),
        ({"at": 1, "data": [1]}, {"at": 1, "data": [2]}, "data: 1 missing, first 1; 1 not wanted, first 2"),
        (42, 43, ""),
        ("north", "south", ""),
        ([1], {"a": 1}, ""),
        (["x" * 200], [], f'0 items, wanted 1; 1 missing, first "{"x" * 119}...'),
    ],
)
def test_lists_and_objects_are_compared_part_by_part(wanted: Json, delivered: Json, words: str) -> None:
    assert describe_difference(wanted, delivered) == words
