"""The arithmetic of pacing: never more calls than allowed, hardly fewer, and evenly spaced."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.engine.limits import MOST_IN_FLIGHT, Limits, Pace

RATES = st.floats(min_value=1, max_value=6000)
DELAYS = st.lists(st.floats(min_value=0, max_value=100), max_size=60)


def calls_made(rpm: float, delays: list[float]) -> list[float]:
    """Return the times of calls that come as soon as allowed, plus one of the delays (in intervals) each."""
    pace, now, due, calls = Pace.per_minute(rpm), 0.0, 0.0, []
    for delay in delays:
        now = max(now, due) + delay * pace.interval_s
        due = pace.take(due, now)
        calls.append(now)
    return calls


@given(RATES, DELAYS)
def test_no_window_holds_more_than_its_share_and_a_burst_of_two(rpm: float, delays: list[float]) -> None:
    calls = calls_made(rpm, delays)
    for first, last in itertools.combinations(range(len(calls)), 2):
        window_s = calls[last] - calls[first]
        timer_s = 0.004
        assert last - first + 1 <= (window_s + timer_s) * rpm / 60 + 2 + 1e-6


@given(st.integers(min_value=10, max_value=300), st.lists(st.floats(min_value=0, max_value=2), min_size=1, max_size=9))
def test_no_minute_holds_more_than_n_calls(rpm: int, delays: list[float]) -> None:
    calls = calls_made(rpm, list(itertools.islice(itertools.cycle(delays), 2 * rpm)))
    assert all(calls[index + rpm] - calls[index] >= 60 for index in range(len(calls) - rpm))


@given(RATES, st.lists(st.floats(min_value=0, max_value=0.9), min_size=100, max_size=100))
def test_calls_that_are_slightly_late_keep_the_rate(rpm: float, delays: list[float]) -> None:
    late = [min(delay, 0.04 * rpm / 60) for delay in delays]
    calls = calls_made(rpm, late)
    assert (len(calls) - 1) / (calls[-1] - calls[0]) * 60 >= 0.95 * rpm


def test_idle_time_is_not_saved_up() -> None:
    pace = Pace(1.0)
    due = pace.take(0.0, 1000.0)
    assert due == pytest.approx(1000.95)
    assert pace.take(due, due) == pytest.approx(1001.95)


def test_a_call_counts_by_its_size_and_is_corrected_afterwards() -> None:
    pace = Pace.per_minute(6060)
    due = pace.take(100.0, 100.0, 500)
    assert due == pytest.approx(105.0)
    assert pace.settle(due, 100) == pytest.approx(106.0)
    assert pace.settle(due, -400) == pytest.approx(101.0)


def test_without_a_rate_there_is_no_wait() -> None:
    assert Pace.per_minute(None).take(0.0, 50.0) <= 50.0


@pytest.mark.parametrize(
    ("limits", "window", "capacity"),
    [
        (Limits(), 256, 256),
        (Limits(), 0.2, 1),
        (Limits(), 5000, MOST_IN_FLIGHT),
        (Limits(max_in_flight=8), 256, 8),
        (Limits(max_in_flight=8), 3.7, 3.7),
        (Limits(max_in_flight=8, is_adaptive=False), 3, 8),
        (Limits(rpm=10, is_adaptive=False), 3, math.inf),
    ],
)
def test_the_stricter_limit_on_calls_in_flight_applies(limits: Limits, window: float, capacity: float) -> None:
    assert limits.capacity(window) == capacity
