"""When a model is given up, attempts at it that are under way are over at once: nobody waits for their answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Attempted, Reply
from pytest_ultra.engine.attempts import BROKEN_OFF
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limiter import Unlimited
from pytest_ultra.engine.retry import Caller
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from tests.engine.engine_fakes import DONE, FakeEndpoint, VirtualClock, make_case, make_request, run, status

SLOW_S = 60.0


async def turn_away_the_first(request: ChatRequest) -> Reply:
    await asyncio.sleep(1.0 if request.case.instance == 0 else SLOW_S)
    if request.case.instance == 0:
        raise status(401)
    return DONE


class Door(Unlimited):
    """Notes what it is told on leaving."""

    def __init__(self) -> None:
        self.left: list[Reply | AttemptFailedError | None] = []

    def leave(self, permit: object, result: Reply | AttemptFailedError | None) -> None:
        del permit
        self.left.append(result)


@dataclass
class Asked:
    """What became of cases that were asked together."""

    results: list[Reply | GivenUp]
    seconds: float
    notes: list[Attempted] = field(default_factory=list)


def ask_together(models: list[str], door: Door, *, limit_s: float | None = None) -> Asked:
    clock = VirtualClock()
    notes: list[Attempted] = []
    caller = Caller(FakeEndpoint(turn_away_the_first), clock, limiter=door)

    async def ask() -> list[Reply | GivenUp]:
        requests = [make_request(make_case(instance, model=model)) for instance, model in enumerate(models)]
        return await asyncio.gather(*(caller.ask(request, notes.append, limit_s) for request in requests))

    return Asked(run(clock, ask()), clock.seconds, notes)


@pytest.mark.parametrize("limit_s", [None, 30.0])
def test_all_attempts_at_a_model_that_is_given_up_end_with_it(limit_s: float | None) -> None:
    door = Door()
    asked = ask_together(["m"] * 3, door, limit_s=limit_s)
    assert asked.seconds == 1.0
    assert isinstance(asked.results[0], GivenUp)
    assert asked.results == [asked.results[0]] * 3
    assert [(note.problem, note.detail) for note in asked.notes[1:]] == [(AttemptProblem.DROPPED, BROKEN_OFF)] * 2
    assert door.left[1:] == [None, None]


def test_attempts_at_other_models_go_on() -> None:
    asked = ask_together(["m", "other"], Door())
    assert asked.results[1] == DONE
    assert asked.seconds == SLOW_S
