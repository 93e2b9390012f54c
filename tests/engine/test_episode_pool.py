"""The episode pool runs the episodes of the queue, on any loop."""

from __future__ import annotations

import asyncio

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.episode_pool import EpisodePool
from pytest_ultra.engine.episode_queue import EpisodeQueue
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


def run_pool(endpoint: FakeEndpoint, queue: EpisodeQueue) -> list[Episode]:
    """Run a pool for ten seconds; return the episodes that it finished."""
    finished: list[Episode] = []
    clock = VirtualClock()
    pool = EpisodePool(queue, finished.append, worker="gw0", concurrency=2, rules=RULES)

    async def run_a_while() -> None:
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
