"""The limiter as the retry loop knows it: models, their endpoints, and what an answer teaches."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from pytest_ultra.core.chat_request import ChatRequest, Quota, metered
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.episode_run import live_episode
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limiter import EndpointLimiter
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.open_limiter import open_limiter
from pytest_ultra.engine.retry import Caller
from pytest_ultra.engine.token_estimate import TokenEstimate
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
from tests.engine.stand_in import RULES


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


class Office:
    """A caller behind a limiter, both on one clock."""

    def __init__(
        self, endpoint: FakeEndpoint, limits: Limits, folder: Path, endpoints: dict[str, list[str]] | None = None
    ) -> None:
        self.clock = VirtualClock()
        self.clock.seconds = 1000.0
        self.limiter, _ = open_limiter(endpoints or {"m": ["one"]}, limits, folder=folder, clock=self.clock)
        self.caller = Caller(endpoint, self.clock, limiter=self.limiter, chance=lambda _case, _turn, _attempt: 0.5)
        self.attempts: list[Attempted] = []

    def ask_all(self, models: str) -> tuple[list[Reply | GivenUp], float]:
        """Ask once for each letter, all at the same time; return the answers and the seconds that took."""

        async def ask(instance: int, model: str) -> Reply | GivenUp:
            request = make_request(make_case(instance, model=model))
            return await self.caller.ask(request, self.attempts.append)

        async def all_of_them() -> list[Reply | GivenUp]:
            answers = await asyncio.gather(*(ask(instance, model) for instance, model in enumerate(models)))
            self.limiter.close()
            return answers

        return run(self.clock, all_of_them()), self.clock.seconds - 1000.0


def test_models_that_one_endpoint_serves_share_its_limits(tmp_path: Path) -> None:
    office = Office(steady(), Limits(max_in_flight=1), tmp_path, {"a": ["one"], "b": ["one"], "c": ["two"]})
    answers, seconds = office.ask_all("abc")
    assert answers == [DONE] * 3
    assert seconds == 2


def test_a_model_that_is_turned_away_is_not_asked_for_those_in_line(tmp_path: Path) -> None:
    endpoint = scripted([status(401)])
    office = Office(endpoint, Limits(rpm=6), tmp_path)
    answers, seconds = office.ask_all("m" * 50)

    assert len(endpoint.requests) == 1
    assert {answer.reason for answer in answers if isinstance(answer, GivenUp)} == {EndReason.ENDPOINT}
    assert "check the API key" in str(answers[-1])
    assert seconds == 1


def test_an_endpoint_that_says_429_and_nothing_else_ends_all_cases_after_the_patience_for_one(tmp_path: Path) -> None:
    endpoint = scripted([status(429)])
    office = Office(endpoint, Limits(), tmp_path)
    answers, seconds = office.ask_all("m" * 40)

    assert {answer.reason for answer in answers if isinstance(answer, GivenUp)} == {EndReason.RATE_LIMIT}
    assert len(answers) == 40
    assert 600 <= seconds < 660
    assert len(endpoint.requests) < 40 + 60, "the longer it lasts, the less is asked"


def test_retry_after_is_heeded_by_those_who_were_not_told(tmp_path: Path) -> None:
    endpoint = scripted([status(429, 50.0), DONE])
    office = Office(endpoint, Limits(max_in_flight=1), tmp_path)
    answers, seconds = office.ask_all("mm")
    assert answers == [DONE, DONE]
    assert 51 < seconds < 60


def test_what_an_endpoint_says_of_its_quota_does_not_reach_the_transcript(tmp_path: Path) -> None:
    office = Office(steady(reply=metered(DONE, Quota(0.0, 30.0))), Limits(max_in_flight=1), tmp_path)
    answers, seconds = office.ask_all("mm")
    assert [type(answer) for answer in answers] == [Reply, Reply]
    assert answers == [DONE, DONE]
    assert seconds == 32, "and is heeded"


def test_waiting_in_line_is_waiting_and_no_time_of_the_models(tmp_path: Path) -> None:
    office = Office(steady(2.0), Limits(rpm=6), tmp_path)

    async def live_two() -> list[float]:
        lives = [make_assignment(make_case(instance, timeout_s=5.0)) for instance in range(2)]
        episodes = await asyncio.gather(
            *(live_episode(life, office.caller, worker="gw0", rules=RULES) for life in lives)
        )
        office.limiter.close()
        assert all(episode.error is None for episode in episodes)
        return [figure for episode in episodes for figure in (episode.usage.model_time_s, episode.usage.waiting_time_s)]

    assert run(office.clock, live_two()) == pytest.approx([2.0, 0.0, 2.0, 10.1], abs=0.06)


def request_of(size: int) -> ChatRequest:
    messages: tuple[Message, ...] = ({"role": "user", "content": "x" * size},)
    return msgspec.structs.replace(make_request(make_case()), messages=messages)


def test_tokens_are_estimated_from_the_size_of_what_is_said() -> None:
    estimate = TokenEstimate()
    assert estimate.of(request_of(4000)) == pytest.approx(1000, rel=0.02)


def test_an_estimate_that_is_wrong_is_corrected_by_and_by() -> None:
    estimate = TokenEstimate()
    for _ in range(100):
        estimate.learn(estimate.of(request_of(4000)), 500)
    assert estimate.of(request_of(4000)) == pytest.approx(500, rel=0.02)


def test_a_single_surprise_changes_little() -> None:
    estimate = TokenEstimate()
    estimate.learn(10.0, 100_000)
    assert estimate.of(request_of(4000)) < 1300


def test_a_reply_that_does_not_tell_its_tokens_leaves_the_estimate_standing(tmp_path: Path) -> None:
    endpoint = steady(0.0, Reply(text="silent"))
    office = Office(endpoint, Limits(tpm=6060), tmp_path)
    _, seconds = office.ask_all("mmm")
    size = TokenEstimate().of(make_request(make_case()))
    assert seconds == pytest.approx(2 * size / 100, abs=0.1)


def test_a_limiter_is_for_the_models_it_was_opened_for(tmp_path: Path) -> None:
    limiter, trouble = open_limiter({"a": ["one"], "b": ["one"]}, Limits(), folder=tmp_path)
    assert isinstance(limiter, EndpointLimiter)
    assert trouble is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.1", "one.1.0"]
    limiter.close()
