"""Several endpoints of one model share its calls, and one that fails is left alone without an episode's loss."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.endpoint_pool import REST_S, STRIKES
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.open_limiter import open_limiter
from pytest_ultra.engine.retry import Caller
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from tests.engine.engine_fakes import DONE, FakeEndpoint, VirtualClock, make_case, make_request, problem, run, status

Answer = Callable[[float], Reply | AttemptFailedError]
"""What an endpoint answers at a time, in seconds from the start."""


def well(_now: float) -> Reply:
    return DONE


class Hall:
    """A caller behind a limiter, before one endpoint for each answer; calls take a second."""

    def __init__(self, folder: Path, *answers: Answer, limits: Limits | None = None) -> None:
        self.clock = VirtualClock()
        self.clock.seconds = 1000.0
        self.asked: list[tuple[float, int]] = []
        names = [f"endpoint-{number}" for number in range(len(answers))]
        self.limiter, _ = open_limiter({"m": names}, limits or Limits(), folder=folder, clock=self.clock)
        endpoint = FakeEndpoint(self._respond)
        self.caller = Caller(endpoint, self.clock, limiter=self.limiter, chance=lambda _case, _turn, _attempt: 0.5)
        self.attempts: list[Attempted] = []
        self._answers = answers

    @property
    def shares(self) -> Counter[int]:
        return Counter(route for _, route in self.asked)

    def ask(self, calls: int, every_s: float = 0.0) -> list[Reply | GivenUp]:
        async def ask(instance: int) -> Reply | GivenUp:
            await asyncio.sleep(instance * every_s)
            return await self.caller.ask(make_request(make_case(instance)), self.attempts.append)

        async def ask_all() -> list[Reply | GivenUp]:
            answers = await asyncio.gather(*map(ask, range(calls)))
            self.limiter.close()
            return answers

        return run(self.clock, ask_all())

    async def _respond(self, request: ChatRequest) -> Reply:
        began = self.clock.seconds - 1000.0
        self.asked.append((began, request.route))
        await asyncio.sleep(1.0)
        answer = self._answers[request.route](began)
        if isinstance(answer, AttemptFailedError):
            raise answer
        return answer


def test_calls_are_spread_by_free_capacity(tmp_path: Path) -> None:
    hall = Hall(tmp_path, well, well, well)
    assert hall.ask(90) == [DONE] * 90
    assert hall.shares == {0: 30, 1: 30, 2: 30}


def test_each_endpoint_has_its_own_limits(tmp_path: Path) -> None:
    hall = Hall(tmp_path, well, well, limits=Limits(max_in_flight=2))
    assert hall.ask(8) == [DONE] * 8
    assert hall.clock.seconds == 1002, "four at a time"


def test_an_endpoint_that_asks_for_a_wait_is_passed_over(tmp_path: Path) -> None:
    hall = Hall(tmp_path, lambda now: DONE if now > 0 else status(429, retry_after_s=60), well)
    assert hall.ask(20, every_s=2) == [DONE] * 20
    assert hall.shares == {0: 1, 1: 20}


@pytest.mark.parametrize("kind", [AttemptProblem.DROPPED, AttemptProblem.TIMEOUT])
def test_a_sick_endpoint_rests_is_probed_and_comes_back(tmp_path: Path, kind: AttemptProblem) -> None:
    hall = Hall(tmp_path, lambda now: problem(kind) if now < 30 else DONE, well)
    assert hall.ask(200, every_s=0.5) == [DONE] * 200, "no episode is lost"
    sick = [began for began, route in hall.asked if route == 0 and began < 30]
    begun = [began for number, began in enumerate(sick) if number == 0 or began - sick[number - 1] >= REST_S]
    assert len(begun) == 3
    assert begun[2] - begun[1] >= 2 * REST_S, "each rest is twice the last"
    assert len(sick) - len(begun) <= STRIKES, "only the first calls were not alone"
    assert sum(began > 70 for began, route in hall.asked if route == 0) > 10, "and then it takes its share again"


def test_who_waits_for_an_endpoint_that_falls_ill_moves_to_another(tmp_path: Path) -> None:
    hall = Hall(tmp_path, lambda _: problem(AttemptProblem.DROPPED), well, limits=Limits(max_in_flight=3))
    assert hall.ask(30) == [DONE] * 30
    assert hall.shares[0] <= 2 * STRIKES
    assert hall.shares[1] == 30


@pytest.mark.parametrize("code", [401, 403, 404])
def test_an_endpoint_that_turns_the_key_or_the_model_away_is_asked_no_more(tmp_path: Path, code: int) -> None:
    hall = Hall(tmp_path, lambda _: status(code), well)
    assert hall.ask(10, every_s=2) == [DONE] * 10
    assert hall.shares == {0: 1, 1: 10}
    [failed] = [attempt for attempt in hall.attempts if attempt.problem]
    assert (failed.status, failed.wait_s) == (code, 0.0)


def test_a_model_is_given_up_when_all_of_its_endpoints_are(tmp_path: Path) -> None:
    hall = Hall(tmp_path, lambda _: status(401), lambda _: status(404), limits=Limits(rpm=6))
    answers = hall.ask(50)
    assert {answer.reason for answer in answers if isinstance(answer, GivenUp)} == {EndReason.ENDPOINT}
    assert len(answers) == 50
    assert hall.shares == {0: 1, 1: 1}


def test_where_all_are_sick_a_turn_ends_like_any_other(tmp_path: Path) -> None:
    hall = Hall(tmp_path, lambda _: status(500), lambda _: status(500))
    [answer] = hall.ask(1)
    assert isinstance(answer, GivenUp)
    assert "after 6 attempts" in answer.detail


def test_a_longer_wait_than_we_have_patience_for_is_for_the_endpoint_that_asks_for_it(tmp_path: Path) -> None:
    hall = Hall(tmp_path, lambda _: status(429, retry_after_s=9999), well)
    assert hall.ask(5, every_s=2) == [DONE] * 5
    assert hall.shares == {0: 1, 1: 5}
