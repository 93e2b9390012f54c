"""The engine lives episodes ahead in its thread, and tests wait for their own."""

from __future__ import annotations

import asyncio

import pytest
from engine_fakes import FakeEndpoint, make_assignment, make_case, make_engine, steady

from pytest_ultra.benchmark.chat import ChatRequest
from pytest_ultra.benchmark.episode import Episode, Outcome
from pytest_ultra.benchmark.transcript import Reply
from pytest_ultra.engine.agenda import EngineStoppedError


def test_a_shard_is_lived_concurrently_up_to_the_limit_in_the_given_order() -> None:
    endpoint = steady()
    engine = make_engine(endpoint, concurrency=4)
    shard = [make_assignment(make_case(instance)) for instance in range(10)]

    engine.start(shard)
    episodes = [engine.wait(assignment) for assignment in shard]
    engine.stop()

    assert [episode.case.instance for episode in episodes] == list(range(10))
    assert all(episode.outcome is Outcome.FULL for episode in episodes)
    assert endpoint.most_in_flight == 4
    assert endpoint.asked == list(range(10))
    assert {episode.worker for episode in episodes} == {"gw7"}


def test_a_case_that_was_never_submitted_is_lived_on_demand() -> None:
    engine = make_engine(steady())
    assignment = make_assignment(make_case(3))

    episode = engine.wait(assignment)
    engine.stop()

    assert (episode.nodeid, episode.case) == (assignment.nodeid, assignment.case)


def test_stopping_cancels_what_is_in_flight_and_keeps_what_is_finished() -> None:
    finished: list[Episode] = []

    async def respond(request: ChatRequest) -> Reply:
        await asyncio.sleep(0 if request.case.instance == 0 else 1e9)
        return Reply("done")

    endpoint = FakeEndpoint(respond)
    engine = make_engine(endpoint, on_episode=finished.append, clock=SYSTEM_CLOCK)
    first, second = make_assignment(make_case(0)), make_assignment(make_case(1))
    engine.start([first, second])
    episode = engine.wait(first)

    engine.stop()
    engine.stop()

    assert endpoint.is_closed
    assert finished == [episode]
    with pytest.raises(EngineStoppedError, match=r"stopped before the episode of test\[m-1\] was finished"):
        engine.wait(second)
