"""Starting the whole command as a user does, and reading what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NO_XDIST = ("-p", "no:xdist")
TEN = "--ultra-task-type=simple_task"
"""Ten cases: one of each prompt type."""
ONE = (TEN, "--ultra-prompt-type=optimal")

MARK = "ULTRA_TEST_MARK"
"""Variable by which all processes of a run are found, whoever their parents are."""

TIMES = frozenset({"started_at", "duration_s", "model_time_s", "tool_time_s", "waiting_time_s", "worker"})

Record = dict[str, Any]


def wait_until(is_so: Callable[[], object], *, within_s: float = 40.0) -> None:
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end, f"not so within {within_s} s"
        time.sleep(0.02)


@dataclass
class Project:
    """A user's folder, in which the command is run."""

    pytester: pytest.Pytester
    mark: str

    @property
    def path(self) -> Path:
        return self.pytester.path

    def run(self, *args: str) -> pytest.RunResult:
        """Run to the end, in a process of its own; the document goes to out.json."""
        return self.pytester.runpytest_subprocess("--ultra-json=out.json", *args, timeout=90)

    def start(self, *args: str) -> Started:
        """Start in a session of its own, as a terminal would, so that all of its processes can be signalled."""
        output = self.path / "output.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603 - it is the command under test
                [sys.executable, "-m", "pytest", "--ultra-json=out.json", *args],
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.path,
                start_new_session=True,
            )
        return Started(process, output)

    def document(self, path: str = "out.json") -> Record:
        document: Record = json.loads((self.path / path).read_text())
        return document

    def episodes(self, path: str = "out.json") -> list[Record]:
        episodes: list[Record] = self.document(path)["episodes"]
        return episodes

    def outcomes(self, path: str = "out.json") -> Counter[str]:
        return Counter(episode["outcome"] for episode in self.episodes(path))

    def repeatable(self, path: str = "out.json") -> dict[str, Record]:
        """Return each episode by its node id, without what differs from run to run."""
        return {
            episode["nodeid"]: {name: value for name, value in episode.items() if name not in TIMES}
            for episode in self.episodes(path)
        }

    def runs(self) -> list[Path]:
        return sorted((self.path / ".ultra").glob("runs/*"))

    def lives(self) -> list[Record]:
        """Return every episode in the journals of the newest run."""
        journals = sorted(self.runs()[-1].glob("journal-*.jsonl")) if self.runs() else []
        lines = [line for journal in journals for line in journal.read_text().splitlines(keepends=True)]
        return [json.loads(line)["episode"] for line in lines if line.endswith("\n")]

    def lives_of_cases(self) -> Counter[str]:
        return Counter(life["nodeid"] for life in self.lives())

    def processes(self) -> list[int]:
        """Return the ids of all processes that were started for this project and are still there."""
        return [pid for pid in _process_ids() if self.mark.encode() in _read(pid, "environ")]

    def workers(self) -> list[int]:
        return [pid for pid in self.processes() if b"sys.stdin.readline()" in _read(pid, "cmdline")]


@dataclass
class Started:
    """A command under way."""

    process: subprocess.Popen[bytes]
    output: Path

    def interrupt(self, *, is_group: bool = True) -> None:
        self.signal(signal.SIGINT, is_group=is_group)

    def signal(self, number: signal.Signals, *, is_group: bool) -> None:
        (os.killpg if is_group else os.kill)(self.process.pid, number)

    def wait(self, within_s: float) -> int:
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {within_s} s:\n{self.output.read_text()}")

    @property
    def text(self) -> str:
        return self.output.read_text()

    def end(self) -> None:
        with suppress(ProcessLookupError):
            self.signal(signal.SIGKILL, is_group=True)
        self.process.wait()


def _process_ids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
