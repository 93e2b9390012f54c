"""The gate between the rounds of `--ultra-until`: a round begins when all processes have ended the one before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from pytest_ultra.core.episode import Episode
from pytest_ultra.distribution.partition import partition
from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.storage.round_files import RoundDecision, RoundFiles
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.slim_episodes import SlimEpisodes

LOOK_S = 0.05
REPLACED_WITHIN_S = 60.0
"""How long a process may be missing before the others stop to wait for one that replaces it."""

Judge = Callable[[Sequence[Episode]], str | None]
"""Returns why no further round is needed after these episodes, None if one is."""


class RoundGate:
    """Counts this process's cases of each round, and waits for the other processes."""

    def __init__(self, folder: Path, judge: Judge, *, number: int, workers: int) -> None:
        """`folder` is the run's directory, `number` this process's among `workers`."""
        self._run = run = RunDirectory.open(folder)
        self._judge = judge
        self._number = number
        self._workers = workers
        self._files = RoundFiles(run)
        self._left: dict[int, set[str]] = {}
        self._taking_part: dict[int, list[int]] = {}
        self._lock: FileLock | None = None

    def open(self, nodeids: Sequence[str], rounds: Mapping[str, int], own: Mapping[str, int]) -> None:
        """Take the tests of all processes, and the rounds of this process's unfinished cases, by case id."""
        self._lock = self._files.join(self._number)
        for number in sorted(set(rounds.values())):
            of_round = {case_id: each for case_id, each in rounds.items() if each == number}
            shards = partition(nodeids, self._workers, of_round)
            self._taking_part[number] = [worker for worker, shard in enumerate(shards) if shard]
            self._left[number] = {case_id for case_id, each in own.items() if each == number}
            self._mark_if_ended(number)

    def end_case(self, case_id: str, number: int) -> None:
        """Note that the test of a case has what it waited for."""
        if case_id in self._left[number]:
            self._left[number].discard(case_id)
            self._mark_if_ended(number)

    def wait(self, number: int, is_stopped: Callable[[], bool]) -> str | None:
        """Wait until the round before `number` has ended everywhere; return why this one is not needed, or None."""
        missing_since: dict[int, float] = {}
        while not is_stopped():
            missing = self._files.find_missing(number - 1, self._taking_part[number - 1])
            gone = {worker for worker in missing if self._files.is_gone(worker)}
            missing_since = {worker: missing_since.get(worker, SYSTEM_CLOCK.now()) for worker in gone}
            if all(worker in gone and self._is_given_up(missing_since[worker]) for worker in missing):
                decision = self._files.decide(number, lambda: self._decide(number))
                return None if decision.is_needed else decision.reason
            time.sleep(LOOK_S)
        return None

    def close(self) -> None:
        """End this process's part of all rounds."""
        for number in self._left:
            self._files.mark_ended(number, self._number)
        if self._lock is not None:
            self._lock.release()

    def _decide(self, number: int) -> RoundDecision:
        reason = self._judge(SlimEpisodes(self._run).episodes)
        return RoundDecision(number, is_needed=reason is None, reason=reason or "")

    def _mark_if_ended(self, number: int) -> None:
        if not self._left[number]:
            self._files.mark_ended(number, self._number)

    def _is_given_up(self, since: float) -> bool:
        return SYSTEM_CLOCK.now() - since >= REPLACED_WITHIN_S
