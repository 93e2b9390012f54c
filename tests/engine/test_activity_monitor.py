"""A pulse tells whether anything still happens, and for whom."""

from __future__ import annotations

import pytest

from pytest_ultra.engine.activity_monitor import Pulse, Stall


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_who_is_in_flight_without_any_answer_for_long_is_stalled(seconds: Seconds) -> None:
    pulse = Pulse(seconds)
    pulse.begin("one")
    pulse.begin("two")
    seconds.now += 59
    assert pulse.stall(60) is None
    seconds.now += 1
    assert pulse.stall(60) == Stall(60, ("one", "two"))


def test_an_answer_and_the_end_of_an_episode_are_signs_of_life(seconds: Seconds) -> None:
    pulse = Pulse(seconds)
    pulse.begin("one")
    pulse.begin("two")
    for sign in (pulse.beat, lambda: pulse.end("one")):
        seconds.now += 50
        sign()
        assert pulse.stall(50) is None
    seconds.now += 50
    assert pulse.stall(50) == Stall(50, ("two",))


def test_where_nothing_is_in_flight_nothing_is_stalled(seconds: Seconds) -> None:
    pulse = Pulse(seconds)
    seconds.now += 1000
    assert pulse.stall(60) is None
    pulse.begin("one")
    assert pulse.stall(60) is None, "the idle time before does not count"
