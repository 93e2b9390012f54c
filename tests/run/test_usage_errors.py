"""Usage errors are reported before anything starts: the bad value, the valid ones, the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run.project import Project

DEMO = "--ultra-model=demo/perfect"

USAGE_ERRORS = {
    "provider": (["--ultra-model=acme/large"], ["'acme'", "openai, demo, azure", "--ultra-base-url"]),
    "agent": (["--ultra-model=demo/perfekt"], ["'perfekt'", "perfect, follower, null", "openai/demo"]),
    "parameter": (["--ultra-model=demo?latency=fast"], ["'fast'", "seconds per call", "latency=0.05"]),
    "key": (["--ultra-model=gpt-4o-mini"], ["'gpt-4o-mini'", "OPENAI_API_KEY", "--ultra-model demo"]),
    "prompt type": ([DEMO, "--ultra-prompt-type=flaw"], ["'flaw'", "baseline, cot, optimal", "did you mean 'flawed'"]),
    "task type": ([DEMO, "--ultra-task-type=simple"], ["'simple'", "simple_task, basic_task"]),
    "difficulty": ([DEMO, "--ultra-difficulty=esay"], ["'esay'", "very_easy, easy", "did you mean 'easy'"]),
    "flaw_visibility": ([DEMO, "--ultra-flaw-visibility=here"], ["'here'", "plan, job, world"]),
    "severity": ([DEMO, "--ultra-severity=hard"], ["'hard'", "light, medium, severe"]),
    "rate": ([DEMO, "--ultra-tool-success-rate=1.5"], ["'1.5'", "above 0 and up to 1", "0.8"]),
    "count": ([DEMO, "--ultra-instances=0"], ["'0'", "at least 1"]),
    "document": ([DEMO, "--ultra-json=/proc/out.json"], ["/proc/out.json", "give another path"]),
    "folder": ([DEMO, "--ultra-dir=/proc/ultra"], ["/proc/ultra", "give another path"]),
    "model's bytes": (["--ultra-model=gpt\udcff"], ["'gpt\\udcff'", "is not valid UTF-8", "as the endpoint lists it"]),
    "base url": (["--ultra-model=any", "--ultra-base-url=http://"], ["'http://'", "http://127.0.0.1:8080/v1"]),
    "node id": (
        [DEMO, "pytest_ultra/suite/test_workflows.py::test_workflow[x]"],
        ["test_workflow[x]", "test_workflow[demo/perfect-baseline-simple_task-easy-0]", "--collect-only"],
    ),
}


@pytest.mark.parametrize("mistake", USAGE_ERRORS)
def test_a_usage_error_ends_the_run_before_any_call(
    project: Project, xdist_on_off: tuple[str, ...], mistake: str
) -> None:
    args, parts = USAGE_ERRORS[mistake]
    result = project.pytester.runpytest(*xdist_on_off, *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    message = next(line for line in result.errlines if line.startswith("ERROR: "))
    assert [part for part in parts if part not in message] == []
    assert "Traceback" not in result.stderr.str()
    assert "workers" not in result.stdout.str(), "no worker was started"
    assert not (project.path / ".ultra").exists()
    assert project.processes() == []


def test_a_missing_path_is_an_error_of_pytest_and_leaves_no_files(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    result = project.run(*xdist_on_off, DEMO, "nowhere.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "INTERNALERROR" not in result.stdout.str()
    result.stderr.fnmatch_lines(["ERROR: file or directory not found: nowhere.py"])
    assert project.runs() == []
    assert not (project.path / "out.json").exists()


def link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere")


def put_a_file_at_runs(path: Path) -> None:
    path.mkdir()
    (path / "runs").write_text("")


@pytest.mark.parametrize(
    ("prepare", "part"), [(link_to_nothing, "is a symbolic link to nothing"), (put_a_file_at_runs, "is a file")]
)
def test_a_folder_that_cannot_hold_runs_is_a_usage_error(
    project: Project, xdist_on_off: tuple[str, ...], prepare: Callable[[Path], None], part: str
) -> None:
    prepare(project.path / ".ultra")
    result = project.run(*xdist_on_off, DEMO)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    result.stderr.fnmatch_lines(
        [f"ERROR: --ultra-dir: '*.ultra*' {part}; *" if "link" in part else f"*--ultra-dir*{part}*"]
    )


@pytest.mark.parametrize("proxy", ["http://[bad", "http://host:99999x", "http://"])
def test_a_malformed_proxy_is_a_usage_error(project: Project, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("https_proxy", proxy)
    result = project.run("--ultra-model=gpt-4o-mini")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    result.stderr.fnmatch_lines(["ERROR: *proxy in https_proxy*is not a valid address. Valid: http://HOST:PORT*"])
