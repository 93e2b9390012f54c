"""The answers of episodes that are not finished: kept as they come, so that none is paid for a second time."""

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
from pytest_ultra.storage.codec import encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory


class KeptTurn(msgspec.Struct, frozen=True):
    """One answer: to which case's turn, to what (`key` is a hash over the messages), and how long the model took."""

    case_id: str
    turn: int
    key: str
    at: float
    model_time_s: float
    reply: Reply


Prefix = dict[int, KeptTurn]
"""The answers that a case's model has given so far, by turn."""


class Inner(Protocol):
    """What is asked for the turns that are not kept."""

    async def attempt(self, request: ChatRequest) -> Reply: ...

    async def aclose(self) -> None: ...


class Stopwatch(Protocol):
    """The engine's clock: `advance` makes the episode at hand that much longer."""

    def now(self) -> float: ...

    def time(self) -> float: ...

    def advance(self, seconds: float) -> None: ...


class Prefixes:
    """The answers at hand. Each is given once: whoever asks again, for another life of the case, gets a new one."""

    def __init__(self, prefixes: Mapping[str, Prefix]) -> None:
        self._prefixes = {case_id: dict(prefix) for case_id, prefix in prefixes.items()}

    def has(self, request: ChatRequest) -> bool:
        kept = self._prefixes.get(request.case.case_id, {}).get(request.turn) if self._prefixes else None
        return kept is not None and kept.key == request_key(request)

    def take(self, request: ChatRequest) -> KeptTurn | None:
        """Return the answer to this very request; without one, the conversation has left what was kept of it."""
        case_id = request.case.case_id
        if self.has(request):
            return self._prefixes[case_id].pop(request.turn)
        self._prefixes.pop(case_id, None)
        return None


class TurnKeeper:
    """An endpoint that keeps each answer on disk before it gives it, and gives those of `prefixes` without asking."""

    def __init__(self, file: LineFile, inner: Inner, clock: Stopwatch, prefixes: Prefixes) -> None:
        self._inner = inner
        self._clock = clock
        self._prefixes = prefixes
        self._file = file

    async def attempt(self, request: ChatRequest) -> Reply:
        kept = self._prefixes.take(request)
        if kept is not None:
            self._clock.advance(kept.model_time_s)
            await asyncio.sleep(0)  # so that other episodes go on as well
            return kept.reply
        started = self._clock.now()
        reply = await self._inner.attempt(request)
        self._keep(request, reply, self._clock.now() - started)
        return reply

    async def aclose(self) -> None:
        with suppress(OSError):
            self._file.close()
        await self._inner.aclose()

    def _keep(self, request: ChatRequest, reply: Reply, took_s: float) -> None:
        """Write the answer down. A full disk does not cost it: the journal says so when the episode is finished."""
        case_id, key = request.case.case_id, request_key(request)
        turn = KeptTurn(case_id, request.turn, key, self._clock.time(), took_s, plain(reply))
        with suppress(OSError):
            self._file.append(encode(turn) + b"\n")


def request_key(request: ChatRequest) -> str:
    return hashlib.blake2b(encode(request.messages), digest_size=8).hexdigest()


def turns_path(run: RunDirectory, worker: str) -> Path:
    return run.path / f"turns-{worker}.jsonl"


def read_turns(run: RunDirectory, is_wanted: Callable[[str], bool], turns: str = "turns-*.jsonl") -> dict[str, Prefix]:
    """Return the answers in a run's files to cases that are wanted; of several lives, those of the newest."""
    prefixes: dict[str, Prefix] = {}
    found = [turn for path in run.path.glob(turns) for turn in _read(path) if is_wanted(turn.case_id)]
    for turn in sorted(found, key=lambda turn: turn.at):
        before = prefixes.get(turn.case_id, {})
        prefixes[turn.case_id] = {n: kept for n, kept in before.items() if n < turn.turn} | {turn.turn: turn}
    return prefixes


def write_turns(path: Path, prefixes: Iterable[Prefix]) -> None:
    write_atomically(path, (encode(turn) + b"\n" for prefix in prefixes for turn in prefix.values()))


def _read(path: Path) -> Iterator[KeptTurn]:
    """Return what can be read: an answer that cannot is asked for again."""
    with path.open("rb") as file:
        for content in file:
            try:
                yield _DECODER.decode(content)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue


_DECODER = msgspec.json.Decoder(KeptTurn)
