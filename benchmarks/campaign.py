"""A series of runs that are killed, interrupted, stopped and resumed repeatedly, until one finishes."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

CONCURRENCY = 2
"""Episodes in flight per worker: few, so that a run is long enough to be killed while it runs."""
REQUEST_TIMEOUT_S = 2
WORKERS = (2, 3, 0)
MOMENTS_S = (0.05, 0.9)
"""How long a run executes episodes before each kill: a range in seconds."""
TIMEOUT_S = 60.0
CONFTEST = """
import time

import pytest

@pytest.hookimpl(wrapper=True)
def pytest_ultra_workflow():
    time.sleep(0.02)  # hold the lock long enough to find its holder
    return (yield)
"""

Episode = dict[str, Any]


class Disturbance(Struct, frozen=True):
    """Signals to a process of a run, or to its process group, with a pause after each but the last.

    The targets are the process that makes the workflows (`lock holder`), a `worker`, the `controller` alone, and the
    `whole run`. A terminal sends its signals to the whole run.
    """

    target: str
    signals: tuple[signal.Signals, ...] = (signal.SIGKILL,)
    pause_s: float = 0.0

    @property
    def name(self) -> str:
        sent = " ".join(each.name.removeprefix("SIG").lower() for each in self.signals)
        return self.target if self.signals == (signal.SIGKILL,) else f"{self.target} {sent}"

    @property
    def ends_run(self) -> bool:
        return self.target in ("controller", "whole run") and signal.SIGCONT not in self.signals


_INT, _TERM, _HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
_PAUSE = (signal.SIGSTOP, signal.SIGCONT)
KILLS = (
    *(Disturbance(target) for target in ("lock holder", "worker", "worker", "controller")),
    *(Disturbance(target) for target in ("lock holder", "worker", "whole run", "whole run")),
)
SIGNALS = (
    Disturbance("whole run", (_INT,)),
    Disturbance("whole run", (_INT, _INT), 0.05),
    Disturbance("whole run", (_INT, _INT), 0.3),
    Disturbance("whole run", (_INT, _INT, _INT), 0.02),
    Disturbance("controller", (_INT, _INT), 0.1),
    Disturbance("whole run", (_TERM,)),
    Disturbance("whole run", (_INT, _TERM), 0.1),
    Disturbance("whole run", (_HUP,)),
    Disturbance("controller", (_HUP,)),
    Disturbance("worker", _PAUSE, 1.0),
    Disturbance("worker", _PAUSE, 3.0),
    Disturbance("controller", _PAUSE, 1.0),
    Disturbance("whole run", _PAUSE, 3.0),
)


class Kill(Struct, frozen=True):
    """A disturbance of `target` from the Unix time `at` to `until`, with at most `in_flight` requests in flight."""

    target: str
    at: float
    until: float
    in_flight: int


class Campaign:
    """One series of runs in a folder of its own."""

    def __init__(self, folder: Path, url: str, kills: int, chance: random.Random, *, has_signals: bool = False) -> None:
        self.folder = folder
        self.url = url
        self.kills: list[Kill] = []
        self.runs = 0
        self.wanted = kills
        self.needed = kills * 9 // 10 if has_signals else kills  # a signal can come too late for a run
        self.left_processes = 0
        self._has_signals = has_signals
        self._chance = chance
        self._instances = max(1, round(kills / 6))
        self._process: subprocess.Popen[bytes] | None = None
        self._workers = 0
        (folder / "conftest.py").write_text(CONFTEST)

    def run(self, speed_up: Callable[[], None]) -> int:
        """Kill and resume until there were enough kills; then let a run finish, and return its exit code."""
        for disturbance in self._choose_disturbances():
            process = self._process
            is_new = process is None or process.poll() is not None
            if process is None or is_new:
                workers = self._chance.choice(WORKERS)
                process = self._start(workers if disturbance.target == "whole run" else workers or 2)
            self._disturb_once(process, disturbance, is_new=is_new)
        speed_up()
        return self._finish()

    def _disturb_once(self, process: subprocess.Popen[bytes], disturbance: Disturbance, *, is_new: bool) -> None:
        if disturbance.target == "lock holder" and not is_new:
            disturbance = Disturbance("worker")  # the workflows of this run are made
        pid = self._await_process(process, disturbance.target)
        if pid:
            self._disturb(process, disturbance, pid)

    def _choose_disturbances(self) -> Iterator[Disturbance]:
        """Yield the kills in turn; with signals, draw from all disturbances."""
        if not self._has_signals:
            return itertools.islice(itertools.cycle(KILLS), self.wanted)
        return (self._chance.choice((*SIGNALS, *KILLS)) for _ in range(self.wanted))

    def _await_process(self, process: subprocess.Popen[bytes], target: str) -> int:
        """Wait for a moment to disturb, and return the process to disturb; 0 if the run ended before."""

        def wait(find: Callable[[], int | None]) -> int:
            return _wait(lambda: find() or (None if process.poll() is None else -1))

        if target == "lock holder":
            return max(0, wait(self._lock_holder))
        wait(self._has_started)
        time.sleep(self._chance.uniform(*MOMENTS_S))
        return max(0, wait(lambda: self._choose(_workers(process.pid)))) if target == "worker" else process.pid

    def _choose(self, pids: list[int]) -> int | None:
        return self._chance.choice(pids) if pids else None

    def _disturb(self, process: subprocess.Popen[bytes], disturbance: Disturbance, pid: int) -> None:
        in_flight = {"lock holder": 0, "worker": 1}.get(disturbance.target, max(1, self._workers)) * CONCURRENCY
        at, sent = time.time(), 0
        with suppress(ProcessLookupError):
            for number in disturbance.signals:
                time.sleep(disturbance.pause_s if sent else 0.0)
                (os.killpg if disturbance.target == "whole run" else os.kill)(pid, number)
                sent += 1
        if disturbance.ends_run and sent:
            self._await_end(process)
        if sent:
            self.kills.append(Kill(disturbance.name, at, time.time(), in_flight))

    def _await_end(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the run has ended, and count the processes of it that are still there."""
        process.wait(TIMEOUT_S)
        for _ in range(200):
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)
        self.left_processes += 1
        os.killpg(process.pid, signal.SIGKILL)

    def _lock_holder(self) -> int | None:
        """Return the process that holds the lock on the newest run's workflows, from the kernel's list."""
        locks = sorted(self.folder.glob(".ultra/runs/*/guidance/lock"))
        with suppress(OSError, IndexError):
            inode = locks[-1].stat().st_ino
            for line in Path("/proc/locks").read_text().splitlines():
                fields = line.split()
                if "->" not in fields and fields[5].endswith(f":{inode}"):
                    return int(fields[4])
        return None

    def _has_started(self) -> bool:
        """Return whether the newest run has started an episode."""
        runs = sorted(self.folder.glob(".ultra/runs/*"))
        return len(runs) >= self.runs and any(path.stat().st_size for path in runs[-1].glob("started-*"))

    def _finish(self) -> int:
        process = self._process
        code = process.wait() if process is not None and process.poll() is None else self._start(2).wait()
        for _ in range(3):
            if all(episode["outcome"] != "error" for episode in self.document()):
                break
            code = self._start(2, "--ultra-rerun=errors").wait()
        return code

    def _start(self, workers: int, *more: str) -> subprocess.Popen[bytes]:
        self.runs += 1
        self._workers = workers
        command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", "--max-worker-restart=99"]
        command += ["--ultra-model=faulty", f"--ultra-base-url={self.url}", f"--ultra-instances={self._instances}"]
        command += ["--ultra-task-type=simple_task,basic_task", f"--ultra-request-timeout={REQUEST_TIMEOUT_S}"]
        command += [f"--ultra-concurrency={CONCURRENCY}", "--ultra-json=result.json", f"-n{workers}", *more]
        output = (self.folder / "output.txt").open("ab")
        self._process = subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output, start_new_session=True)
        return self._process

    def document(self) -> list[Episode]:
        episodes: list[Episode] = json.loads((self.folder / "result.json").read_text())["episodes"]
        return episodes

    def finished(self) -> Iterator[tuple[str, float]]:
        """Yield the case and the start time of each scored episode in the journals of all runs."""
        for journal in sorted(self.folder.glob(".ultra/runs/*/journal-[!r]*.jsonl")):
            for line in journal.read_bytes().split(b"\n"):
                with suppress(ValueError):
                    read = json.loads(line)
                    if read["episode"]["score"]["outcome"] in ("full", "partial", "failed"):
                        yield read["case_id"], read["episode"]["started_at"]


def _workers(pid: int) -> list[int]:
    """Return the running workers of a run: a killed process has no command line any more."""
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [
            int(child) for child in children if b"sys.stdin.readline" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
    return []


def _wait(find: Callable[[], int | None]) -> int:
    end = time.monotonic() + TIMEOUT_S
    while not (found := find()):
        if time.monotonic() > end:
            raise SystemExit(f"no process to kill within {TIMEOUT_S:g} s")
        time.sleep(0.005)
    return found
