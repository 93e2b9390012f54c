"""The episode pool runs the episodes of the queue, on any loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.episode_pool import EpisodePool, ignore
from pytest_ultra.engine.episode_queue import Assignment, EpisodeQueue
from tests.engine.engine_fakes import (
    DONE,
    FakeEndpoint,
    VirtualClock,
    make_assignment,
    make_caller,
    make_case,
    run,
    steady,
)
from tests.engine.fake_rules import RULES

CASE = make_case()


def run_pool(
    endpoint: FakeEndpoint,
    queue: EpisodeQueue,
    *,
    on_start: Callable[[Assignment], None] = ignore,
    meanwhile: Callable[[EpisodePool], None] = lambda _: None,
) -> list[Episode]:
    """Run a pool for ten seconds, with a call of `meanwhile` after five; return the episodes that it finished."""
    finished: list[Episode] = []
    clock = VirtualClock()
    pool = EpisodePool(queue, finished.append, worker="gw0", concurrency=2, rules=RULES, on_start=on_start)

    async def run_a_while() -> None:
        asyncio.get_running_loop().call_later(5, meanwhile, pool)
        asyncio.get_running_loop().call_later(10, pool.stop)
        await pool.run(make_caller(endpoint, clock))

    run(clock, run_a_while())
    return finished


def test_a_pool_runs_episodes_that_were_queued_before_it_started() -> None:
    queue = EpisodeQueue(is_lazy=False)
    queue.add([make_assignment(CASE)])

    assert [episode.case for episode in run_pool(steady(), queue)] == [CASE]


def test_an_episode_that_ends_after_the_queue_was_closed_is_not_reported() -> None:
    queue = EpisodeQueue(is_lazy=False)
    queue.add([make_assignment(CASE)])

    async def respond(_: ChatRequest) -> Reply:
        queue.close()
        return DONE

    assert run_pool(FakeEndpoint(respond), queue) == []


@pytest.mark.parametrize("when", ["at first", "after an episode", "when tests add cases"])
def test_an_error_on_starting_an_episode_stops_the_pool(when: str) -> None:
    cases = [make_assignment(make_case(instance)) for instance in range(4)]
    failing = cases[0] if when == "at first" else cases[-1]
    queue = EpisodeQueue(is_lazy=False)
    queue.add(cases[:1] if when == "when tests add cases" else cases)

    def fail(assignment: Assignment) -> None:
        if assignment == failing:
            raise OSError(24, "Too many open files")

    def add_more(pool: EpisodePool) -> None:
        queue.add(cases)
        pool.start_episodes()

    with pytest.raises(OSError, match="Too many open files"):
        run_pool(steady(), queue, on_start=fail, meanwhile=add_more)
