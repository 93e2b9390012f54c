"""Which episodes and answers of earlier runs count for the next one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.transcript import Reply
from pytest_ultra.storage.journal import QUARANTINED, Journal, read_episodes
from pytest_ultra.storage.kept_turns import KeptTurn, turns_path, write_turns
from pytest_ultra.storage.reuse import Plan, Rerun, find_reuse, read_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import find_run, list_runs
from pytest_ultra.storage.run_status import (
    RunEnd,
    is_locked,
    lock_run,
    note_interruption,
    read_interruption,
    remove_resume_files,
    write_run_end,
)
from tests.results_factory import make_case, make_episode, make_nodeid

CASES = [make_case(prompt_type) for prompt_type in PromptType]
IDS = [case.case_id for case in CASES]
FULL, FAILED, ERROR = Outcome.FULL, Outcome.FAILED, Outcome.ERROR


class History:
    """Earlier runs, each with a later start than the one before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._time = 1_700_000_000.0

    def run(
        self, *outcomes: Outcome, is_finished: bool = False, plan: Plan | None = None, first: int = 0
    ) -> RunDirectory:
        self._time += 60
        run = RunDirectory.create(self.root, {}, started_at=self._time)
        write(
            run, (make_episode(CASES[first + n], outcome, started_at=self._time) for n, outcome in enumerate(outcomes))
        )
        if is_finished:
            write_run_end(run, RunEnd(0, self._time))
        plan = plan or Plan(is_new_start=False, nodeids={})
        (run.path / "plan.json").write_bytes(msgspec.json.encode(plan))
        return run


def write(run: RunDirectory, episodes: Iterable[Episode], worker: str = "gw0") -> None:
    journal = Journal(run, worker)
    for episode in episodes:
        journal.append(episode)
    journal.close()


@pytest.fixture
def past(tmp_path: Path) -> History:
    return History(tmp_path)


def reused_outcomes(past: History, rerun: Rerun | None = None) -> dict[int, Outcome]:
    episodes = find_reuse(past.root, IDS, rerun).episodes
    outcomes = {IDS.index(case_id): episode.outcome for case_id, episode in episodes.items()}
    return dict(sorted(outcomes.items()))


def test_without_earlier_runs_nothing_is_reused(past: History) -> None:
    assert find_reuse(past.root, IDS).episodes == {}


def test_scored_episodes_of_a_run_without_a_recorded_end_are_reused(past: History) -> None:
    past.run(FULL, Outcome.PARTIAL, FAILED, ERROR, Outcome.SKIPPED)
    assert reused_outcomes(past) == {0: FULL, 1: Outcome.PARTIAL, 2: FAILED}


def test_the_search_stops_at_a_finished_run(past: History) -> None:
    past.run(FULL, FULL, FULL)
    past.run(FULL, is_finished=True)
    assert reused_outcomes(past) == {}
    past.run(FAILED, first=5)
    assert reused_outcomes(past) == {5: FAILED}


def test_a_run_with_a_recorded_interruption_is_reused(past: History) -> None:
    write_run_end(past.run(FULL), RunEnd(2, 0.0, interruption="interrupted"))
    assert reused_outcomes(past) == {0: FULL}


def test_of_several_runs_the_newest_scored_episode_is_reused(past: History) -> None:
    past.run(FULL, FULL, FULL)
    past.run(ERROR, FAILED)
    past.run()
    assert reused_outcomes(past) == {0: FULL, 1: FAILED, 2: FULL}


def test_an_episode_of_other_versions_is_not_reused(past: History) -> None:
    run = past.run(FULL)
    path = run.path / "journal-gw0.jsonl"
    path.write_text(path.read_text().replace(IDS[0], "0123456789abcdef"))
    assert reused_outcomes(past) == {}


def test_the_search_stops_at_a_run_that_is_still_running(past: History) -> None:
    past.run(FULL)
    running = past.run(FAILED)
    lock = lock_run(running)
    assert is_locked(running)
    reuse = find_reuse(past.root, IDS)
    assert reuse.episodes == {}
    assert reuse.obstacle == f"the run {running.run_id} is still running, so nothing is reused from it"
    lock.release()
    assert reused_outcomes(past) == {0: FAILED}


def test_a_new_start_hides_older_episodes_of_its_own_cases(past: History) -> None:
    past.run(FULL, FULL, FULL)
    past.run(FAILED, plan=Plan(is_new_start=True, nodeids={IDS[0]: "a", IDS[1]: "b"}))
    assert reused_outcomes(past) == {0: FAILED, 2: FULL}


def test_a_rerun_reuses_the_newest_run_whether_or_not_it_finished(past: History) -> None:
    past.run(FULL, FULL, FULL, FULL, FULL)
    past.run(FULL, Outcome.PARTIAL, FAILED, ERROR, is_finished=True)
    assert reused_outcomes(past, Rerun.ERRORS) == {0: FULL, 1: Outcome.PARTIAL, 2: FAILED}
    assert reused_outcomes(past, Rerun.FAILED) == {0: FULL}


def test_a_rerun_skips_a_run_without_a_plan(past: History) -> None:
    past.run(FULL, is_finished=True)
    (past.run().path / "plan.json").unlink()
    assert reused_outcomes(past, Rerun.FAILED) == {0: FULL}


def test_a_rerun_uses_the_outcome_of_the_newest_episode(past: History) -> None:
    run = past.run(FULL, is_finished=True)
    write(run, [make_episode(CASES[0], ERROR, started_at=1_800_000_000.0)])
    assert reused_outcomes(past, Rerun.ERRORS) == {}


def test_a_run_of_a_newer_schema_is_an_obstacle(past: History) -> None:
    past.run(FULL)
    newer = past.run(FULL)
    (newer.path / "run.json").write_text(json.dumps({"schema_version": 9}))
    reuse = find_reuse(past.root, IDS)
    assert reuse.episodes == {}
    assert reuse.obstacle is not None
    assert reuse.obstacle.startswith(f"nothing is reused from the run {newer.run_id}: ")
    assert "newer pytest-ultra (schema 9, this one reads up to 1)" in reuse.obstacle


def test_reused_episodes_are_written_to_the_new_run_and_the_old_run_is_unchanged(past: History, tmp_path: Path) -> None:
    old = past.run(FULL, FAILED, FULL)
    reuse = find_reuse(past.root, IDS)
    new = RunDirectory.create(tmp_path, {}, started_at=1_800_000_000.0)
    reuse.write_to_run(
        new, [(CASES[0], "elsewhere"), (CASES[1], make_nodeid(CASES[1])), (CASES[7], "x")], is_new_start=True
    )
    episodes = {episode.case_id: episode for episode in read_episodes(new).episodes}
    assert {id_: (e.outcome, e.nodeid, e.reused) for id_, e in episodes.items()} == {
        IDS[0]: (FULL, "elsewhere", True),
        IDS[1]: (FAILED, make_nodeid(CASES[1]), True),
    }
    assert read_plan(new) == Plan(
        is_new_start=True,
        nodeids={IDS[0]: "elsewhere", IDS[1]: make_nodeid(CASES[1]), IDS[7]: "x"},
        cases={IDS[n]: CASES[n] for n in (0, 1, 7)},
    )
    assert not any(episode.reused for episode in read_episodes(old).episodes)


def test_a_runs_own_episode_is_newer_than_a_reused_one_whatever_their_start_times(past: History) -> None:
    run = past.run(FAILED)
    write(run, [make_episode(CASES[0], FULL, started_at=9e9, reused=True)])
    assert [episode.outcome for episode in read_episodes(run).episodes] == [FAILED]
    assert reused_outcomes(past) == {0: FAILED}


def make_turn(case_id: str, turn: int, at: float) -> KeptTurn:
    return KeptTurn(case_id, turn, "key", at, 1.5, Reply(f"answer {turn} of {at}"))


def test_answers_in_unfinished_episodes_are_reused_and_those_in_finished_ones_are_not(
    past: History, tmp_path: Path
) -> None:
    run = past.run(FULL, ERROR)
    turns = [make_turn(IDS[n], turn, 1.0 + turn) for n in range(3) for turn in (1, 2)]
    write_turns(turns_path(run, "gw0"), [{turn.turn: turn} for turn in turns])
    with turns_path(run, "gw0").open("a") as file:
        file.write('{"partial')
    reuse = find_reuse(past.root, IDS)
    assert {IDS.index(id_): list(answers) for id_, answers in reuse.answers.items()} == {1: [1, 2], 2: [1, 2]}
    new = RunDirectory.create(tmp_path, {}, started_at=1_800_000_000.0)
    reuse.write_to_run(new, [(CASES[2], "x")], is_new_start=False)
    assert turns_path(new, "reused").read_text().count(IDS[2]) == 2


def test_of_several_episodes_of_a_case_the_newest_ones_answers_are_reused(past: History) -> None:
    run = past.run()
    turns = [make_turn(IDS[0], turn, at) for turn, at in ((1, 1.0), (2, 2.0), (3, 3.0), (1, 4.0), (2, 5.0))]
    write_turns(turns_path(run, "gw0"), [{turn.turn: turn} for turn in turns])
    answers = find_reuse(past.root, IDS).answers[IDS[0]]
    assert {turn: kept.at for turn, kept in answers.items()} == {1: 4.0, 2: 5.0}


def test_answers_that_caused_a_harness_error_are_not_reused(past: History) -> None:
    run = past.run()
    write(run, [make_episode(CASES[0], ERROR, failure_class=FailureClass.HARNESS)])
    write_turns(turns_path(run, "gw0"), [{1: make_turn(IDS[0], 1, 1.0)}])
    assert find_reuse(past.root, IDS).answers == {}


def test_answers_of_a_quarantined_case_are_reused_as_another_case_may_have_crashed_its_workers(past: History) -> None:
    run = past.run()
    write(run, [make_episode(CASES[0], ERROR, failure_class=FailureClass.HARNESS)], QUARANTINED)
    write_turns(turns_path(run, "gw0"), [{1: make_turn(IDS[0], 1, 1.0)}])
    assert find_reuse(past.root, IDS).answers[IDS[0]].keys() == {1}


def test_a_finished_run_keeps_no_resume_files(past: History) -> None:
    run = past.run(FULL)
    lock_run(run).release()
    write_turns(turns_path(run, "gw0"), [])
    for name in ("started-gw0.txt", "begun-gw0.txt"):  # the second is the name in older versions
        (run.path / name).touch()
    remove_resume_files(run)
    assert sorted(path.name for path in run.path.iterdir()) == ["journal-gw0.jsonl", "plan.json", "run.json"]


def test_any_process_can_record_that_the_run_is_interrupted(past: History) -> None:
    run = past.run()
    assert read_interruption(run) is None
    note_interruption(run, "gw1 cannot write")
    assert read_interruption(run) == "gw1 cannot write"


def test_a_run_dated_in_the_future_does_not_hide_the_newest_one(past: History) -> None:
    future = RunDirectory.create(past.root, {}, started_at=time.time() + 1_000_000)
    write(future, [make_episode(CASES[0]), make_episode(CASES[1])])
    write_run_end(future, RunEnd(0, time.time()))
    past.run(FAILED)
    assert reused_outcomes(past) == {0: FAILED}
    assert list_runs(past.root)[0] == future
    assert find_run(past.root, None).run_id != future.run_id


def test_answers_keep_their_order_when_the_clock_is_set_back(past: History) -> None:
    run = past.run()
    turns = [KeptTurn(IDS[0], turn, "key", at, 0.5, Reply()) for turn, at in ((1, 9000.0), (2, 10.0), (3, 11.0))]
    write_turns(turns_path(run, "gw0"), [{turn.turn: turn for turn in turns}])
    assert sorted(find_reuse(past.root, IDS).answers[IDS[0]]) == [1, 2, 3]
