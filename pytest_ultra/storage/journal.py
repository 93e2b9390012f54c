"""Journals: the finished episodes of a run, a file a worker and a line an episode, on disk before anyone is told."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path

import msgspec

from pytest_ultra.benchmark.episode import Episode
from pytest_ultra.storage.codec import SCHEMA_VERSION, check_version, encode
from pytest_ultra.storage.runs import RunDirectory


class Line(msgspec.Struct, frozen=True):
    """One line of a journal.

    `case_id` is kept because it is a hash over the versions of the day; `sequence` counts a journal's lines.
    """

    schema_version: int
    sequence: int
    case_id: str
    episode: Episode


class Torn(msgspec.Struct, frozen=True):
    """A line that cannot be read, most likely cut off by a kill: where it stands (from 1), and its bytes."""

    path: Path
    line: int
    content: bytes

    def __str__(self) -> str:
        return f"{self.path.name}, line {self.line}: {len(self.content)} bytes cannot be read and were left aside"


class JournalContents(msgspec.Struct, frozen=True):
    """The newest life of each case, in an order that does not depend on who finished when; and what was torn."""

    episodes: tuple[Episode, ...]
    torn: tuple[Torn, ...] = ()


def encode_line(episode: Episode, sequence: int) -> bytes:
    """Encode an episode as a line; one that nests too deep for the codec is kept without its transcript."""
    line = Line(SCHEMA_VERSION, sequence, episode.case.case_id, episode)
    try:
        return encode(line) + b"\n"
    except RecursionError:
        bare = msgspec.structs.replace(episode, transcript=())
        return encode(msgspec.structs.replace(line, episode=bare)) + b"\n"


def decode_line(content: bytes, path: Path) -> Line | None:
    """Return the line, None when it is torn; raise ConfigurationError when it is of a newer schema."""
    try:
        line = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        check_version(content, path)
        return None
    if line.schema_version > SCHEMA_VERSION:
        check_version(content, path)
    return line


_DECODER = msgspec.json.Decoder(Line)


class Journal:
    """Where one worker puts its finished episodes; for one thread at a time.

    A line is handed to the operating system whole before `append` returns, so that a kill of this process loses
    nothing. Only a power cut could, and an fsync a line, at up to 10 ms of the event loop's time, is too dear
    for that: it is done once, at `close`.
    """

    def __init__(self, run: RunDirectory, worker: str) -> None:
        self.path = run.path / f"journal-{worker}.jsonl"
        self._file: FileIO = self.path.open("ab", buffering=0)
        self._is_torn = _has_torn_end(self.path)
        self._sequence = 0

    def append(self, episode: Episode) -> None:
        content = encode_line(episode, self._sequence)
        self._write(b"\n" + content if self._is_torn else content)
        self._sequence += 1

    def close(self) -> None:
        if not self._file.closed:
            with self._file:
                os.fsync(self._file.fileno())

    def _write(self, content: bytes) -> None:
        self._is_torn = True
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._is_torn = False


def read_episodes(run: RunDirectory) -> JournalContents:
    """Read all journals of a run, also while it lives."""
    torn: list[Torn] = []
    lines: list[Line] = []
    for path in sorted(run.path.glob("journal-*.jsonl")):
        for line in _read_lines(path):
            if isinstance(line, Torn):
                torn.append(line)
            else:
                lines.append(line)
    return JournalContents(_newest(lines), tuple(torn))


def _read_lines(path: Path) -> Iterator[Line | Torn]:
    with path.open("rb") as file:
        for number, content in enumerate(file, start=1):
            if content.strip():
                yield decode_line(content, path) or Torn(path, number, content)


def _newest(lines: Iterable[Line]) -> tuple[Episode, ...]:
    lives: dict[str, Line] = {}
    for line in sorted(lines, key=lambda line: (line.episode.started_at, line.sequence)):
        lives[line.case_id] = line
    newest = sorted(lives.values(), key=lambda line: (line.episode.nodeid, line.case_id))
    return tuple(line.episode for line in newest)


def _has_torn_end(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return False
        file.seek(size - 1)
        return file.read(1) != b"\n"
