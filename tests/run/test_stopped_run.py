"""A run that is stopped for a while blames neither the model nor its endpoint."""

from __future__ import annotations

import os
import signal
import time

from tests.run.project import TEN_CASES, Project, wait_until

STOP_S = 8.0


def test_a_stopped_worker_makes_no_case_time_out(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    limits = ("--ultra-timeout=7", "--ultra-request-timeout=7")
    command = project.start(*xdist_on_off, "--ultra-model=demo/perfect?latency=0.7", TEN_CASES, *limits)
    try:
        wait_until(lambda: any(path.stat().st_size for path in project.path.glob(".ultra/runs/*/turns-*")))
        workers = project.workers() or [command.process.pid]
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(STOP_S)
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        command.wait(60)
    finally:
        command.end()

    assert project.outcomes() == {"full": 10}, command.text
    stopped = [episode for episode in project.episodes() if episode["standstill_s"] > STOP_S - 2]
    assert stopped
    assert max(episode["model_time_s"] for episode in stopped) < 7
    assert "this run itself stood still" in command.text
