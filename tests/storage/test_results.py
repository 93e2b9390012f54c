"""The results of a run: an episode for each planned case, in planned order, and the state of the run."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.storage.journal import Journal
from pytest_ultra.storage.results import State, find_state, interruption_of, read_results
from pytest_ultra.storage.reuse import Plan, write_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, lock_run, note_interruption, write_run_end
from tests.results_factory import make_case, make_episode

CASES = [make_case(prompt_type) for prompt_type in PromptType]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, {}, started_at=1_700_000_000.0)


def write(run: RunDirectory, *episodes: Episode) -> None:
    journal = Journal(run, "gw0")
    for episode in episodes:
        journal.append(episode)
    journal.close()


def plan(run: RunDirectory, *numbers: int, versions: Versions | None = None) -> None:
    versions = versions or Versions()
    cases = {CASES[n].identify(versions): CASES[n] for n in numbers}
    write_plan(run, Plan(is_new_start=False, nodeids=dict.fromkeys(cases, "node"), cases=cases, versions=versions))


def test_a_planned_case_that_was_not_run_is_skipped_and_all_are_in_planned_order(run: RunDirectory) -> None:
    plan(run, 4, 2, 0)
    write(run, *(make_episode(CASES[n]) for n in (0, 4, 5)))
    episodes = read_results(run).episodes
    assert [episode.case for episode in episodes] == [CASES[n] for n in (4, 2, 0, 5)]
    assert [episode.outcome for episode in episodes] == [Outcome.FULL, Outcome.SKIPPED, Outcome.FULL, Outcome.FULL]
    assert (episodes[1].nodeid, episodes[1].error) == ("node", "not run: the run ended before it")


def test_a_skipped_case_has_the_versions_of_its_plan(run: RunDirectory) -> None:
    versions = Versions(7, 8, 9)
    plan(run, 0, 1, versions=versions)
    old = {"generator_version": 7, "prompt_version": 8, "scorer_version": 9}
    write(run, msgspec.structs.replace(make_episode(CASES[0]), **old))
    finished, skipped = read_results(run).episodes
    assert (finished.outcome, skipped.outcome) == (Outcome.FULL, Outcome.SKIPPED)
    assert skipped.case_id == CASES[1].identify(versions)


def test_without_a_plan_the_results_are_the_episodes(run: RunDirectory) -> None:
    write(run, make_episode(CASES[0]))
    assert [episode.case for episode in read_results(run).episodes] == [CASES[0]]


def test_a_locked_run_is_running_and_an_unlocked_one_without_a_recorded_end_is_interrupted(run: RunDirectory) -> None:
    lock = lock_run(run)
    assert find_state(run) is State.RUNNING
    lock.release()
    assert (find_state(run), interruption_of(run)) == (State.INTERRUPTED, None)
    note_interruption(run, "the disk is full")
    assert interruption_of(run) == "the disk is full"
    write_run_end(run, RunEnd(1, 2.0, "interrupted"))
    assert (find_state(run), interruption_of(run)) == (State.INTERRUPTED, "interrupted")
    write_run_end(run, RunEnd(1, 2.0))
    assert (find_state(run), interruption_of(run)) == (State.FINISHED, None)
