"""A clock that is set in mid-run makes no time negative or absurd, and changes no result."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime

import pytest

from tests.run.project import NO_XDIST, TEN_CASES, Project

STEP = """
import threading, time
from pytest_ultra.engine.clock import SystemClock

real = time.time

def step():
    time.time = lambda: real() + SECONDS
    SystemClock.time = lambda self: real() + SECONDS

timer = threading.Timer(0.5, step)

def pytest_runtest_setup():
    if not timer.ident:
        timer.start()
"""


@pytest.mark.parametrize("seconds", [-3600, 3600], ids=["back", "forward"])
def test_a_clock_step_in_mid_run(project: Project, seconds: int) -> None:
    """The step is simulated in the user's project: the machine's own clock belongs to others too."""
    project.pytester.makeconftest(STEP.replace("SECONDS", str(seconds)))
    slow = ("--ultra-model=demo/perfect?latency=0.3", TEN_CASES, "--ultra-run-timeout=80", "--junitxml=junit.xml")
    result = project.run(*NO_XDIST, *slow)

    result.assert_outcomes(passed=10)
    run = project.runs()[-1]
    end = json.loads((run / "ended.json").read_text())
    assert end["cut_off"] is None
    assert end["ended_at"] >= datetime.fromisoformat(project.document()["run"]["started_at"]).timestamp()
    assert 0 < project.document()["run"]["duration_s"] < 80
    for episode in project.journaled_episodes():
        times = re.findall(r'"\w+_s": (-?[\d.]+)', json.dumps(episode))
        assert all(0 <= float(time) < 80 for time in times)
    assert 'time="-' not in (project.path / "junit.xml").read_text()
    assert project.pytester.run(sys.executable, "-m", "pytest_ultra", "show", run.name).ret == 0
