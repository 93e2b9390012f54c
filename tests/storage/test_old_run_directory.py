"""A run directory in the format of pytest-ultra 0.1.0 is readable: its files are literals, not written by this code."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import Outcome
from pytest_ultra.storage.results import State, find_state, interruption_of, read_results
from pytest_ultra.storage.reuse import find_reuse, read_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, read_interruption, read_run_end, remove_resume_files, write_run_end
from tests.results_factory import make_case

RUN_ID = "20261126T212232.402888Z"
VERSIONS = Versions(1, 1, 1)
FINISHED, UNFINISHED = make_case(model="demo"), make_case(model="demo", instance=1)
FINISHED_ID, UNFINISHED_ID = FINISHED.identify(VERSIONS), UNFINISHED.identify(VERSIONS)
RUN = f'{{"schema_version":1,"run_id":"{RUN_ID}","started_at":"2026-11-26T21:22:32.402888+00:00"}}'
ENDED = (
    '{"exit_status":2,"ended_at":1795728164.0587225,"cut_off":"interrupted (KeyboardInterrupt)","schema_version":1}\n'
)
CASE = (
    '{"model":"demo","prompt_type":"optimal","task_type":"simple_task","difficulty":"easy","tool_success_rate":0.8,'
    '"severity":null,"instance":%d,"repeat":0,"seed":0,"max_turns":30,"timeout_s":null,"temperature":null,'
    '"prompt_variant":"standard","tool_protocol":"native","has_tool_discovery":false,"flaws":1}'
)
PLAN = (
    '{"is_new_start":false,"nodeids":{"ID_0":"test_it.py::test_it[0]","ID_1":"test_it.py::test_it[1]"},'
    '"cases":{"ID_0":CASE_0,"ID_1":CASE_1},"versions":{"generator":1,"prompts":1,"scorer":1},"schema_version":1}\n'
)
EPISODE = (
    '{"schema_version":1,"sequence":0,"case_id":"ID_0","episode":{"case":CASE_0,"nodeid":"test_it.py::test_it[0]",'
    '"score":{"outcome":"full","failure_class":null,"milestone_coverage":1.0,"tool_calls":1,"reference_calls":1,'
    '"efficiency":1.0,"random_faults":0,"recovered_faults":0,"tool_precision":1.0,"tool_recall":1.0,'
    '"argument_validity":1.0,"dependency_violations":0,"obedience":null,"first_divergence":null,"turns":2},'
    '"usage":{"requests":1,"prompt_tokens":90,"completion_tokens":8,"model_time_s":0.5,"tool_time_s":0.001,'
    '"waiting_time_s":0.0,"cost":0.0},"worker":"main","started_at":1795728153.0642583,"duration_s":0.5,"error":null,'
    '"plan":"1. Call utility_logger.","transcript":[{"type":"attempt","turn":1,"duration_s":0.5,"problem":null,'
    '"status":null,"detail":"","wait_s":0.0},{"type":"reply","turn":1,"reply":{"text":"Done.","tool_calls":[],'
    '"prompt_tokens":90,"completion_tokens":8,"finish_reason":"stop"},"forgiven":[],"own_names":null}],'
    '"generator_version":1,"prompt_version":1,"scorer_version":1,"reused":false}}\n'
)
TURN = (
    '{"case_id":"ID_1","turn":1,"key":"340c978cf48bce99","at":1795728153.4477873,"model_time_s":0.25,"reply":'
    '{"text":"","tool_calls":[{"id":"call_1","name":"utility_logger","arguments":"{}"}],"prompt_tokens":1251,'
    '"completion_tokens":13,"finish_reason":"tool_calls"}}\n'
)


def fill_in(text: str) -> str:
    for number, case_id in enumerate((FINISHED_ID, UNFINISHED_ID)):
        text = text.replace(f"CASE_{number}", CASE % number).replace(f"ID_{number}", case_id)
    return text


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    path = tmp_path / "runs" / RUN_ID
    path.mkdir(parents=True)
    files = {
        "run.json": RUN,
        "ended.json": ENDED,
        "plan.json": PLAN,
        "journal-main.jsonl": EPISODE,
        "turns-main.jsonl": TURN,
        "begun-main.txt": "ID_0\nID_1\n",
        "lock": "",
    }
    for name, content in files.items():
        (path / name).write_text(fill_in(content))
    return RunDirectory.open(path)


def test_the_end_and_its_interruption_are_read(run: RunDirectory) -> None:
    assert read_run_end(run) == RunEnd(2, 1795728164.0587225, "interrupted (KeyboardInterrupt)")
    assert (find_state(run), interruption_of(run)) == (State.INTERRUPTED, "interrupted (KeyboardInterrupt)")


def test_the_end_is_written_with_the_same_field_names(run: RunDirectory) -> None:
    write_run_end(run, RunEnd(2, 1795728164.0587225, "interrupted (KeyboardInterrupt)"))
    assert (run.path / "ended.json").read_text() == ENDED


def test_a_recorded_interruption_is_read(run: RunDirectory) -> None:
    (run.path / "ended.json").unlink()
    (run.path / "cut-off").write_text("gw1 cannot write")
    assert read_interruption(run) == interruption_of(run) == "gw1 cannot write"


def test_the_plan_is_read(run: RunDirectory) -> None:
    plan = read_plan(run)
    assert plan is not None
    assert plan.cases == {FINISHED_ID: FINISHED, UNFINISHED_ID: UNFINISHED}
    assert plan.versions == VERSIONS


def test_the_results_are_read(run: RunDirectory) -> None:
    finished, skipped = read_results(run).episodes
    assert (finished.case, finished.outcome, len(finished.transcript)) == (FINISHED, Outcome.FULL, 2)
    assert (skipped.case, skipped.outcome) == (UNFINISHED, Outcome.SKIPPED)


def test_episodes_and_answers_are_reused(run: RunDirectory) -> None:
    reuse = find_reuse(run.path.parents[1], [FINISHED_ID, UNFINISHED_ID])
    assert reuse.episodes.keys() == {FINISHED_ID}
    assert [kept.reply.tool_calls[0].name for kept in reuse.answers[UNFINISHED_ID].values()] == ["utility_logger"]
    assert reuse.obstacle is None


def test_the_resume_files_are_removed(run: RunDirectory) -> None:
    remove_resume_files(run)
    names = {path.name for path in run.path.iterdir()}
    assert names == {"run.json", "ended.json", "plan.json", "journal-main.jsonl"}
