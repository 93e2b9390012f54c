"""The limiter as the retry loop uses it: models, their endpoints, and the token estimate."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from pytest_ultra.core.chat_request import ChatRequest, Quota, metered
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.episode_run import run_episode
from pytest_ultra.engine.limiter import ModelLimiter, TokenEstimator, open_limiter
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.retry import Caller
from tests.engine.engine_fakes import (
    DONE,
    FakeEndpoint,
    VirtualClock,
    make_assignment,
    make_case,
    make_request,
    run,
    scripted,
    status,
    steady,
)
from tests.engine.fake_rules import RULES


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


class LimitedCaller:
    """A caller with a limiter, both on one clock."""

    def __init__(
        self, endpoint: FakeEndpoint, limits: Limits, folder: Path, endpoints: dict[str, list[str]] | None = None
    ) -> None:
        self.clock = VirtualClock()
        self.clock.seconds = 1000.0
        self.limiter, _ = open_limiter(endpoints or {"m": ["one"]}, limits, folder=folder, clock=self.clock)
        self.caller = Caller(endpoint, self.clock, limiter=self.limiter, jitter=lambda _case, _turn, _attempt: 0.5)
        self.attempts: list[Attempted] = []

    def call_all(self, models: str) -> tuple[list[Reply | CallFailed], float]:
        """Call the model of each letter, all at once; return the answers and the seconds that this took."""

        async def call(instance: int, model: str) -> Reply | CallFailed:
            request = make_request(make_case(instance, model=model))
            return await self.caller.call(request, self.attempts.append)

        async def gather_all() -> list[Reply | CallFailed]:
            answers = await asyncio.gather(*(call(instance, model) for instance, model in enumerate(models)))
            self.limiter.close()
            return answers

        return run(self.clock, gather_all()), self.clock.seconds - 1000.0


def test_models_of_one_endpoint_share_its_limits(tmp_path: Path) -> None:
    limited = LimitedCaller(steady(), Limits(max_in_flight=1), tmp_path, {"a": ["one"], "b": ["one"], "c": ["two"]})
    answers, seconds = limited.call_all("abc")
    assert answers == [DONE] * 3
    assert seconds == 2


def test_a_rejected_model_gets_no_calls_from_the_queue(tmp_path: Path) -> None:
    endpoint = scripted([status(401)])
    limited = LimitedCaller(endpoint, Limits(rpm=6), tmp_path)
    answers, seconds = limited.call_all("m" * 50)

    assert len(endpoint.requests) == 1
    assert {answer.reason for answer in answers if isinstance(answer, CallFailed)} == {EndReason.ENDPOINT}
    assert "check the API key" in str(answers[-1])
    assert seconds == 1


def test_an_endpoint_that_answers_only_429_fails_all_cases_after_one_longest_wait(tmp_path: Path) -> None:
    endpoint = scripted([status(429)])
    limited = LimitedCaller(endpoint, Limits(), tmp_path)
    answers, seconds = limited.call_all("m" * 40)

    assert {answer.reason for answer in answers if isinstance(answer, CallFailed)} == {EndReason.RATE_LIMIT}
    assert len(answers) == 40
    assert 600 <= seconds < 660
    assert len(endpoint.requests) < 40 + 60, "requests become fewer over time"


def test_retry_after_holds_for_callers_that_did_not_receive_it(tmp_path: Path) -> None:
    endpoint = scripted([status(429, 50.0), DONE])
    limited = LimitedCaller(endpoint, Limits(max_in_flight=1), tmp_path)
    answers, seconds = limited.call_all("mm")
    assert answers == [DONE, DONE]
    assert 51 < seconds < 60


def test_the_quota_of_an_answer_does_not_reach_the_transcript(tmp_path: Path) -> None:
    limited = LimitedCaller(steady(reply=metered(DONE, Quota(0.0, 30.0))), Limits(max_in_flight=1), tmp_path)
    answers, seconds = limited.call_all("mm")
    assert [type(answer) for answer in answers] == [Reply, Reply]
    assert answers == [DONE, DONE]
    assert seconds == 32, "but it pauses the calls"


def test_time_in_the_queue_is_waiting_and_not_the_models_time(tmp_path: Path) -> None:
    limited = LimitedCaller(steady(2.0), Limits(rpm=6), tmp_path)

    async def run_two() -> list[float]:
        assignments = [make_assignment(make_case(instance, timeout_s=5.0)) for instance in range(2)]
        episodes = await asyncio.gather(
            *(run_episode(assignment, limited.caller, worker="gw0", rules=RULES) for assignment in assignments)
        )
        limited.limiter.close()
        assert all(episode.error is None for episode in episodes)
        return [figure for episode in episodes for figure in (episode.usage.model_time_s, episode.usage.waiting_time_s)]

    assert run(limited.clock, run_two()) == pytest.approx([2.0, 0.0, 2.0, 10.1], abs=0.06)


def make_sized_request(size: int) -> ChatRequest:
    messages: tuple[Message, ...] = ({"role": "user", "content": "x" * size},)
    return msgspec.structs.replace(make_request(make_case()), messages=messages)


def test_tokens_are_estimated_from_the_size_of_the_messages() -> None:
    estimator = TokenEstimator()
    assert estimator.estimate(make_sized_request(4000)) == pytest.approx(1000, rel=0.02)


def test_a_wrong_estimate_is_corrected_gradually() -> None:
    estimator = TokenEstimator()
    for _ in range(100):
        estimator.observe(estimator.estimate(make_sized_request(4000)), 500)
    assert estimator.estimate(make_sized_request(4000)) == pytest.approx(500, rel=0.02)


def test_a_single_outlier_changes_little() -> None:
    estimator = TokenEstimator()
    estimator.observe(10.0, 100_000)
    assert estimator.estimate(make_sized_request(4000)) < 1300


def test_a_reply_without_token_counts_leaves_the_estimate_unchanged(tmp_path: Path) -> None:
    endpoint = steady(0.0, Reply(text="no counts"))
    limited = LimitedCaller(endpoint, Limits(tpm=6060), tmp_path)
    _, seconds = limited.call_all("mmm")
    size = TokenEstimator().estimate(make_request(make_case()))
    assert seconds == pytest.approx(2 * size / 100, abs=0.1)


def test_models_of_one_endpoint_share_its_state_file(tmp_path: Path) -> None:
    limiter, problem = open_limiter({"a": ["one"], "b": ["one"]}, Limits(), folder=tmp_path)
    assert isinstance(limiter, ModelLimiter)
    assert problem is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.1", "one.1.0"]
    limiter.close()
