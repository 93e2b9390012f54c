"""Journals: a file per worker, a line per finished episode, written before the episode is reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.errors import UltraError
from pytest_ultra.storage.codec import SCHEMA_VERSION, Versioned, decode_versioned, encode
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stored_files import StoredLine, find_stored, list_files, open_stored, read_lines

REUSED = "reused"
"""Takes the place of the worker's name in files with episodes or answers that are reused from other runs."""
QUARANTINED = "controller"
"""Takes the place of the worker's name in the journal in which the controller records quarantined cases."""


class JournalLine(Versioned, frozen=True):
    """One line of a journal.

    `case_id` is stored because it hashes the versions with which the episode was run; `sequence` counts the lines
    that a process has written, from 0.
    """

    sequence: int
    case_id: str
    episode: Episode


class DamagedLine(msgspec.Struct, frozen=True):
    """A line that cannot be decoded, most likely because of a kill; `line` counts from 1.

    `content` is the beginning of its `length` bytes.
    """

    path: Path
    line: int
    content: bytes
    length: int

    def __str__(self) -> str:
        return f"{self.path.name}, line {self.line}: {self.length} bytes cannot be read and were skipped"

    @property
    def case_id(self) -> str | None:
        """The id of the case that the line was about, None if the line does not say it."""
        found = _CASE_ID.search(self.content)
        return None if found is None else found[1].decode()


_CASE_ID = re.compile(rb'"case_id":"([0-9a-f]+)"')
_MOST_KEPT_BYTES = 1000


class JournalContents(msgspec.Struct, frozen=True):
    """The newest episode of each case, and the damaged lines; `obstacle` says why nothing could be read."""

    episodes: tuple[Episode, ...]
    damaged: tuple[DamagedLine, ...] = ()
    obstacle: str | None = None


def encode_line(episode: Episode, sequence: int) -> bytes:
    """Encode an episode as a line; if its transcript is nested too deeply for the codec, leave the transcript out."""
    line = JournalLine(SCHEMA_VERSION, sequence, episode.case.case_id, episode)
    try:
        return encode(line) + b"\n"
    except RecursionError:
        slim = msgspec.structs.replace(episode, transcript=())
        return encode(msgspec.structs.replace(line, episode=slim)) + b"\n"


def decode_line(content: bytes, path: Path) -> JournalLine | None:
    """Return the line, None if it is damaged; raise ConfigurationError if it has a newer schema version."""
    return decode_versioned(content, _DECODER, path)


_DECODER = msgspec.json.Decoder(JournalLine)


class JournalPlace(msgspec.Struct, frozen=True):
    """Where an episode's line is in a journal: `offset` and `length` are in bytes."""

    path: Path
    offset: int
    length: int

    def read(self) -> Episode | None:
        """Return the episode, None if it can no longer be read."""
        line = decode_line(self.read_line(), self.path)
        return None if line is None else line.episode

    def read_line(self) -> bytes:
        """Return the line of the journal as it was written."""
        with open_stored(self.path) as file:
            file.seek(self.offset)
            return file.read(self.length)


Recency = tuple[bool, float, int]
"""What is greater for a newer episode of a case; see `Dating`."""


class Dating:
    """Dates the lines of one journal, in their order: a later line of a case is newer, whatever the clock said."""

    def __init__(self) -> None:
        self._latest: dict[str, float] = {}

    def recency(self, case_id: str, *, is_reused: bool, started_at: float, offset: int) -> Recency:
        """Return the recency of the next line: a run's own episodes are newer than those it reuses."""
        self._latest[case_id] = latest = max(self._latest.get(case_id, 0.0), started_at)
        return not is_reused, latest, offset


class PlacedLine(msgspec.Struct, frozen=True):
    """An episode in a journal, its place, and how new it is."""

    episode: Episode
    place: JournalPlace
    recency: Recency


class Journal:
    """The file to which one worker writes its finished episodes; not thread-safe."""

    def __init__(self, run: RunDirectory, worker: str) -> None:
        self.path = journal_path(run, worker)
        self._file = LineFile(self.path)
        self._sequence = 0

    def append(self, episode: Episode) -> JournalPlace:
        """Write a finished episode to disk, and return where; raise JournalError if that fails."""
        line = encode_line(episode, self._sequence)
        try:
            offset = self._file.append(line)
        except OSError as error:
            raise JournalError(self.path, error) from error
        self._sequence += 1
        return JournalPlace(self.path, offset, len(line))

    def close(self) -> None:
        self._file.close()


class JournalError(UltraError, OSError):
    """A file of the run directory could not be written; what was written before is safe."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(path, error)
        self.path = path
        self.error = error

    def __str__(self) -> str:
        reason = (self.error.strerror or str(self.error)).lower()
        return (
            f"cannot write to {str(self.path)!r} ({reason}), so this process runs no more episodes; finished episodes "
            "are safe: free some disk space, and the next run reuses them and runs the rest"
        )


def journal_path(run: RunDirectory, worker: str) -> Path:
    return run.path / f"journal-{worker}.jsonl"


def has_journals(run: RunDirectory) -> bool:
    """Return whether a process has started to run episodes in this run. Raises OSError if that cannot be read."""
    return any(path != journal_path(run, REUSED) for path in list_files(run.path, "journal-*.jsonl"))


def read_episodes(run: RunDirectory) -> JournalContents:
    """Read all journals of a run, which may still be running; episodes are sorted by node id and case id."""
    damaged: list[DamagedLine] = []
    newest: dict[str, tuple[Recency, Episode]] = {}
    for line in read_journals(run):
        if isinstance(line, DamagedLine):
            damaged.append(line)
        else:
            case_id, recency = line.episode.case_id, line.recency
            if case_id not in newest or newest[case_id][0] <= recency:
                newest[case_id] = recency, line.episode
    episodes = (episode for _, episode in newest.values())
    return JournalContents(tuple(sorted(episodes, key=in_order)), tuple(damaged))


def describe_damage(run: RunDirectory, damaged: Iterable[DamagedLine]) -> tuple[str, ...]:
    """Return a message for each damaged line, where several runs are read."""
    return tuple(f"run {run.run_id}: {line}" for line in damaged)


def in_order(episode: Episode) -> tuple[str, str]:
    """Return the key by which the episodes of a run are sorted."""
    return episode.nodeid, episode.case_id


def read_journals(run: RunDirectory) -> Iterator[PlacedLine | DamagedLine]:
    """Yield all lines of a run's journals, one at a time; a case has several if it was run again.

    Of a case, by its episode's own identity, the line with the greatest `recency` counts, and of equal ones the last: a
    line whose stored id is damaged adds no second one.
    """
    for path in find_stored(run.path, "journal-*.jsonl"):
        dating = Dating()
        for stored in read_lines(path):
            if stored.content.strip() or not stored.is_whole:
                yield _decode_stored(stored, path, dating) or _damaged(stored, path)


def _decode_stored(stored: StoredLine, path: Path, dating: Dating) -> PlacedLine | None:
    line = decode_line(stored.content, path) if stored.is_whole else None
    if line is None:
        return None
    reused, started_at = line.episode.reused, line.episode.started_at
    recency = dating.recency(line.case_id, is_reused=reused, started_at=started_at, offset=stored.offset)
    return PlacedLine(line.episode, JournalPlace(path, stored.offset, stored.length), recency)


def _damaged(stored: StoredLine, path: Path) -> DamagedLine:
    return DamagedLine(path, stored.number, stored.content[:_MOST_KEPT_BYTES], stored.length)
