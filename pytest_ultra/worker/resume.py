"""What a process need not live or ask any more, because it is on disk: of other runs, or of a worker that crashed."""

from __future__ import annotations

from pytest_ultra.core.episode import Episode
from pytest_ultra.engine.replayed_clock import ReplayedClock
from pytest_ultra.storage.episode_index import Life, find_lives, newest_lives
from pytest_ultra.storage.journal import REUSED, journal_path
from pytest_ultra.storage.kept_turns import Prefixes, TurnKeeper, read_turns, turns_path
from pytest_ultra.storage.line_file import LineFile
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.worker.client_stack import Opener, Way


class Finished:
    """The episodes that are on disk when a process begins; each is given once, and then counts as the engine's own.

    An heir finds also what the crashed worker has finished, errors included.
    """

    def __init__(self, run: RunDirectory, *, is_heir: bool) -> None:
        self._whose = "*" if is_heir else REUSED
        self._run = run
        self._lives: dict[str, Life] = newest_lives(find_lives(run, journal_path(run, self._whose).name))

    def __contains__(self, case_id: str) -> bool:
        return case_id in self._lives

    def take(self, case_id: str) -> Episode | None:
        life = self._lives.pop(case_id, None)
        return None if life is None else life.read()

    def keep_turns(self, worker: str, opener: Opener, clock: ReplayedClock | None = None) -> Way:
        """Have each answer kept as it comes, and those given without asking that unfinished episodes have left."""
        files = turns_path(self._run, self._whose).name
        prefixes = Prefixes(read_turns(self._run, lambda case_id: case_id not in self, files))
        clock = clock or ReplayedClock(is_frozen=False)
        file = LineFile(turns_path(self._run, worker))
        return Way(
            lambda: TurnKeeper(file, opener(), clock, prefixes), clock, lambda request: not prefixes.has(request)
        )
