"""An index of the episodes in a run's journals: it finds them without reading each one in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.storage.codec import Versioned, decode_versioned
from pytest_ultra.storage.journal import Dating, JournalPlace, Recency
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stored_files import find_stored, read_lines


class IndexedEpisode(msgspec.Struct, frozen=True):
    """The place of a finished episode in its journal, and its main fields.

    `case_id` is the stored one: it hashes the versions with which the episode was run.
    """

    case_id: str
    outcome: Outcome
    failure_class: FailureClass | None
    recency: Recency
    place: JournalPlace

    def read(self) -> Episode | None:
        """Return the episode, None if it can no longer be read."""
        return self.place.read()

    def read_line(self) -> bytes:
        """Return the line of the journal as it was written."""
        return self.place.read_line()


def index_episodes(run: RunDirectory, journals: str = "journal-*.jsonl") -> list[IndexedEpisode]:
    """Return all episodes in a run's journals, oldest first; damaged lines are skipped.

    Raises ConfigurationError if a journal has a newer schema version.
    """
    episodes = [episode for path in find_stored(run.path, journals) for episode in _index(path)]
    return sorted(episodes, key=lambda episode: episode.recency)


def newest_episodes(episodes: Iterable[IndexedEpisode]) -> dict[str, IndexedEpisode]:
    """Return the newest episode of each case, by case id; `episodes` are sorted oldest first."""
    return {episode.case_id: episode for episode in episodes}


def _index(path: Path) -> Iterator[IndexedEpisode]:
    dating = Dating()
    for line in read_lines(path):
        head = decode_versioned(line.content, _DECODER, path) if line.is_whole else None
        if head is not None:
            episode = head.episode
            yield IndexedEpisode(
                case_id=head.case_id,
                outcome=episode.score.outcome,
                failure_class=episode.score.failure_class,
                recency=dating.recency(
                    head.case_id, is_reused=episode.reused, started_at=episode.started_at, offset=line.offset
                ),
                place=JournalPlace(path, line.offset, line.length),
            )


class _Score(msgspec.Struct, frozen=True):
    outcome: Outcome
    failure_class: FailureClass | None = None


class _Episode(msgspec.Struct, frozen=True):
    score: _Score
    started_at: float
    reused: bool = False


class _Head(Versioned, frozen=True):
    case_id: str
    episode: _Episode


_DECODER = msgspec.json.Decoder(_Head)
