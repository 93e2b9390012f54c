"""The clock of replays: recorded time passes, for each episode separately."""

from __future__ import annotations

import asyncio

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.episode_run import run_episode
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
from tests.engine.fake_rules import RULES


def run_all(*cases_s: float, is_frozen: bool = True, timeout_s: float | None = None) -> list[Episode]:
    """Run an episode for each number of seconds, which is the recorded latency of both of its answers."""
    clock = ReplayedClock(is_frozen=is_frozen, clock=VirtualClock())

    async def respond(request: ChatRequest) -> Reply:
        await asyncio.sleep(0.25)
        clock.advance(cases_s[request.case.instance])
        return calling() if request.turn == 1 else DONE

    async def work() -> list[Episode]:
        caller = Caller(FakeEndpoint(respond), clock)
        cases = [make_case(instance, timeout_s=timeout_s) for instance in range(len(cases_s))]
        runs = (run_episode(make_assignment(case), caller, worker="gw0", rules=RULES) for case in cases)
        return await asyncio.gather(*runs)

    return run(clock, work())


def test_each_episode_takes_its_recorded_time_and_no_real_time() -> None:
    for episode, seconds in zip(run_all(2.0, 5.0, 0.5), (4.0, 10.0, 1.0), strict=True):
        assert (episode.usage.model_time_s, episode.duration_s) == (seconds, seconds)
        assert (episode.usage.tool_time_s, episode.usage.waiting_time_s) == (0.0, 0.0)


def test_a_clock_that_is_not_frozen_adds_real_time() -> None:
    (episode,) = run_all(2.0, is_frozen=False)
    assert episode.duration_s == pytest.approx(4.5)


def test_a_recorded_answer_beyond_the_time_limit_ends_the_episode() -> None:
    (episode,) = run_all(2.0, timeout_s=3.0)
    assert episode.score.failure_class is FailureClass.AGENT_TIMEOUT
    assert episode.outcome is Outcome.FAILED


def test_a_missing_recording_fails_the_call_at_once_with_its_message() -> None:
    failure = AttemptFailedError(AttemptProblem.UNRECORDED, "There is no cassette.\n-old\n+new")
    attempts = []

    async def respond(request: ChatRequest) -> Reply:
        attempts.append(request)
        raise failure

    clock = VirtualClock()
    caller = make_caller(FakeEndpoint(respond), clock)
    episode = run(clock, run_episode(make_assignment(make_case()), caller, worker="gw0", rules=RULES))
    assert len(attempts) == 1
    assert episode.score.failure_class is FailureClass.ENDPOINT
    assert episode.error == failure.detail
