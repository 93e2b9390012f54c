"""The activity monitor finds out whether the engine has stalled, and which episodes are in flight."""

from __future__ import annotations

import pytest

from pytest_ultra.engine.activity_monitor import ActivityMonitor, Stall


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_episodes_in_flight_without_an_answer_for_long_are_a_stall(seconds: Seconds) -> None:
    monitor = ActivityMonitor(seconds)
    monitor.start("one")
    monitor.start("two")
    seconds.now += 59
    assert monitor.find_stall(60) is None
    seconds.now += 1
    assert monitor.find_stall(60) == Stall(60, ("one", "two"))


def test_an_answer_and_the_end_of_an_episode_are_activity(seconds: Seconds) -> None:
    monitor = ActivityMonitor(seconds)
    monitor.start("one")
    monitor.start("two")
    for act in (monitor.answered, lambda: monitor.end("one")):
        seconds.now += 50
        act()
        assert monitor.find_stall(50) is None
    seconds.now += 50
    assert monitor.find_stall(50) == Stall(50, ("two",))


def test_without_episodes_in_flight_there_is_no_stall(seconds: Seconds) -> None:
    monitor = ActivityMonitor(seconds)
    seconds.now += 1000
    assert monitor.find_stall(60) is None
    monitor.start("one")
    assert monitor.find_stall(60) is None, "the idle time before does not count"
