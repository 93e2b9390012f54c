"""At the end of a run, each output is written on its own: what cannot be written is reported, and stops no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run.project import NO_XDIST, TEN_CASES, Project
from tests.run.scripted_server import Script, ScriptedServer, text_reply, tool_call_reply

AFTER_TESTS = """
import os, shutil
from pathlib import Path
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    result = yield
    if not hasattr(session.config, "workerinput"):
        (run,) = Path(".ultra/runs").iterdir()
        damage(run)
    return result
"""
REMOVED = "def damage(run): shutil.rmtree('.ultra')"
DESCRIPTION = "def damage(run): (run / 'run.json').write_bytes(b'[' * 5000)"
LINE = """
def damage(run):
    path = min(run.glob("journal-*.jsonl"))
    first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first.replace(b'"transcript":[', b'"transcript":[' + b"[" * 5000) + b"".join(others))
"""
PIPE = """
def damage(run):
    for path in run.glob("journal-*.jsonl"):
        path.unlink()
        os.mkfifo(path)
"""
NEWER = """
def damage(run):
    for path in run.glob("journal-*.jsonl"):
        path.write_bytes(b'{"schema_version": 99}')
"""
OUTPUTS = """
def damage(run):
    for name in ("out.json", "out.md"):
        Path(name).mkdir()
"""
END = """
def damage(run):
    (run / "ended.json").mkdir()
"""
ULTRA = (TEN_CASES, "--ultra-markdown=out.md", "--junitxml=junit.xml")


def run_with(project: Project, damage: str, *args: str, model: str = "demo/perfect") -> pytest.RunResult:
    project.pytester.makeconftest(AFTER_TESTS + damage)
    result = project.run(f"--ultra-model={model}", *ULTRA, *args)
    output = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in output
    assert "Traceback" not in output
    for ended in project.path.glob(".ultra/runs/*/ended.json"):
        assert json.loads(ended.read_text())["exit_status"] == result.ret
    return result


def test_results_that_were_removed_are_not_called_safe(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = run_with(project, REMOVED, *xdist_on_off)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["the results of 10 cases are lost: *.ultra*; keep * until the run has ended"])
    assert "are safe" not in result.stdout.str()
    assert not (project.path / "out.json").exists(), "the document needs run.json"


def test_a_damaged_description_stops_only_what_needs_it(project: Project) -> None:
    result = run_with(project, DESCRIPTION, *NO_XDIST)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "10 planned: 10 scored (10 full, *",
            "the JSON document was not written (*run.json' is damaged (*",
            "report: not written to *run.json' is damaged (*",
        ],
    )
    assert "10 scored" in (project.path / "out.md").read_text()
    assert 'name="ultra_full" value="10"' in (project.path / "junit.xml").read_text()


def test_a_damaged_line_is_the_error_of_its_case(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = run_with(project, LINE, *xdist_on_off)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["10 planned: 9 scored (9 full, * 1 error, 0 skipped", "the results of 1 case are lost: *"]
    )
    (error,) = [episode["error"] for episode in project.episodes() if episode["outcome"] == "error"]
    assert "journal-" in error
    assert "line 1" in error
    assert (project.path / "out.md").exists()
    result.stdout.fnmatch_lines(["report: .ultra/runs/*"])


@pytest.mark.parametrize(("damage", "reason"), [(PIPE, "is not a regular file"), (NEWER, "newer pytest-ultra")])
def test_journals_that_cannot_be_read_are_errors_of_their_cases(project: Project, damage: str, reason: str) -> None:
    result = run_with(project, damage, *NO_XDIST)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["10 planned: 0 scored *", f"the results of 10 cases are lost: *{reason}*"])
    assert project.outcomes() == {"error": 10}


def test_an_end_that_cannot_be_recorded_fails_the_run_and_says_that_the_next_one_resumes_it(project: Project) -> None:
    project.pytester.makeconftest(AFTER_TESTS + END)
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", *ULTRA)
    assert result.ret == 1
    result.stderr.fnmatch_lines(
        ["ultra: the end of the run was not recorded (is a directory): the next run resumes this run"]
    )

    project.pytester.makeconftest("")
    (project.runs()[-1] / "ended.json").rmdir()
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", *ULTRA)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["ultra: 10 episodes of 10 cases reused from run *, which was interrupted; *"])


def test_paths_that_cannot_be_written_stop_nothing_else(project: Project) -> None:
    result = run_with(project, OUTPUTS, *NO_XDIST)
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            "the JSON document was not written (is a directory)*",
            "the Markdown summary was not written*irectory*",
            "report: .ultra/runs/*",
            "10 planned: 10 scored *",
        ]
    )


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="/dev/full is a disk without space")
def test_a_report_of_pytest_that_cannot_be_written_stops_no_other_output(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    result = run_with(project, "def damage(run): pass", *xdist_on_off, "--junitxml=/dev/full", "--ultra-html=out.html")
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            "10 planned: 10 scored *",
            "an output of pytest or of another plugin was not written (no space left on device)",
            "report: out.html",
        ]
    )
    assert project.outcomes() == {"full": 10}
    assert project.document()["run"]["exit_status"] == 1
    assert (project.path / "out.md").exists()
    assert project.processes() == []


OWN_ENDPOINT = """
from pytest_ultra.core.transcript import Reply

class Endpoint:
    async def attempt(self, request):
        return REPLY

    async def aclose(self):
        pass

def pytest_ultra_endpoint(config, settings):
    return Endpoint()
"""


@pytest.mark.parametrize(
    "reply",
    [
        "Reply(text='done', prompt_tokens=1e308)",
        "Reply(text='done', prompt_tokens=10**400)",
        "Reply(text='done \\ud800')",
        "Reply(text=None)",
    ],
)
def test_an_odd_answer_of_a_users_endpoint_costs_only_its_episode(project: Project, reply: str) -> None:
    project.pytester.makeconftest(OWN_ENDPOINT.replace("REPLY", reply))
    result = project.run(*NO_XDIST, "--ultra-model=mine", TEN_CASES)
    assert "INTERNALERROR" not in result.stdout.str()
    assert sum(project.outcomes().values()) == 10
    assert set(project.outcomes()) <= {"error", "failed", "partial"}
    assert "lost" not in result.stdout.str()
    result.stdout.fnmatch_lines(["10 planned: *", "report: .ultra/runs/*"])


DEEP = '{"path": ' + '{"a":' * 975 + "1" + "}" * 976
WIRE = {
    "usage": text_reply("done").replace('"prompt_tokens": 7', '"prompt_tokens": 1e308'),
    "long-usage": text_reply("done").replace('"prompt_tokens": 7', '"prompt_tokens": 1' + "0" * 400),
    "arguments": tool_call_reply("file_operations_reader", DEEP),
    "surrogate": text_reply("done").replace("done", "done \\ud800"),
    "surrogate-in-arguments": tool_call_reply("file_operations_reader", '{"path": "\\ud800"}'),
}


@pytest.mark.parametrize("body", WIRE.values(), ids=WIRE)
def test_an_odd_answer_of_an_endpoint_leaves_all_outputs(
    project: Project, start_server: Callable[[Script], ScriptedServer], monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    server = start_server(lambda _: (200, body))
    result = run_with(
        project,
        "def damage(run): pass",
        *NO_XDIST,
        f"--ultra-base-url={server.url}",
        "--ultra-max-turns=3",
        model="gpt-4o-mini",
    )
    assert sum(project.outcomes().values()) == 10
    result.stdout.fnmatch_lines(["10 planned: *", "report: .ultra/runs/*"])
    assert "lost" not in result.stdout.str()
    assert "was not written" not in result.stdout.str()
    assert "ultra_planned" in (project.path / "junit.xml").read_text()
    assert (project.path / "out.md").exists()
