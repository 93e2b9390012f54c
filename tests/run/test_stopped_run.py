"""A run that is stopped for a while blames neither the model nor its endpoint."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

from tests.run.project import TEN_CASES, Project, wait_until
from tests.run.scripted_server import Script, ScriptedServer, text_reply

LIMIT_S = 3
STOP_S = 5.5
"""Longer than the limit, and than a standstill of which a run says nothing."""


def test_a_stopped_worker_makes_no_case_time_out(
    project: Project, start_server: Callable[[Script], ScriptedServer], xdist_on_off: tuple[str, ...]
) -> None:
    may_answer = threading.Event()
    server = start_server(lambda _: (200, text_reply("Done.")) if may_answer.wait(30) else (500, "late"))
    limits = (f"--ultra-timeout={LIMIT_S}", f"--ultra-request-timeout={LIMIT_S}")
    command = project.start(*xdist_on_off, "--ultra-model=m", f"--ultra-base-url={server.url}", TEN_CASES, *limits)
    try:
        wait_until(lambda: server.requests)
        workers = project.workers() or [command.process.pid]
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(STOP_S)
        may_answer.set()
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        command.wait(60)
    finally:
        may_answer.set()
        command.end()

    assert project.outcomes() == {"failed": 10}, command.text
    assert {(episode["failure_class"], episode["requests"]) for episode in project.episodes()} == {
        ("wrong_deliverable", 1)
    }
    stopped = [episode for episode in project.episodes() if episode["standstill_s"] > STOP_S - 1]
    assert stopped
    assert max(episode["model_time_s"] for episode in stopped) < LIMIT_S
    assert "this run itself stood still" in command.text
