"""Outputs of a run: the JSON document, the run directory, the terminal; and when its workers start."""

from __future__ import annotations

import json

import pytest

from tests.run.project import ONE_CASE, TEN_CASES, Project

TEXT, WHOLE, NUMBER, NOTHING = str, int, (int, float), type(None)

FIELDS: dict[str, type | tuple[type, ...]] = {
    "case_id": TEXT,
    "nodeid": TEXT,
    "model": TEXT,
    "prompt_type": TEXT,
    "flaw_kind": (TEXT, NOTHING),
    "severity": (TEXT, NOTHING),
    "flaw_visibility": (TEXT, NOTHING),
    "proved_visibility": (TEXT, NOTHING),
    "task_type": TEXT,
    "difficulty": TEXT,
    "instance": WHOLE,
    "repeat": WHOLE,
    "seed": WHOLE,
    "tool_success_rate": NUMBER,
    "outcome": TEXT,
    "milestone_coverage": NUMBER,
    "tool_calls": WHOLE,
    "reference_calls": WHOLE,
    "efficiency": (*NUMBER, NOTHING),
    "random_faults": WHOLE,
    "recovered_faults": WHOLE,
    "obedience": (*NUMBER, NOTHING),
    "failure_class": (TEXT, NOTHING),
    "error": (TEXT, NOTHING),
    "turns": WHOLE,
    "requests": WHOLE,
    "prompt_tokens": WHOLE,
    "completion_tokens": WHOLE,
    "worker": TEXT,
    "started_at": NUMBER,
    "duration_s": NUMBER,
    "model_time_s": NUMBER,
}


def test_the_document_contains_every_planned_case_with_all_its_fields(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.run(*xdist_on_off, "--ultra-model=demo", TEN_CASES, "--ultra-repeats=2")
    document = project.document()
    assert document["schema_version"] == 1
    assert document["run"]["run_id"] == project.runs()[0].name
    assert len(document["episodes"]) == 20
    wrong = [
        (episode["nodeid"], name)
        for episode in document["episodes"]
        for name, kind in FIELDS.items()
        if not isinstance(episode[name], kind)
    ]
    assert wrong == []
    assert len({episode["case_id"] for episode in document["episodes"]}) == 20
    workers = {episode["worker"] for episode in document["episodes"]}
    assert workers == ({"gw0", "gw1"} if xdist_on_off == ("-n2",) else {"main"})


def test_a_run_keeps_its_journals_with_transcripts_and_its_workflows(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.run(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES)
    (run,) = project.runs()
    names = {path.name for path in run.iterdir()}
    journals = {"journal-gw0.jsonl", "journal-gw1.jsonl"} if xdist_on_off == ("-n2",) else {"journal-main.jsonl"}
    assert names == {"run.json", "plan.json", "ended.json", "report.html", "guidance", *journals}
    assert all(episode["transcript"][-1]["type"] == "end" for episode in project.journaled_episodes())
    assert json.loads((run / "run.json").read_text())["options"]["model"] == ["demo/perfect"]
    assert (project.path / ".ultra" / ".gitignore").read_text() == "*\n"


def test_paths_are_relative_to_the_current_directory(
    project: Project, xdist_on_off: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.pytester.makeini("[pytest]")
    below = project.pytester.mkdir("below")
    monkeypatch.chdir(below)
    project.run(*xdist_on_off, "--ultra-model=demo/perfect", *ONE_CASE, "--ultra-dir=kept")
    assert len(project.episodes("below/out.json")) == 1
    assert len(list(below.glob("kept/runs/*/journal-*.jsonl"))) == 1
    assert not (project.path / ".ultra").exists()


HEADER = "ultra: 10 cases, model demo/perfect, {}, seed 0"


def test_the_terminal_shows_a_header_a_table_and_the_counts(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = project.run_in_own_process(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES)
    workers = "2 workers" if xdist_on_off == ("-n2",) else "no workers (one process)"
    result.stdout.fnmatch_lines([HEADER.format(workers), "ultra: kept in .ultra/runs/*"])
    result.stdout.fnmatch_lines(
        [
            "*= ultra =*",
            "model *success*95%*n*flawed*calls*",
            "prompt type *success*vs optimal*calls*",
            "optimal *100.0%*",
        ]
    )
    result.stdout.fnmatch_lines("10 planned: 10 scored (10 full, 0 partial, 0 failed), 0 error, 0 skipped")
    result.stdout.fnmatch_lines("demo models are scripted agents: these figures say nothing about any real model")
    assert result.stderr.str() == ""
    assert "warning" not in result.stdout.str().lower()


def test_a_failed_item_on_a_worker_shows_plan_and_transcript(project: Project) -> None:
    args = ("--ultra-model=demo/follower", "--ultra-task-type=simple_task", "--ultra-prompt-type=flawed_missing_step")
    result = project.run("-n2", *args)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["failed: the job was not done", "plan, as the model saw it*", "transcript:*", "*turn 1*"]
    )
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize("args", [("-q",), ("-p", "no:terminal"), ("-n2", "-p", "no:terminal")])
def test_a_quiet_terminal_changes_nothing_else(project: Project, args: tuple[str, ...]) -> None:
    result = project.run_in_own_process("--ultra-model=demo/perfect", *ONE_CASE, *args)
    assert result.ret == 0
    assert dict(project.outcomes()) == {"full": 1}
    assert result.stderr.str() == ""
    assert ("1 planned: 1 scored" in result.stdout.str()) == (args == ("-q",))
    assert "ultra: " not in result.stdout.str()


RAMP = """
    def pytest_addoption(parser):
        parser.addoption("--ramp")
"""


@pytest.mark.parametrize(
    ("args", "is_staggered"),
    [(["--ultra-stagger=5"], True), (["--ultra-stagger=auto"], False), (["--ultra-stagger=20", "--ramp=1"], False)],
    ids=["seconds", "auto", "ramp"],
)
def test_the_second_worker_waits_with_a_stagger_and_without_the_ramp_option_of_xdist(
    project: Project, args: list[str], *, is_staggered: bool
) -> None:
    if "--ramp=1" in args:
        project.pytester.makeconftest(RAMP)
    project.run("-n2", "--ultra-model=demo/null", TEN_CASES, *args).assert_outcomes(failed=10)
    first = {
        worker: min(
            float(episode["started_at"]) for episode in project.journaled_episodes() if episode["worker"] == worker
        )
        for worker in ("gw0", "gw1")
    }
    later_s = first["gw1"] - first["gw0"]
    assert (later_s > 3) == is_staggered  # workers of a slow machine come up to two seconds apart by themselves
    assert later_s < 10
