"""The lives of cases that a run's journals hold: found quickly, and read one by one when they are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.storage.codec import SCHEMA_VERSION, check_version
from pytest_ultra.storage.journal import decode_line
from pytest_ultra.storage.run_directory import RunDirectory


class Life(msgspec.Struct, frozen=True):
    """Where a finished episode stands, and what must be known of it before it is read.

    `case_id` is the stored one, which is a hash over the versions of its day.
    """

    case_id: str
    outcome: Outcome
    failure_class: FailureClass | None
    age: tuple[bool, float, int]  # what was lived in the run itself is newer than what it took from another
    path: Path
    offset: int
    length: int

    def read(self) -> Episode | None:
        """Return the episode, None when it can no longer be read."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            line = decode_line(file.read(self.length), self.path)
        return None if line is None else line.episode


def find_lives(run: RunDirectory, journals: str = "journal-*.jsonl") -> list[Life]:
    """Return all lives in a run's journals, oldest first; torn lines are left aside.

    Raises ConfigurationError when one is of a newer schema.
    """
    lives = [life for path in sorted(run.path.glob(journals)) for life in _find(path)]
    return sorted(lives, key=lambda life: life.age)


def newest_lives(lives: Iterable[Life]) -> dict[str, Life]:
    """Return the newest life of each case; `lives` come oldest first."""
    return {life.case_id: life for life in lives}


def _find(path: Path) -> Iterator[Life]:
    offset = 0
    with path.open("rb") as file:
        for content in file:
            head = _decode(content, path)
            if head is not None:
                episode = head.episode
                yield Life(
                    case_id=head.case_id,
                    outcome=episode.score.outcome,
                    failure_class=episode.score.failure_class,
                    age=(not episode.reused, episode.started_at, head.sequence),
                    path=path,
                    offset=offset,
                    length=len(content),
                )
            offset += len(content)


class _Score(msgspec.Struct, frozen=True):
    outcome: Outcome
    failure_class: FailureClass | None = None


class _Episode(msgspec.Struct, frozen=True):
    score: _Score
    started_at: float
    reused: bool = False


class _Head(msgspec.Struct, frozen=True):
    schema_version: int
    sequence: int
    case_id: str
    episode: _Episode


def _decode(content: bytes, path: Path) -> _Head | None:
    try:
        head = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        check_version(content, path)
        return None
    if head.schema_version > SCHEMA_VERSION:
        check_version(content, path)
    return head


_DECODER = msgspec.json.Decoder(_Head)
