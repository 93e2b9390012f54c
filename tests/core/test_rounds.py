"""Rounds of instances."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.rounds import FIRST_INSTANCES, Until, number_rounds, round_ends
from tests.results_factory import make_case


@given(st.integers(1, 500))
def test_rounds_grow_up_to_the_most(most: int) -> None:
    ends = round_ends(most)
    assert ends[0] == min(FIRST_INSTANCES, most)
    assert ends[-1] == most
    assert all(a < b for a, b in itertools.pairwise(ends))
    assert len(ends) <= 15


@given(st.integers(1, 100))
def test_each_instance_is_in_the_round_that_ends_after_it(most: int) -> None:
    cases = {str(instance): make_case(instance=instance) for instance in range(most)}
    rounds = number_rounds(cases, Until(0.1), most)
    ends = round_ends(most)
    for name, number in rounds.items():
        begin = ends[number - 1] if number else 0
        assert begin <= int(name) < ends[number]
    assert set(number_rounds(cases, None, most).values()) == {0}
