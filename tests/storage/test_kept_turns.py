"""Answers are recorded as they arrive, and returned again for the same request."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.storage.kept_turns import KeptAnswers, TurnRecorder, read_turns, turns_path
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory
from tests.results_factory import make_case, make_guidance

CASE = make_case()


class Clock:
    """A clock that only `advance` moves."""

    def __init__(self) -> None:
        self.advanced_s = 0.0

    def now(self) -> float:
        return self.advanced_s

    def time(self) -> float:
        return 1_700_000_000.0

    def advance(self, seconds: float) -> None:
        self.advanced_s += seconds


class Model:
    """Takes 2 s for each answer, and counts the calls."""

    def __init__(self, clock: Clock) -> None:
        self.calls = 0
        self._clock = clock

    async def attempt(self, request: ChatRequest) -> Reply:
        self.calls += 1
        self._clock.advance(2)
        return Reply(f"answer {self.calls} to turn {request.turn}")

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        del request, failure
        return None

    async def aclose(self) -> None: ...


def make_request(turn: int, said: str = "go on") -> ChatRequest:
    messages = ({"role": "user", "content": said},) * turn
    return ChatRequest(CASE, make_guidance(CASE), turn, messages, ())


def send(run: RunDirectory, *requests: ChatRequest) -> tuple[list[str], int, float]:
    """Send requests, with answers from the run's files; return the answers, the number of calls, and the model time."""
    clock = Clock()
    model = Model(clock)

    async def converse() -> list[str]:
        kept = KeptAnswers(read_turns(run, lambda _: True))
        recorder = TurnRecorder(LineFile(turns_path(run, "gw0")), model, clock, kept)
        answers = [(await recorder.attempt(request)).text for request in requests]
        await recorder.aclose()
        return answers

    return asyncio.run(converse()), model.calls, clock.advanced_s


def test_an_answer_is_returned_for_the_same_request_and_counts_its_model_time(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    first = send(run, make_request(1), make_request(2))
    assert first == (["answer 1 to turn 1", "answer 2 to turn 2"], 2, 4.0)
    assert send(run, make_request(1), make_request(2), make_request(3)) == ([*first[0], "answer 1 to turn 3"], 1, 6.0)


def test_a_different_request_and_all_after_it_call_the_model(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    send(run, make_request(1), make_request(2))
    assert send(run, make_request(1, "hello"), make_request(2))[1] == 2


def test_an_answer_is_returned_once(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    send(run, make_request(1))
    assert send(run, make_request(1), make_request(1))[1] == 1


def test_a_damaged_answer_is_requested_again_and_damages_no_other(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    send(run, make_request(1), make_request(2))
    path = turns_path(run, "gw0")
    path.write_bytes(path.read_bytes()[:-30])
    assert send(run, make_request(1), make_request(2))[1] == 1
    assert send(run, make_request(1), make_request(2))[1] == 0
