"""The clock of replays: time that was recorded goes by, for the episode at hand alone."""

from __future__ import annotations

import asyncio

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.episode_run import live_episode
from pytest_ultra.engine.replayed_clock import ReplayedClock
from pytest_ultra.engine.retry import Caller
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from tests.engine.engine_fakes import (
    DONE,
    FakeEndpoint,
    VirtualClock,
    calling,
    make_assignment,
    make_caller,
    make_case,
    run,
)
from tests.engine.stand_in import RULES


def live(*cases_s: float, is_frozen: bool = True, timeout_s: float | None = None) -> list[Episode]:
    """Live an episode for each number of seconds that both of its answers once took."""
    clock = ReplayedClock(is_frozen=is_frozen, clock=VirtualClock())

    async def respond(request: ChatRequest) -> Reply:
        await asyncio.sleep(0.25)
        clock.advance(cases_s[request.case.instance])
        return calling() if request.turn == 1 else DONE

    async def work() -> list[Episode]:
        caller = Caller(FakeEndpoint(respond), clock)
        cases = [make_case(instance, timeout_s=timeout_s) for instance in range(len(cases_s))]
        lives = (live_episode(make_assignment(case), caller, worker="gw0", rules=RULES) for case in cases)
        return await asyncio.gather(*lives)

    return run(clock, work())


def test_each_episode_takes_the_time_that_was_recorded_whatever_passes_outside() -> None:
    for episode, seconds in zip(live(2.0, 5.0, 0.5), (4.0, 10.0, 1.0), strict=True):
        assert (episode.usage.model_time_s, episode.duration_s) == (seconds, seconds)
        assert (episode.usage.tool_time_s, episode.usage.waiting_time_s) == (0.0, 0.0)


def test_beside_answers_that_are_asked_for_real_time_goes_by_as_well() -> None:
    (episode,) = live(2.0, is_frozen=False)
    assert episode.duration_s == pytest.approx(4.5)


def test_a_recorded_answer_that_took_longer_than_the_time_limit_is_cut() -> None:
    (episode,) = live(2.0, timeout_s=3.0)
    assert episode.score.failure_class is FailureClass.AGENT_TIMEOUT
    assert episode.outcome is Outcome.FAILED


def test_what_cannot_be_answered_from_a_cassette_is_final_and_told_as_it_is() -> None:
    failure = AttemptFailedError(AttemptProblem.UNRECORDED, "There is no cassette.\n-old\n+new")
    attempts = []

    async def respond(request: ChatRequest) -> Reply:
        attempts.append(request)
        raise failure

    clock = VirtualClock()
    caller = make_caller(FakeEndpoint(respond), clock)
    episode = run(clock, live_episode(make_assignment(make_case()), caller, worker="gw0", rules=RULES))
    assert len(attempts) == 1
    assert episode.score.failure_class is FailureClass.ENDPOINT
    assert episode.error == failure.detail
