"""What a run leaves and says: the document, the run's folder, the terminal, and when its workers begin."""

from __future__ import annotations

import json

import pytest

from tests.run.running import ONE, TEN, Project

TEXT, WHOLE, NUMBER, NOTHING = str, int, (int, float), type(None)

FIELDS: dict[str, type | tuple[type, ...]] = {
    "case_id": TEXT,
    "nodeid": TEXT,
    "model": TEXT,
    "prompt_type": TEXT,
    "flaw_kind": (TEXT, NOTHING),
    "severity": (TEXT, NOTHING),
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


def test_the_document_holds_every_planned_case_with_all_its_fields(project: Project, extreme: tuple[str, ...]) -> None:
    project.run(*extreme, "--ultra-model=demo", TEN, "--ultra-repeats=2")
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
    assert workers == ({"gw0", "gw1"} if extreme == ("-n2",) else {"main"})


def test_a_run_keeps_its_journals_with_transcripts_and_its_workflows(
    project: Project, extreme: tuple[str, ...]
) -> None:
    project.run(*extreme, "--ultra-model=demo/perfect", TEN)
    (run,) = project.runs()
    names = {path.name for path in run.iterdir()}
    journals = {"journal-gw0.jsonl", "journal-gw1.jsonl"} if extreme == ("-n2",) else {"journal-main.jsonl"}
    assert names == {"run.json", "plan.json", "ended.json", "report.html", "guidance", *journals}
    assert all(life["transcript"][-1]["type"] == "end" for life in project.lives())
    assert json.loads((run / "run.json").read_text())["options"]["model"] == ["demo/perfect"]
    assert (project.path / ".ultra" / ".gitignore").read_text() == "*\n"


def test_paths_are_relative_to_where_the_command_is_run(
    project: Project, extreme: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.pytester.makeini("[pytest]")
    below = project.pytester.mkdir("below")
    monkeypatch.chdir(below)
    project.run(*extreme, "--ultra-model=demo/perfect", *ONE, "--ultra-dir=kept")
    assert len(project.episodes("below/out.json")) == 1
    assert len(list(below.glob("kept/runs/*/journal-*.jsonl"))) == 1
    assert not (project.path / ".ultra").exists()


HEADER = "ultra: 10 cases, model demo/perfect, {}, seed 0"


def test_the_terminal_shows_a_header_a_table_and_the_counts(project: Project, extreme: tuple[str, ...]) -> None:
    result = project.run(*extreme, "--ultra-model=demo/perfect", TEN)
    workers = "2 workers" if extreme == ("-n2",) else "no workers (one process)"
    result.stdout.fnmatch_lines([HEADER.format(workers), "ultra: kept in .ultra/runs/*"])
    result.stdout.fnmatch_lines(["*= ultra =*", "prompt type *success*95%*vs optimal*p*calls*", "optimal *100.0%*"])
    result.stdout.fnmatch_lines("10 planned: 10 scored (10 full, 0 partial, 0 failed), 0 error, 0 skipped")
    result.stdout.fnmatch_lines("demo models are scripted agents: these figures say nothing about any real model")
    assert result.stderr.str() == ""
    assert "warning" not in result.stdout.str().lower()


def test_a_failed_item_shows_plan_and_transcript_from_a_worker_too(project: Project) -> None:
    args = ("--ultra-model=demo/follower", "--ultra-task-type=simple_task", "--ultra-prompt-type=flawed_missing_step")
    result = project.run("-n2", *args)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["failed: the job was not done", "plan, as the model saw it*", "transcript:*", "*turn 1*"]
    )
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize("args", [("-q",), ("-p", "no:terminal")], ids=["quiet", "none"])
def test_a_quiet_terminal_changes_nothing_else(
    project: Project, extreme: tuple[str, ...], args: tuple[str, ...]
) -> None:
    result = project.run(*extreme, "--ultra-model=demo/perfect", *ONE, *args)
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
    [(["--ultra-stagger=3"], True), (["--ultra-stagger=auto"], False), (["--ultra-stagger=20", "--ramp=1"], False)],
    ids=["seconds", "auto", "ramp"],
)
def test_the_second_worker_waits_when_asked_to_and_xdist_does_not_do_it(
    project: Project, args: list[str], *, is_staggered: bool
) -> None:
    if "--ramp=1" in args:
        project.pytester.makeconftest(RAMP)
    project.run("-n2", "--ultra-model=demo/null", TEN, *args).assert_outcomes(failed=10)
    first = {
        worker: min(float(life["started_at"]) for life in project.lives() if life["worker"] == worker)
        for worker in ("gw0", "gw1")
    }
    later_s = first["gw1"] - first["gw0"]
    assert (later_s > 1.5) == is_staggered
    assert later_s < 6
