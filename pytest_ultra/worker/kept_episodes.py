"""The files in which a process keeps what it has run: the cases that it has started, and its finished episodes."""

from __future__ import annotations

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.meter import Meter
from pytest_ultra.storage.journal import Journal, JournalPlace
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.started_cases import StartedCases


class KeptEpisodes:
    """The process's own files. `places` says where the newest episode of each case is, its own or a reused one."""

    def __init__(self, run: RunDirectory, worker: str, meter: Meter) -> None:
        self.places: dict[Case, JournalPlace] = {}
        self._meter = meter
        self._journal = Journal(run, worker)
        self._started = StartedCases(run, worker)

    def note_start(self, assignment: Assignment) -> None:
        self._started.record(assignment.case.case_id)

    def append(self, episode: Episode) -> None:
        """Write a finished episode to disk, and count it. Raises JournalError if that fails."""
        self.places[episode.case] = self._journal.append(episode)
        self._meter.finish(episode.case, episode.outcome)

    def reread(self, case: Case) -> Episode:
        """Return an episode that is no longer in memory."""
        place = self.places[case]
        episode = place.read()
        if episode is None:
            raise LookupError(f"the line of {case.case_id} in {place.path.name} is damaged")
        return episode

    def close(self) -> None:
        self._journal.close()
        self._started.close()
