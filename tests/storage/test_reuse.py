"""Which episodes and answers of earlier runs count for the next one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.transcript import Reply
from pytest_ultra.storage.journal import SET_ASIDE, Journal, read_episodes
from pytest_ultra.storage.kept_turns import KeptTurn, turns_path, write_turns
from pytest_ultra.storage.reuse import Plan, Rerun, find_reuse, read_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import Ending, clear_up, hold, is_held, mark_end, note_cut_off, noted_cut_off
from tests.results_factory import make_case, make_episode, make_nodeid

CASES = [make_case(prompt_type) for prompt_type in PromptType]
IDS = [case.case_id for case in CASES]
FULL, FAILED, ERROR = Outcome.FULL, Outcome.FAILED, Outcome.ERROR


class Past:
    """Runs of the past, each later than the one before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._time = 1_700_000_000.0

    def run(self, *outcomes: Outcome, is_ended: bool = False, plan: Plan | None = None, first: int = 0) -> RunDirectory:
        self._time += 60
        run = RunDirectory.create(self.root, {}, started_at=self._time)
        write(
            run, (make_episode(CASES[first + n], outcome, started_at=self._time) for n, outcome in enumerate(outcomes))
        )
        if is_ended:
            mark_end(run, Ending(0, self._time))
        plan = plan or Plan(is_new_start=False, nodeids={})
        (run.path / "plan.json").write_bytes(msgspec.json.encode(plan))
        return run


def write(run: RunDirectory, episodes: Iterable[Episode], worker: str = "gw0") -> None:
    journal = Journal(run, worker)
    for episode in episodes:
        journal.append(episode)
    journal.close()


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path)


def taken(past: Past, rerun: Rerun | None = None) -> dict[int, Outcome]:
    lives = find_reuse(past.root, IDS, rerun).lives
    return {IDS.index(case_id): life.outcome for case_id, life in sorted(lives.items(), key=lambda x: IDS.index(x[0]))}


def test_without_a_past_there_is_nothing(past: Past) -> None:
    assert find_reuse(past.root, IDS).lives == {}


def test_scored_episodes_of_a_run_without_a_word_of_its_end_are_taken(past: Past) -> None:
    past.run(FULL, Outcome.PARTIAL, FAILED, ERROR, Outcome.SKIPPED)
    assert taken(past) == {0: FULL, 1: Outcome.PARTIAL, 2: FAILED}


def test_a_run_that_came_to_its_end_is_where_looking_back_ends(past: Past) -> None:
    past.run(FULL, FULL, FULL)
    past.run(FULL, is_ended=True)
    assert taken(past) == {}
    past.run(FAILED, first=5)
    assert taken(past) == {5: FAILED}


def test_a_run_that_says_it_was_cut_off_counts(past: Past) -> None:
    mark_end(past.run(FULL), Ending(2, 0.0, cut_off="interrupted"))
    assert taken(past) == {0: FULL}


def test_of_a_series_the_newest_scored_life_counts(past: Past) -> None:
    past.run(FULL, FULL, FULL)
    past.run(ERROR, FAILED)
    past.run()
    assert taken(past) == {0: FULL, 1: FAILED, 2: FULL}


def test_an_episode_of_other_versions_is_none_of_this_case(past: Past) -> None:
    run = past.run(FULL)
    path = run.path / "journal-gw0.jsonl"
    path.write_text(path.read_text().replace(IDS[0], "0123456789abcdef"))
    assert taken(past) == {}


def test_a_run_that_lives_is_where_looking_back_ends(past: Past) -> None:
    past.run(FULL)
    living = past.run(FAILED)
    lock = hold(living)
    assert is_held(living)
    reuse = find_reuse(past.root, IDS)
    assert reuse.lives == {}
    assert reuse.obstacle == f"the run {living.run_id} is still going on, and nothing is taken from it"
    lock.release()
    assert taken(past) == {0: FAILED}


def test_a_new_start_hides_what_was_before_for_its_own_cases(past: Past) -> None:
    past.run(FULL, FULL, FULL)
    past.run(FAILED, plan=Plan(is_new_start=True, nodeids={IDS[0]: "a", IDS[1]: "b"}))
    assert taken(past) == {0: FAILED, 2: FULL}


def test_a_rerun_takes_from_the_newest_run_whatever_its_end(past: Past) -> None:
    past.run(FULL, FULL, FULL, FULL, FULL)
    past.run(FULL, Outcome.PARTIAL, FAILED, ERROR, is_ended=True)
    assert taken(past, Rerun.ERRORS) == {0: FULL, 1: Outcome.PARTIAL, 2: FAILED}
    assert taken(past, Rerun.FAILED) == {0: FULL}


def test_a_rerun_looks_past_a_run_that_never_got_to_a_plan(past: Past) -> None:
    past.run(FULL, is_ended=True)
    (past.run().path / "plan.json").unlink()
    assert taken(past, Rerun.FAILED) == {0: FULL}


def test_a_rerun_goes_by_the_newest_life(past: Past) -> None:
    run = past.run(FULL, is_ended=True)
    write(run, [make_episode(CASES[0], ERROR, started_at=1_800_000_000.0)])
    assert taken(past, Rerun.ERRORS) == {}


def test_a_run_of_a_newer_schema_is_an_obstacle(past: Past) -> None:
    past.run(FULL)
    newer = past.run(FULL)
    (newer.path / "run.json").write_text(json.dumps({"schema_version": 9}))
    reuse = find_reuse(past.root, IDS)
    assert reuse.lives == {}
    assert reuse.obstacle is not None
    assert reuse.obstacle.startswith(f"nothing is taken from the run {newer.run_id}: ")
    assert "newer pytest-ultra (schema 9, this one reads up to 1)" in reuse.obstacle


def test_what_is_handed_over_is_the_new_runs_own(past: Past, tmp_path: Path) -> None:
    old = past.run(FULL, FAILED, FULL)
    reuse = find_reuse(past.root, IDS)
    new = RunDirectory.create(tmp_path, {}, started_at=1_800_000_000.0)
    reuse.hand_over(
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


def test_a_life_of_the_runs_own_is_newer_than_a_reused_one_whatever_the_clock_says(past: Past) -> None:
    run = past.run(FAILED)
    write(run, [make_episode(CASES[0], FULL, started_at=9e9, reused=True)])
    assert [episode.outcome for episode in read_episodes(run).episodes] == [FAILED]
    assert taken(past) == {0: FAILED}


def make_turn(case_id: str, turn: int, at: float) -> KeptTurn:
    return KeptTurn(case_id, turn, "key", at, 1.5, Reply(f"answer {turn} of {at}"))


def test_answers_of_unfinished_episodes_are_taken_and_those_of_finished_ones_not(past: Past, tmp_path: Path) -> None:
    run = past.run(FULL, ERROR)
    turns = [make_turn(IDS[n], turn, 1.0 + turn) for n in range(3) for turn in (1, 2)]
    write_turns(turns_path(run, "gw0"), [{turn.turn: turn} for turn in turns])
    with turns_path(run, "gw0").open("a") as file:
        file.write('{"torn')
    reuse = find_reuse(past.root, IDS)
    assert {IDS.index(id_): list(prefix) for id_, prefix in reuse.prefixes.items()} == {1: [1, 2], 2: [1, 2]}
    new = RunDirectory.create(tmp_path, {}, started_at=1_800_000_000.0)
    reuse.hand_over(new, [(CASES[2], "x")], is_new_start=False)
    assert turns_path(new, "reused").read_text().count(IDS[2]) == 2


def test_of_several_lives_the_answers_of_the_newest_count(past: Past) -> None:
    run = past.run()
    turns = [make_turn(IDS[0], turn, at) for turn, at in ((1, 1.0), (2, 2.0), (3, 3.0), (1, 4.0), (2, 5.0))]
    write_turns(turns_path(run, "gw0"), [{turn.turn: turn} for turn in turns])
    prefix = find_reuse(past.root, IDS).prefixes[IDS[0]]
    assert {turn: kept.at for turn, kept in prefix.items()} == {1: 4.0, 2: 5.0}


def test_answers_that_broke_the_harness_are_not_given_again(past: Past) -> None:
    run = past.run()
    write(run, [make_episode(CASES[0], ERROR, failure_class=FailureClass.HARNESS)])
    write_turns(turns_path(run, "gw0"), [{1: make_turn(IDS[0], 1, 1.0)}])
    assert find_reuse(past.root, IDS).prefixes == {}


def test_answers_to_a_case_that_was_set_aside_are_given_again_as_something_else_may_have_killed_its_workers(
    past: Past,
) -> None:
    run = past.run()
    write(run, [make_episode(CASES[0], ERROR, failure_class=FailureClass.HARNESS)], SET_ASIDE)
    write_turns(turns_path(run, "gw0"), [{1: make_turn(IDS[0], 1, 1.0)}])
    assert find_reuse(past.root, IDS).prefixes[IDS[0]].keys() == {1}


def test_what_no_other_run_needs_is_cleared_up(past: Past) -> None:
    run = past.run(FULL)
    hold(run).release()
    write_turns(turns_path(run, "gw0"), [])
    clear_up(run)
    assert sorted(path.name for path in run.path.iterdir()) == ["journal-gw0.jsonl", "plan.json", "run.json"]


def test_any_process_can_note_that_the_run_was_cut_off(past: Past) -> None:
    run = past.run()
    assert noted_cut_off(run) is None
    note_cut_off(run, "gw1 cannot write")
    assert noted_cut_off(run) == "gw1 cannot write"
