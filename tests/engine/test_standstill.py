"""Time in which the engine itself stands still counts for nobody: neither the model nor its endpoint."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import Self

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.transcript import Attempted, Reply
from pytest_ultra.engine.backoff import RetryPolicy
from pytest_ultra.engine.episode_run import run_episode
from pytest_ultra.engine.replayed_clock import ReplayedClock
from pytest_ultra.engine.retry import Caller
from pytest_ultra.engine.standstill import MAX_STANDSTILL_S
from pytest_ultra.errors import AttemptProblem
from tests.engine.engine_fakes import (
    DONE,
    FakeEndpoint,
    VirtualClock,
    make_assignment,
    make_caller,
    make_case,
    run,
    scripted,
)
from tests.engine.fake_rules import RULES, Chat, Rules, score


def stand_still(clock: VirtualClock, seconds: float) -> None:
    """Let the clock go on while the loop does not run."""
    clock.seconds += seconds


def run_while_standing_still(
    standstill_s: float, *, timeout_s: float | None, latency_s: float = 2.0, request_timeout_s: float = 120.0
) -> Episode:
    """Run an episode of one reply; the loop stands still once, a second after the first request was sent."""
    clock = VirtualClock()

    async def respond(_: ChatRequest) -> Reply:
        await asyncio.sleep(latency_s)
        return DONE

    async def work() -> Episode:
        asyncio.get_running_loop().call_later(1.0, stand_still, clock, standstill_s)
        caller = make_caller(FakeEndpoint(respond), clock, RetryPolicy(attempt_timeout_s=request_timeout_s))
        assignment = make_assignment(make_case(timeout_s=timeout_s))
        return await run_episode(assignment, caller, worker="gw0", rules=RULES)

    return run(clock, work())


def problems(episode: Episode) -> list[str | None]:
    return [event.problem for event in episode.transcript if isinstance(event, Attempted)]


def test_standstill_is_in_no_time_limit_and_no_time_of_the_model() -> None:
    episode = run_while_standing_still(20.0, timeout_s=5.0)

    assert episode.outcome is Outcome.FULL
    assert episode.usage.model_time_s == pytest.approx(1.25, abs=0.3)
    assert episode.usage.waiting_time_s == pytest.approx(0)
    assert episode.usage.standstill_s == pytest.approx(20, abs=0.3)
    assert episode.duration_s == pytest.approx(21, abs=0.3)


def test_standstill_is_not_in_an_attempts_time_limit() -> None:
    episode = run_while_standing_still(20.0, timeout_s=None, request_timeout_s=5.0)

    assert problems(episode) == [None]


def test_a_model_that_is_too_slow_while_the_engine_runs_is_still_too_slow() -> None:
    episode = run_while_standing_still(20.0, timeout_s=5.0, latency_s=40.0)

    assert episode.score.failure_class is FailureClass.AGENT_TIMEOUT
    assert episode.usage.model_time_s == pytest.approx(5, abs=0.3)
    assert episode.duration_s == pytest.approx(25, abs=0.3)


def test_beyond_the_bound_a_reply_that_may_have_been_late_is_an_infrastructure_error_and_retried() -> None:
    episode = run_while_standing_still(MAX_STANDSTILL_S + 10, timeout_s=5.0)

    assert episode.outcome is Outcome.FULL
    assert problems(episode) == [AttemptProblem.STANDSTILL, None]
    first = next(event for event in episode.transcript if isinstance(event, Attempted))
    assert first.detail == "this process stood still for 40 s during the attempt"


@pytest.mark.parametrize("timeout_s", [None, 100.0])
def test_beyond_the_bound_a_reply_that_was_in_time_for_sure_is_not_paid_for_twice(timeout_s: float | None) -> None:
    episode = run_while_standing_still(MAX_STANDSTILL_S + 10, timeout_s=timeout_s)

    assert problems(episode) == [None]


def test_beyond_the_bound_a_time_limit_is_not_the_models_failure() -> None:
    episode = run_while_standing_still(MAX_STANDSTILL_S + 10, timeout_s=5.0, latency_s=60.0)

    assert problems(episode)[0] is AttemptProblem.STANDSTILL


def test_another_models_tool_calls_cost_only_their_own_episode_time() -> None:
    clock = VirtualClock()

    class SlowTools(Chat, frozen=True):
        def take(self, reply: Reply) -> Self:
            if self.case.model == "busy":
                stand_still(clock, 20.0)
            return super().take(reply)

    async def respond(_: ChatRequest) -> Reply:
        await asyncio.sleep(1.0)  # all replies come in the same turn of the loop, the busy model's first
        return DONE

    async def work() -> list[Episode]:
        caller = make_caller(FakeEndpoint(respond), clock)
        cases = [make_case(model=model, timeout_s=5.0) for model in ("busy", "m")]
        rules = Rules(SlowTools, score)
        runs = [run_episode(make_assignment(case), caller, worker="gw0", rules=rules) for case in cases]
        return await asyncio.gather(*runs)

    busy, other = run(clock, work())
    assert busy.usage.tool_time_s == pytest.approx(20)
    assert other.outcome is Outcome.FULL
    assert other.usage.model_time_s == pytest.approx(1, abs=0.3)


def test_many_short_delays_of_a_busy_loop_are_left_out_too() -> None:
    clock = VirtualClock()

    async def be_busy() -> None:
        while True:
            stand_still(clock, 0.9)
            await asyncio.sleep(0.1)

    async def work() -> Episode:
        busy = asyncio.create_task(be_busy())
        caller = make_caller(scripted([DONE], latency_s=3.0), clock)
        try:
            return await run_episode(make_assignment(make_case()), caller, worker="gw0", rules=RULES)
        finally:
            busy.cancel()

    assert run(clock, work()).usage.model_time_s < 2


def test_a_frozen_replay_stays_exact() -> None:
    real = VirtualClock()
    clock = ReplayedClock(is_frozen=True, clock=real)

    async def respond(_: ChatRequest) -> Reply:
        clock.advance(3.0)
        await asyncio.sleep(1.0)
        stand_still(real, 20.0)
        return DONE

    async def work() -> Episode:
        assignment = make_assignment(make_case())
        return await run_episode(assignment, Caller(FakeEndpoint(respond), clock), worker="gw0", rules=RULES)

    usage = run(real, work()).usage
    assert (usage.model_time_s, usage.waiting_time_s, usage.standstill_s) == (3.0, 0.0, 0.0)


PROGRAM = """
import asyncio, time
from pytest_ultra.engine.standstill import RunningTimeout, Standstill

async def wait():
    standstill = Standstill()
    with standstill.watch_process(), standstill.watch_loop():
        try:
            async with RunningTimeout(1.0, standstill):
                print("ready", flush=True)
                await asyncio.sleep(60)
        except TimeoutError:
            print(standstill.of_loop_s(), standstill.of_process_s(), flush=True)

asyncio.run(wait())
"""


def test_a_stopped_process_notices_it_on_both_of_its_threads() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1.5)
        os.kill(process.pid, signal.SIGCONT)
        loop_s, process_s = map(float, process.stdout.readline().split())
        assert time.monotonic() - started > 2, "the time limit did not count the stop"
    assert loop_s == pytest.approx(1.5, abs=0.8)
    assert process_s == pytest.approx(1.5, abs=0.8)
