"""What a process need not run or request again because it is on disk: from other runs, or from a crashed worker."""

from __future__ import annotations

from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.engine.replayed_clock import ReplayedClock
from pytest_ultra.storage.episode_index import IndexedEpisode, index_episodes, newest_episodes
from pytest_ultra.storage.journal import REUSED, JournalPlace, journal_path
from pytest_ultra.storage.kept_turns import KeptAnswers, TurnRecorder, read_turns, turns_path
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.worker.client_stack import ClientStack, Opener


class FinishedEpisodes:
    """The episodes that were on disk when a process started. Each is given out once; then the engine owns it.

    A replacement also finds what the crashed worker finished, errors included.
    """

    def __init__(self, run: RunDirectory, *, is_replacement: bool) -> None:
        self._workers = "*" if is_replacement else REUSED
        self._run = run
        self._indexed: dict[str, IndexedEpisode] = newest_episodes(
            index_episodes(run, journal_path(run, self._workers).name)
        )

    def __contains__(self, case_id: str) -> bool:
        return case_id in self._indexed

    def outcome_of(self, case_id: str) -> Outcome:
        return self._indexed[case_id].outcome

    def take(self, case_id: str) -> tuple[Episode, JournalPlace] | None:
        """Return an episode and where it is on disk; None if there is none, or it can no longer be read."""
        indexed = self._indexed.pop(case_id, None)
        episode = None if indexed is None else indexed.read()
        return None if indexed is None or episode is None else (episode, indexed.place)

    def keep_answers(self, worker: str, opener: Opener, clock: ReplayedClock | None = None) -> ClientStack:
        """Add a layer that keeps each answer as it comes, and serves those that unfinished episodes have left."""
        files = turns_path(self._run, self._workers).name
        kept = KeptAnswers(read_turns(self._run, lambda case_id: case_id not in self, files))
        clock = clock or ReplayedClock(is_frozen=False)
        file = LineFile(turns_path(self._run, worker))
        return ClientStack(
            lambda: TurnRecorder(file, opener(), clock, kept), clock, lambda request: not kept.has(request)
        )
