"""A program runs under a guard: its output is bounded, and none of its processes stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_ultra.agents.command.agent_process import AgentProcess, ProcessEnd
from pytest_ultra.agents.command.process_streams import TAIL_BYTES

DEFIANT = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for is_daemon in (False, True):
    if os.fork() == 0:
        if is_daemon:
            os.setsid()
            if os.fork():
                os._exit(0)
        break
with open("pids", "a") as file:
    print(os.getpid(), file=file, flush=True)
time.sleep(1000)
"""
"""A program that ignores SIGTERM, with a child, and with a daemon in a session of its own."""
ENDING = DEFIANT.replace(
    "time.sleep(1000)",
    """
is_program = os.getpid() == os.getsid(0)
while not is_program or open("pids").read().count("\\n") < 3:
    time.sleep(0.02)
""",
)
"""The same, but the program itself ends when all are there."""
CALLER = """
import os, sys
from pytest_ultra.agents.command.agent_process import AgentProcess
process = AgentProcess([sys.executable, "-c", sys.argv[1]], environ=os.environ, folder=sys.argv[2])
print(process.pid, flush=True)
process.run("")
"""


def start(folder: Path, code: str) -> AgentProcess:
    return AgentProcess([sys.executable, "-c", code], environ=os.environ, folder=folder)


def run(folder: Path, code: str, prompt: str = "") -> ProcessEnd:
    return start(folder, code).run(prompt)


def pids(folder: Path, number: int) -> list[int]:
    """Wait until so many processes have written their ids, and return these."""
    file = folder / "pids"
    end = time.monotonic() + 20
    while not file.exists() or file.read_text().count("\n") < number:
        assert time.monotonic() < end
        time.sleep(0.02)
    return [int(line) for line in file.read_text().splitlines()]


def wait_until_gone(processes: list[int]) -> None:
    end = time.monotonic() + 10
    while any(is_running(pid) for pid in processes):
        assert time.monotonic() < end
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


def test_a_program_gets_its_input_and_returns_its_output(tmp_path: Path) -> None:
    prompt = "é" * 200_000  # more than a pipe holds
    code = "import sys; sys.stdout.write(sys.stdin.read()[::-1]); sys.stderr.write('note')"
    assert run(tmp_path, code, prompt) == ProcessEnd(0, prompt, "note")


@pytest.mark.parametrize(
    ("code", "status", "tail"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import os; os.kill(os.getpid(), 11)", -signal.SIGSEGV, ""),
        ("raise ValueError('I cannot')", 1, "ValueError: I cannot\n"),
        ("import os; os.close(1); os.close(2)", 0, ""),
    ],
)
def test_the_exit_code_is_the_programs(tmp_path: Path, code: str, status: int, tail: str) -> None:
    end = run(tmp_path, code, prompt="not read")
    assert end.status == status
    assert end.error_tail.endswith(tail)


def test_a_program_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    end = AgentProcess(["/no/such"], environ=os.environ, folder=tmp_path).run("")
    assert end == ProcessEnd(127, "", "/no/such: No such file or directory\n")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_program_that_floods_is_killed(tmp_path: Path, stream: str) -> None:
    end = run(tmp_path, f"import sys\nwhile True: sys.{stream}.write('x' * 100_000)")
    assert end.flooded == stream
    assert len(end.output) <= TAIL_BYTES
    assert len(end.error_tail) <= TAIL_BYTES


def test_all_that_a_program_has_started_ends_when_it_is_stopped(tmp_path: Path) -> None:
    process = start(tmp_path, DEFIANT)
    ends: list[ProcessEnd] = []
    running = threading.Thread(target=lambda: ends.append(process.run("")))
    running.start()
    started = pids(tmp_path, 3)
    process.stop()
    running.join(10)
    assert [end.status for end in ends] == [-signal.SIGKILL]
    wait_until_gone(started)


def test_what_a_program_leaves_ends_with_it(tmp_path: Path) -> None:
    assert run(tmp_path, ENDING).status == 0
    wait_until_gone(pids(tmp_path, 3))


@pytest.mark.parametrize("who", ["caller", "guard"])
def test_a_program_ends_when_its_caller_or_its_guard_is_killed(tmp_path: Path, who: str) -> None:
    caller = subprocess.Popen(  # noqa: S603 - our own script
        [
            sys.executable,
            "-c",
            CALLER,
            DEFIANT if who == "caller" else DEFIANT.replace("(False, True)", "()"),
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert caller.stdout is not None
    guard = int(caller.stdout.readline())
    started = pids(tmp_path, 3 if who == "caller" else 1)
    os.kill(caller.pid if who == "caller" else guard, signal.SIGKILL)
    wait_until_gone(started)
    caller.kill()
    caller.communicate()
