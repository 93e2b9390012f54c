"""A test's duration is that of its episode, whatever other tests it waited for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.run import slow_imports  # noqa: F401 - for speed
from tests.run.project import TEN_CASES, Project
from tests.run.scripted_server import Script, ScriptedServer

LOG = ("-p", "pytest_reportlog.plugin", "--report-log=log.jsonl")


def reports(project: Project) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the reports of each test by their phase."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for line in (project.path / "log.jsonl").read_text().splitlines():
        report = json.loads(line)
        if report["$report_type"] == "TestReport":
            found.setdefault(report["nodeid"], {})[report["when"]] = report
    return found


def test_a_test_takes_as_long_as_its_episode_and_its_wait_is_not_counted(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.run(*xdist_on_off, "--ultra-model=demo/follower", TEN_CASES, *LOG)
    found = reports(project)
    assert len(found) == 10
    for episode in project.episodes():
        setup, call = found[episode["nodeid"]]["setup"], found[episode["nodeid"]]["call"]
        took_s = call["duration"] - (call["stop"] - call["start"])
        assert took_s == pytest.approx(episode["duration_s"], abs=0.01)
        assert 0 <= setup["duration"] < setup["stop"] - setup["start"], "without the wait"


def test_an_error_takes_as_long_as_its_episode(
    project: Project, start_server: Callable[[Script], ScriptedServer]
) -> None:
    """Its test has no call."""
    server = start_server(lambda _: (401, "{}"))
    url = f"--ultra-base-url={server.url}"
    project.run("-n0", "--ultra-model=m", url, TEN_CASES, "--ultra-prompt-type=optimal", *LOG)
    ((episode,), (phases,)) = project.episodes(), reports(project).values()
    assert "call" not in phases
    assert phases["setup"]["duration"] >= episode["duration_s"] > 0


def test_a_reused_result_takes_no_time(project: Project) -> None:
    options = ("-n0", "--ultra-model=demo/perfect", TEN_CASES, *LOG)
    project.run(*options)
    project.run(*options, "--ultra-rerun=failed")
    for phases in reports(project).values():
        call = phases["call"]
        assert call["duration"] == pytest.approx(call["stop"] - call["start"], abs=0.01)
