"""What a run reuses from earlier runs: finished episodes, and the answers in interrupted ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from pytest_ultra.core.case import Case, Versions
from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.codec import SCHEMA_VERSION, decode_file, encode
from pytest_ultra.storage.episode_index import IndexedEpisode, index_episodes, newest_episodes
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.journal import QUARANTINED, REUSED, encode_line, journal_path
from pytest_ultra.storage.kept_turns import CaseAnswers, read_turns, turns_path, write_turns
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import list_runs
from pytest_ultra.storage.run_status import is_locked, read_run_end
from pytest_ultra.storage.stored_files import read_stored


class Rerun(StrEnum):
    """Which cases are run again although an episode exists: those without a score, or all that are not full."""

    ERRORS = "errors"
    FAILED = "failed"

    def keeps(self, outcome: Outcome) -> bool:
        return outcome.is_scored if self is Rerun.ERRORS else outcome is Outcome.FULL


class Plan(msgspec.Struct, frozen=True):
    """The cases that a run has planned, and their node ids, by case ids that hash `versions`.

    With `is_new_start`, the user has chosen what is reused (`--ultra-fresh`, `--ultra-rerun`): later runs reuse no
    older episodes of these cases. `cases` is empty in plans of old versions.
    """

    is_new_start: bool
    nodeids: dict[str, str]
    cases: dict[str, Case] = {}
    versions: Versions = Versions()
    schema_version: int = SCHEMA_VERSION

    @property
    def planned(self) -> list[tuple[Case, str]]:
        """The cases with their node ids."""
        return [(case, self.nodeids[case_id]) for case_id, case in self.cases.items()]

    def keep(self, case_ids: Iterable[str]) -> Plan:
        """Return the plan of these cases alone."""
        kept = frozenset(case_ids)
        return msgspec.structs.replace(
            self,
            nodeids={case_id: nodeid for case_id, nodeid in self.nodeids.items() if case_id in kept},
            cases={case_id: case for case_id, case in self.cases.items() if case_id in kept},
        )


class Reuse(msgspec.Struct, frozen=True):
    """The reusable episodes and answers by case id, and the ids of the runs that they come from, newest first.

    `obstacle` says why a run that would have been considered was not.
    """

    episodes: Mapping[str, IndexedEpisode] = {}
    answers: Mapping[str, CaseAnswers] = {}
    runs: tuple[str, ...] = ()
    obstacle: str | None = None

    def write_to_run(self, run: RunDirectory, planned: Iterable[tuple[Case, str]], *, is_new_start: bool) -> None:
        """Write what is reused for the planned cases to a run's own files, each of them atomically, and the plan."""
        cases = {case.case_id: (case, nodeid) for case, nodeid in planned}
        nodeids = {case_id: nodeid for case_id, (_, nodeid) in cases.items()}
        unfinished = nodeids.keys() - self.episodes.keys()
        if self.episodes:
            write_atomically(journal_path(run, REUSED), self._lines(nodeids))
        if self.answers:
            write_turns(turns_path(run, REUSED), (a for case_id, a in self.answers.items() if case_id in unfinished))
        plan = Plan(is_new_start, nodeids, {case_id: case for case_id, (case, _) in cases.items()})
        write_plan(run, plan)

    def _lines(self, nodeids: Mapping[str, str]) -> Iterator[bytes]:
        for sequence, (case_id, indexed) in enumerate(self.episodes.items()):
            episode = indexed.read() if case_id in nodeids else None
            if episode is not None and episode.case_id == case_id:
                reused = msgspec.structs.replace(episode, reused=True, nodeid=nodeids[case_id])
                yield encode_line(reused, sequence)


def find_reuse(root: Path, case_ids: Iterable[str], rerun: Rerun | None = None) -> Reuse:
    """Return what a run of these cases reuses from the runs under `root`.

    Without `rerun`: the scored episodes, and the answers in unfinished ones, of the interrupted runs after the last
    finished one. With it: the episodes that it keeps, of the newest run and the interrupted runs that it resumed.
    """
    search = _Search(frozenset(case_ids), rerun)
    obstacle = search.search(root)
    return Reuse(search.episodes, search.answers, tuple(search.sources), obstacle)


class _Search:
    """A search from the newest run to older ones, until nothing older can be reused."""

    def __init__(self, case_ids: frozenset[str], rerun: Rerun | None) -> None:
        self._open = set(case_ids)  # cases for which older runs are still searched
        self._broken: set[str] = set()  # their answers caused a harness error, and would cause it again
        self._rerun = rerun
        self.episodes: dict[str, IndexedEpisode] = {}
        self.answers: dict[str, CaseAnswers] = {}
        self.sources: list[str] = []

    def search(self, root: Path) -> str | None:
        """Return why a run that would have been considered was not, None if there is no such run."""
        is_first = True
        for run in reversed(list_runs(root)):
            if is_locked(run):
                return f"the run {run.run_id} is still running, so nothing is reused from it" if is_first else None
            try:
                if not self._consider(run, is_first=is_first):
                    return None
                is_first = is_first and read_plan(run) is None
            except (ConfigurationError, OSError) as error:
                return f"nothing is reused from the run {run.run_id}: {error}"
        return None

    def _consider(self, run: RunDirectory, *, is_first: bool) -> bool:
        """Collect what this run offers; return whether to continue with older runs."""
        run.describe()  # raises for a newer schema version
        end, plan = read_run_end(run), read_plan(run)
        is_finished = end is not None and end.interruption is None
        if is_finished and not (self._rerun and is_first):
            return False
        if self._collect(run):
            self.sources.append(run.run_id)
        if plan is not None and plan.is_new_start:
            self._open.difference_update(plan.nodeids)
        return not is_finished

    def _collect(self, run: RunDirectory) -> bool:
        """Return whether any episode of this run is reused."""
        indexed = [episode for episode in index_episodes(run) if episode.case_id in self._open]
        newest = newest_episodes(indexed)
        if self._rerun is None:
            kept = newest_episodes(episode for episode in indexed if episode.outcome.is_scored)
            self._open.difference_update(kept)
            self._broken |= _find_broken(run, newest)
            wanted = self._open - self._broken
            self.answers = read_turns(run, wanted.__contains__) | self.answers
        else:
            kept = {case_id: episode for case_id, episode in newest.items() if self._rerun.keeps(episode.outcome)}
            self._open.difference_update(newest)
        self.episodes |= kept
        return bool(kept)


def _find_broken(run: RunDirectory, newest: Mapping[str, IndexedEpisode]) -> set[str]:
    """Return the cases with a harness error, except quarantined ones: another case may have crashed their workers."""
    quarantined = journal_path(run, QUARANTINED)
    return {
        case_id
        for case_id, episode in newest.items()
        if episode.failure_class is FailureClass.HARNESS and episode.place.path != quarantined
    }


def write_plan(run: RunDirectory, plan: Plan) -> None:
    write_atomically(run.path / "plan.json", encode(plan) + b"\n")


def read_plan(run: RunDirectory) -> Plan | None:
    """Return the plan of a run, None if the run was interrupted before it had one."""
    path = run.path / "plan.json"
    try:
        content = read_stored(path)
    except FileNotFoundError:
        return None
    return decode_file(content, Plan, path)
