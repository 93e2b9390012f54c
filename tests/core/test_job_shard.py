"""Tasks are divided among shards evenly, and every job computes the same division."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.job_shard import JobShard, divide, parse_shard


@given(st.dictionaries(st.integers(0, 999), st.integers(1, 10_000), min_size=1, max_size=60), st.integers(1, 12))
def test_each_task_is_in_one_shard_and_no_shard_has_more_than_its_share_and_one_task(
    weights: dict[int, int], of: int
) -> None:
    shards = divide(weights, of)
    assert shards.keys() == weights.keys()
    loads = [sum(weights[task] for task, number in shards.items() if number == each) for each in range(1, of + 1)]
    assert sum(loads) == sum(weights.values())
    assert max(loads) - max(weights.values()) <= sum(weights.values()) / of


def test_no_shard_is_empty_if_there_are_as_many_tasks() -> None:
    assert sorted(divide({"a": 1, "b": 1000, "c": 1}, 3).values()) == [1, 2, 3]


def test_the_longest_task_gets_a_shard_of_its_own_if_the_others_fit_beside_it() -> None:
    assert divide({"a": 2, "b": 9, "c": 3, "d": 4}, 2) == {"b": 1, "d": 2, "c": 2, "a": 2}


def test_a_shard_is_read_as_it_is_printed() -> None:
    assert str(parse_shard("2/4")) == "2/4"
    assert parse_shard("1/1") == JobShard(1, 1)


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "2/", "/4", "a/b", "-1/4", "1/1001", "1/4/2", "²/4", ""])
def test_anything_else_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is not a shard; give its number and how many there are, such as 2/4"):
        parse_shard(text)
