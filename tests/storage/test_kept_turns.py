"""Answers kept as they come, and given again to the request that they were an answer to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply
from pytest_ultra.storage.kept_turns import Prefixes, TurnKeeper, read_turns, turns_path
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory
from tests.results_factory import make_case, make_guidance

CASE = make_case()


class Clock:
    """A clock that stands still but for `advance`."""

    def __init__(self) -> None:
        self.advanced_s = 0.0

    def now(self) -> float:
        return self.advanced_s

    def time(self) -> float:
        return 1_700_000_000.0

    def advance(self, seconds: float) -> None:
        self.advanced_s += seconds


class Model:
    """Takes 2 s an answer, and counts them."""

    def __init__(self, clock: Clock) -> None:
        self.asked = 0
        self._clock = clock

    async def attempt(self, request: ChatRequest) -> Reply:
        self.asked += 1
        self._clock.advance(2)
        return Reply(f"answer {self.asked} to turn {request.turn}")

    async def aclose(self) -> None: ...


def make_request(turn: int, said: str = "go on") -> ChatRequest:
    messages = ({"role": "user", "content": said},) * turn
    return ChatRequest(CASE, make_guidance(CASE), turn, messages, ())


def ask(run: RunDirectory, *requests: ChatRequest) -> tuple[list[str], int, float]:
    """Go on from what the run's files hold; return the answers, how many were asked for, and the model's time."""
    clock = Clock()
    model = Model(clock)

    async def talk() -> list[str]:
        prefixes = Prefixes(read_turns(run, lambda _: True))
        keeper = TurnKeeper(LineFile(turns_path(run, "gw0")), model, clock, prefixes)
        answers = [(await keeper.attempt(request)).text for request in requests]
        await keeper.aclose()
        return answers

    return asyncio.run(talk()), model.asked, clock.advanced_s


def test_an_answer_is_given_again_to_the_same_request_and_takes_its_time(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    first = ask(run, make_request(1), make_request(2))
    assert first == (["answer 1 to turn 1", "answer 2 to turn 2"], 2, 4.0)
    assert ask(run, make_request(1), make_request(2), make_request(3)) == ([*first[0], "answer 1 to turn 3"], 1, 6.0)


def test_another_request_is_asked_and_so_are_all_after_it(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    ask(run, make_request(1), make_request(2))
    assert ask(run, make_request(1, "hello"), make_request(2))[1] == 2


def test_an_answer_is_given_once(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    ask(run, make_request(1))
    assert ask(run, make_request(1), make_request(1))[1] == 1


def test_a_torn_answer_is_asked_for_again_and_spoils_no_other(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    ask(run, make_request(1), make_request(2))
    path = turns_path(run, "gw0")
    path.write_bytes(path.read_bytes()[:-30])
    assert ask(run, make_request(1), make_request(2))[1] == 1
    assert ask(run, make_request(1), make_request(2))[1] == 0
