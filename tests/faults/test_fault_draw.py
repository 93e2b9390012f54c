"""Random faults are drawn from (task, tool, k) alone."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.faults.fault_draw import draw_fault

KEYS = st.tuples(st.text(max_size=20), st.text(max_size=20), st.integers(1, 50))
KINDS = st.lists(st.sampled_from(FaultKind), min_size=1, max_size=4)
RELIABILITIES = st.floats(0, 1)


@given(KEYS, KINDS, RELIABILITIES, RELIABILITIES)
def test_a_fault_at_one_reliability_is_the_same_fault_at_every_lower_one(
    key: tuple[str, str, int], kinds: list[FaultKind], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    at_high = draw_fault(*key, high, kinds)
    assert at_high is None or at_high == draw_fault(*key, low, kinds)


@given(KEYS, KINDS)
def test_a_draw_tries_the_allowed_kinds_once_each_in_any_order_that_they_are_given(
    key: tuple[str, str, int], kinds: list[FaultKind]
) -> None:
    draw = draw_fault(*key, 0.0, kinds)
    assert draw is not None
    assert sorted(draw.kinds) == sorted(set(kinds))
    assert draw == draw_fault(*key, 0.0, kinds[::-1])


def test_faults_come_as_often_as_the_reliability_says_and_each_kind_as_often_as_the_others() -> None:
    draws = [draw_fault("task", "tool", k, 0.8, tuple(FaultKind)) for k in range(1, 4001)]
    firsts = Counter(draw.kinds[0] for draw in draws if draw is not None)
    assert 700 < sum(firsts.values()) < 900
    assert set(firsts) == set(FaultKind)
    assert min(firsts.values()) > 150


def test_draws_are_the_same_on_every_machine_and_version() -> None:
    draws = [draw_fault("0|simple_task", "network_fetcher", k, 0.5, tuple(FaultKind)) for k in range(1, 7)]
    assert [draw and ("".join(kind[0] for kind in draw.kinds), draw.seed % 1000) for draw in draws] == EXPECTED


EXPECTED = [("ltip", 624), ("plti", 823), ("lpit", 253), None, None, None]
