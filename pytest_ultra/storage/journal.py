"""Journals: the finished episodes of a run, a file a worker and a line an episode, on disk before anyone is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.errors import UltraError
from pytest_ultra.storage.codec import SCHEMA_VERSION, check_version, encode
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory

REUSED = "reused"
SET_ASIDE = "controller"
"""The name under which the first process keeps records of cases that no worker can."""
"""What stands in a worker's place in the names of files that hold what other runs' workers have done."""


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
    """Where one worker puts its finished episodes; for one thread at a time."""

    def __init__(self, run: RunDirectory, worker: str) -> None:
        self.path = journal_path(run, worker)
        self._file = LineFile(self.path)
        self._sequence = 0

    def append(self, episode: Episode) -> None:
        """Put a finished episode on disk; raise JournalError when that cannot be done."""
        try:
            self._file.append(encode_line(episode, self._sequence))
        except OSError as error:
            raise JournalError(self.path, error) from error
        self._sequence += 1

    def close(self) -> None:
        self._file.close()


class JournalError(UltraError, OSError):
    """What a run leaves could not be put on disk; what was there before is safe."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(path, error)
        self.path = path
        self.error = error

    def __str__(self) -> str:
        reason = (self.error.strerror or str(self.error)).lower()
        return (
            f"cannot write to {str(self.path)!r} ({reason}), so nothing more is lived here; what was "
            "finished before is safe: make room, and the next run takes it and goes on"
        )


def journal_path(run: RunDirectory, worker: str) -> Path:
    return run.path / f"journal-{worker}.jsonl"


def has_journals(run: RunDirectory) -> bool:
    """Tell whether anybody has begun to live episodes in this run."""
    return any(path != journal_path(run, REUSED) for path in run.path.glob("journal-*.jsonl"))


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
    for line in sorted(lines, key=lambda line: (not line.episode.reused, line.episode.started_at, line.sequence)):
        lives[line.case_id] = line
    newest = sorted(lives.values(), key=lambda line: (line.episode.nodeid, line.case_id))
    return tuple(line.episode for line in newest)
