"""What a run takes over from the runs before it: finished episodes, and the answers of those that were cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from pytest_ultra.core.case import Case, Versions
from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.codec import SCHEMA_VERSION, decode_file, encode
from pytest_ultra.storage.episode_index import Life, find_lives, newest_lives
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.journal import REUSED, SET_ASIDE, encode_line, journal_path
from pytest_ultra.storage.kept_turns import Prefix, read_turns, turns_path, write_turns
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import list_runs
from pytest_ultra.storage.run_status import is_held, read_ending


class Rerun(StrEnum):
    """Which cases are lived again though a run has an episode of them: those without a score, or all not full."""

    ERRORS = "errors"
    FAILED = "failed"

    def keeps(self, outcome: Outcome) -> bool:
        return outcome.is_scored if self is Rerun.ERRORS else outcome is Outcome.FULL


class Plan(msgspec.Struct, frozen=True):
    """The cases that a run has set out to live, and their node ids, by the case ids of the day, which `versions` tell.

    `is_new_start` when the user has chosen what is taken from earlier runs: nothing older counts for these cases.
    `cases` is empty in plans of old.
    """

    is_new_start: bool
    nodeids: dict[str, str]
    cases: dict[str, Case] = {}
    versions: Versions = Versions()
    schema_version: int = SCHEMA_VERSION


class Reuse(msgspec.Struct, frozen=True):
    """What is there to be reused, by case id; `obstacle` says what keeps a run from being taken into account."""

    lives: Mapping[str, Life] = {}
    prefixes: Mapping[str, Prefix] = {}
    runs: tuple[str, ...] = ()
    obstacle: str | None = None

    def hand_over(self, run: RunDirectory, planned: Iterable[tuple[Case, str]], *, is_new_start: bool) -> None:
        """Put what is reused for the planned cases into a run's own files, all of it or none, and note the plan."""
        cases = {case.case_id: (case, nodeid) for case, nodeid in planned}
        nodeids = {case_id: nodeid for case_id, (_, nodeid) in cases.items()}
        unfinished = nodeids.keys() - self.lives.keys()
        if self.lives:
            write_atomically(journal_path(run, REUSED), self._lines(nodeids))
        if self.prefixes:
            write_turns(turns_path(run, REUSED), (p for case_id, p in self.prefixes.items() if case_id in unfinished))
        plan = Plan(is_new_start, nodeids, {case_id: case for case_id, (case, _) in cases.items()})
        write_plan(run, plan)

    def _lines(self, nodeids: Mapping[str, str]) -> Iterator[bytes]:
        for sequence, (case_id, life) in enumerate(self.lives.items()):
            episode = life.read() if case_id in nodeids else None
            if episode is not None and episode.case_id == case_id:
                reused = msgspec.structs.replace(episode, reused=True, nodeid=nodeids[case_id])
                yield encode_line(reused, sequence)


def find_reuse(root: Path, case_ids: Iterable[str], rerun: Rerun | None = None) -> Reuse:
    """Return what a run of these cases takes over from those kept under `root`.

    Without `rerun` these are the scored episodes, and the answers to unfinished ones, of the newest runs as far as
    they were cut off; with it, the episodes that it keeps of the newest run, and of those that this one continues.
    """
    search = _Search(frozenset(case_ids), rerun)
    obstacle = search.walk(root)
    return Reuse(search.lives, search.prefixes, tuple(search.sources), obstacle)


class _Search:
    """Goes back from run to run, until nothing older counts."""

    def __init__(self, case_ids: frozenset[str], rerun: Rerun | None) -> None:
        self._open = set(case_ids)  # the cases of which an older run may still tell something
        self._broken: set[str] = set()  # their answers broke the harness, and would again
        self._rerun = rerun
        self.lives: dict[str, Life] = {}
        self.prefixes: dict[str, Prefix] = {}
        self.sources: list[str] = []

    def walk(self, root: Path) -> str | None:
        """Return why a run was left out of account that would have counted otherwise."""
        is_first = True
        for run in reversed(list_runs(root)):
            if is_held(run):
                return f"the run {run.run_id} is still going on, and nothing is taken from it" if is_first else None
            try:
                if not self._consider(run, is_first=is_first):
                    return None
                is_first = is_first and read_plan(run) is None
            except (ConfigurationError, OSError) as error:
                return f"nothing is taken from the run {run.run_id}: {error}"
        return None

    def _consider(self, run: RunDirectory, *, is_first: bool) -> bool:
        """Take what there is; return whether older runs count as well."""
        run.describe()  # raises when it is of a newer schema
        ending, plan = read_ending(run), read_plan(run)
        is_end = ending is not None and ending.cut_off is None
        if is_end and not (self._rerun and is_first):
            return False
        if self._take(run):
            self.sources.append(run.run_id)
        if plan is not None and plan.is_new_start:
            self._open.difference_update(plan.nodeids)
        return not is_end

    def _take(self, run: RunDirectory) -> bool:
        lives = [life for life in find_lives(run) if life.case_id in self._open]
        newest = newest_lives(lives)
        if self._rerun is None:
            taken = newest_lives(life for life in lives if life.outcome.is_scored)
            self._open.difference_update(taken)
            set_aside = journal_path(
                run, SET_ASIDE
            )  # they may have been there by chance when their workers were killed
            harness = {id_: life for id_, life in newest.items() if life.failure_class is FailureClass.HARNESS}
            self._broken |= {id_ for id_, life in harness.items() if life.path != set_aside}
            wanted = self._open - self._broken
            self.prefixes = read_turns(run, wanted.__contains__) | self.prefixes
        else:
            taken = {case_id: life for case_id, life in newest.items() if self._rerun.keeps(life.outcome)}
            self._open.difference_update(newest)
        self.lives |= taken
        return bool(taken)


def write_plan(run: RunDirectory, plan: Plan) -> None:
    write_atomically(run.path / "plan.json", encode(plan) + b"\n")


def read_plan(run: RunDirectory) -> Plan | None:
    """Return what a run has set out to live, None when it did not get that far."""
    path = run.path / "plan.json"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return decode_file(content, Plan, path)
