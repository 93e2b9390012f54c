"""One episode: its events, its usage, its time limit, and failures that are not the model's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from typing import Self

import msgspec
import pytest

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest, metered
from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.transcript import Attempted, Ended, EndReason, Event, Replied, Reply
from pytest_ultra.engine.episode_run import run_episode
from tests.engine.engine_fakes import (
    DONE,
    FakeEndpoint,
    VirtualClock,
    calling,
    hanging,
    make_assignment,
    make_caller,
    make_case,
    run,
    scripted,
    status,
)
from tests.engine.fake_rules import RULES, Chat, Rules, score


def run_one(endpoint: FakeEndpoint, case: Case, rules: Rules = RULES, clock: VirtualClock | None = None) -> Episode:
    clock = clock or VirtualClock()
    caller = make_caller(endpoint, clock)
    return run(clock, run_episode(make_assignment(case, "t::test"), caller, worker="gw1", rules=rules))


def test_an_episode_holds_its_events_and_its_score() -> None:
    case = make_case()

    episode = run_one(scripted([calling(), DONE]), case)

    assert episode.case == case
    assert (episode.nodeid, episode.worker, episode.plan) == ("t::test", "gw1", "1. Do nothing.")
    assert episode.started_at == 1_000_000
    assert episode.duration_s == pytest.approx(2)
    assert (episode.outcome, episode.error) == (Outcome.FULL, None)
    assert [type(event) for event in episode.transcript] == [Attempted, Replied, Attempted, Replied, Ended]


def test_usage_separates_the_models_time_from_waiting() -> None:
    episode = run_one(scripted([status(500), calling(), DONE]), make_case())

    assert msgspec.to_builtins(episode.usage) == pytest.approx(
        {
            "requests": 3,
            "prompt_tokens": 20,
            "completion_tokens": 4,
            "model_time_s": 2.0,
            "tool_time_s": 0.0,
            "waiting_time_s": 1.375,
            "standstill_s": 0.0,
            "cost": None,
            "cached_tokens": 0,
            "cache_written_tokens": 0,
            "reasoning_tokens": 0,
            "estimated_requests": 0,
            "first_token_s": None,
        }
    )


class SlowTools(Chat, frozen=True):
    """A chat whose tools take four seconds of the shared clock."""

    def take(self, reply: Reply) -> Self:
        SLOW_CLOCK.seconds += 4
        return super().take(reply)


SLOW_CLOCK = VirtualClock()


def test_the_time_limit_counts_tools() -> None:
    rules = Rules(SlowTools, score)

    episode = run_one(scripted([calling()]), make_case(timeout_s=9.0), rules, SLOW_CLOCK)

    assert (episode.outcome, episode.score.failure_class) == (Outcome.FAILED, FailureClass.AGENT_TIMEOUT)
    assert episode.usage.tool_time_s == pytest.approx(8)
    assert episode.usage.model_time_s == pytest.approx(2)
    assert episode.usage.requests == 2
    assert episode.transcript[-1] == Ended(EndReason.AGENT_TIMEOUT, "The episode's time limit ran out.")


def test_the_time_limit_ends_an_attempt_and_is_the_models_failure() -> None:
    episode = run_one(hanging(), make_case(timeout_s=30.0))

    assert (episode.outcome, episode.score.failure_class) == (Outcome.FAILED, FailureClass.AGENT_TIMEOUT)
    assert episode.error is None
    assert episode.duration_s == pytest.approx(30)
    assert episode.usage.requests == 1
    assert episode.usage.model_time_s == pytest.approx(30)


def test_waiting_does_not_count_towards_the_time_limit() -> None:
    episode = run_one(scripted([status(429, 100.0), calling(), status(503), DONE]), make_case(timeout_s=2.5))

    assert episode.outcome is Outcome.FULL
    assert episode.duration_s > 100


def test_the_time_limit_shrinks_with_each_turn() -> None:
    episode = run_one(scripted([calling()]), make_case(timeout_s=3.5))

    assert episode.score.failure_class is FailureClass.AGENT_TIMEOUT
    assert episode.duration_s == pytest.approx(3.5)
    assert episode.usage.requests == 4


def test_an_attempt_timeout_is_the_infrastructures_failure() -> None:
    episode = run_one(hanging(), make_case(timeout_s=1000.0))

    assert (episode.outcome, episode.score.failure_class) == (Outcome.ERROR, FailureClass.ENDPOINT)
    assert episode.error == "No answer after 6 attempts; the last one: timeout: no answer within 120 s."
    assert (episode.usage.requests, episode.usage.model_time_s) == (6, 0)


@pytest.mark.parametrize(("code", "failure_class"), [(400, FailureClass.ENDPOINT), (429, FailureClass.RATE_LIMIT)])
def test_a_failing_endpoint_is_an_error_with_its_reason(code: int, failure_class: FailureClass) -> None:
    episode = run_one(scripted([status(code)]), make_case())

    assert (episode.outcome, episode.score.failure_class) == (Outcome.ERROR, failure_class)
    assert f"status {code}: from the server" in str(episode.error)


class ManyTools(Chat, frozen=True):
    """A chat that runs many tools in its first turn, and records which episode each of them belongs to."""

    def steps(self, reply: Reply) -> Iterator[Self]:
        for _ in range(1000):
            STEPS.append(self.case.instance)
            yield self
        yield self.take(reply)


STEPS: list[int] = []


def test_the_tools_of_one_episode_let_other_episodes_run() -> None:
    clock = VirtualClock()
    caller = make_caller(scripted([DONE]), clock)

    async def run_both() -> None:
        assignments = [make_assignment(make_case(instance=number), f"t::{number}") for number in (0, 1)]
        rules = Rules(ManyTools, score)
        await asyncio.gather(*(run_episode(one, caller, worker="gw1", rules=rules) for one in assignments))

    run(clock, run_both())

    assert len(STEPS) == 2000
    assert STEPS.index(1) < 1000
    assert max(len(list(group)) for _, group in itertools.groupby(STEPS[1:-1])) < 10


class BuggyTools(Chat, frozen=True):
    """A chat whose tools raise an exception."""

    def take(self, reply: Reply) -> Self:
        raise ZeroDivisionError(reply.text)


def begin_and_fail(_case: Case, _guidance: AnyGuidance) -> Chat:
    pytest.fail("the hook is broken")


def score_and_fail(_case: Case, _guidance: AnyGuidance, _events: Sequence[Event]) -> Score:
    raise KeyError("deliverable")


@pytest.mark.parametrize(
    ("rules", "error", "requests"),
    [
        (Rules(BuggyTools, score), "ZeroDivisionError: done", 1),
        (Rules(begin_and_fail, score), "Failed: the hook is broken", 0),
        (Rules(Chat, score_and_fail), "KeyError: 'deliverable'", 1),
    ],
    ids=["tools", "begin", "score"],
)
def test_a_bug_of_ours_is_an_error_with_the_end_of_its_traceback(rules: Rules, error: str, requests: int) -> None:
    episode = run_one(scripted([DONE]), make_case(), rules)

    assert (episode.outcome, episode.score.failure_class) == (Outcome.ERROR, FailureClass.HARNESS)
    assert episode.error is not None
    assert episode.error.endswith(error)
    assert "test_episode_run.py" in episode.error
    assert len(episode.error.splitlines()) <= 12
    assert (episode.usage.requests, episode.usage.completion_tokens) == (requests, 2 * requests)
    assert isinstance(episode.transcript[-1], Ended)


def test_a_bug_during_an_episode_ends_the_transcript_with_reason_harness() -> None:
    episode = run_one(scripted([DONE]), make_case(), Rules(BuggyTools, score))

    assert episode.transcript[-1] == Ended(EndReason.HARNESS, "ZeroDivisionError: done")


def test_a_cancellation_that_leaks_out_of_an_endpoint_is_a_bug_of_ours() -> None:
    async def respond(_: ChatRequest) -> Reply:
        raise asyncio.CancelledError

    episode = run_one(FakeEndpoint(respond), make_case())

    assert (episode.outcome, episode.score.failure_class) == (Outcome.ERROR, FailureClass.HARNESS)


def test_the_time_to_the_first_token_is_the_mean_of_the_streamed_replies_and_within_their_attempts() -> None:
    replies = [metered(calling(), None, 0.25), metered(calling(), None, 9.0), DONE]
    episode = run_one(scripted(replies), make_case())
    times = [event.first_token_s for event in episode.transcript if isinstance(event, Attempted)]
    assert times == [0.25, 1.0, None]
    assert episode.usage.first_token_s == pytest.approx(0.625)
