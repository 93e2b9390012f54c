"""The answers in unfinished episodes: recorded as they arrive, so that a resumed run does not pay for them again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from pytest_ultra.core.chat_request import ChatRequest, plain
from pytest_ultra.core.transcript import Reply
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.storage.codec import UNREADABLE, encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stored_files import find_stored, read_lines


class KeptTurn(msgspec.Struct, frozen=True):
    """One answer of a case's model.

    `key` is a hash of the request's messages, `at` the Unix time of the answer, `model_time_s` the time that the
    model took.
    """

    case_id: str
    turn: int
    key: str
    at: float
    model_time_s: float
    reply: Reply


CaseAnswers = dict[int, KeptTurn]
"""The answers to one case, by turn."""


class InnerEndpoint(Protocol):
    """The endpoint that is called if there is no stored answer."""

    async def attempt(self, request: ChatRequest) -> Reply: ...

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None: ...

    async def aclose(self) -> None: ...


class AdvanceableClock(Protocol):
    """The engine's clock; `advance` adds seconds to the current episode's time."""

    def now(self) -> float: ...

    def time(self) -> float: ...

    def advance(self, seconds: float) -> None: ...


class KeptAnswers:
    """The answers of earlier processes, by case id. Each is returned once; another episode of the case gets a new one.

    `has` and `take` compare the request's messages with those that were answered.
    """

    def __init__(self, answers: Mapping[str, CaseAnswers]) -> None:
        self._answers = {case_id: dict(turns) for case_id, turns in answers.items()}

    def has(self, request: ChatRequest) -> bool:
        kept = self._answers.get(request.case.case_id, {}).get(request.turn) if self._answers else None
        return kept is not None and kept.key == messages_key(request)

    def take(self, request: ChatRequest) -> KeptTurn | None:
        """Return the answer to this request. If there is none, drop the case's other answers: they no longer fit."""
        if not self._answers:
            return None
        case_id = request.case.case_id
        if self.has(request):
            return self._answers[case_id].pop(request.turn)
        self._answers.pop(case_id, None)
        return None


class TurnRecorder:
    """An endpoint that writes each answer to disk before it returns it, and returns kept answers without a call.

    Answers to own agents are not kept: an agent starts again, and need not ask the same.
    """

    def __init__(self, file: LineFile, inner: InnerEndpoint, clock: AdvanceableClock, answers: KeptAnswers) -> None:
        self._inner = inner
        self._clock = clock
        self._answers = answers
        self._file = file

    async def attempt(self, request: ChatRequest) -> Reply:
        if request.case.agent:
            return await self._inner.attempt(request)
        kept = self._answers.take(request)
        if kept is not None:
            self._clock.advance(kept.model_time_s)
            await asyncio.sleep(0)  # lets other episodes continue
            return kept.reply
        started = self._clock.now()
        reply = await self._inner.attempt(request)
        self._record(request, reply, self._clock.now() - started)
        return reply

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        return self._inner.adapt(request, failure)

    async def aclose(self) -> None:
        with suppress(OSError):
            self._file.close()
        await self._inner.aclose()

    def _record(self, request: ChatRequest, reply: Reply, took_s: float) -> None:
        """Write the answer. A full disk does not lose it: the journal reports that when the episode finishes."""
        case_id, key = request.case.case_id, messages_key(request)
        turn = KeptTurn(case_id, request.turn, key, self._clock.time(), took_s, plain(reply))
        with suppress(OSError):
            self._file.append(encode(turn) + b"\n")


def messages_key(request: ChatRequest) -> str:
    return hashlib.blake2b(encode(request.messages), digest_size=8).hexdigest()


def turns_path(run: RunDirectory, worker: str) -> Path:
    return run.path / f"turns-{worker}.jsonl"


def read_turns(
    run: RunDirectory, is_wanted: Callable[[str], bool], turns: str = "turns-*.jsonl"
) -> dict[str, CaseAnswers]:
    """Return the answers in a run's files, by case id, of the cases for which `is_wanted` is true.

    If a case was run several times, these are the answers of its newest episode.
    """
    answers: dict[str, CaseAnswers] = {}
    found = [
        dated for path in find_stored(run.path, turns) for dated in _date(_read(path)) if is_wanted(dated[1].case_id)
    ]
    for _, turn in sorted(found, key=lambda dated: dated[0]):
        kept = answers.setdefault(turn.case_id, {})
        while kept and next(reversed(kept)) >= turn.turn:  # the turns of a case are always in ascending order
            kept.popitem()
        kept[turn.turn] = turn
    return answers


def _date(turns: Iterable[KeptTurn]) -> Iterator[tuple[float, KeptTurn]]:
    """Yield a file's answers with the times by which they are sorted: a clock that is set back changes no order."""
    latest = 0.0
    for turn in turns:
        latest = max(latest, turn.at)
        yield latest, turn


def write_turns(path: Path, answers: Iterable[CaseAnswers]) -> None:
    write_atomically(path, (encode(turn) + b"\n" for turns in answers for turn in turns.values()))


def _read(path: Path) -> Iterator[KeptTurn]:
    """Yield the answers that can be decoded; the model is called again for the others."""
    for line in read_lines(path):
        try:
            yield _DECODER.decode(line.content)
        except UNREADABLE:
            continue


_DECODER = msgspec.json.Decoder(KeptTurn)
