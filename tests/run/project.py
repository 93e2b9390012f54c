"""Run the whole command as a user does, and read its outputs."""

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
TEN_CASES = "--ultra-task-type=simple_task"
"""Ten cases: one of each prompt type."""
ONE_CASE = (TEN_CASES, "--ultra-prompt-type=optimal")

RUN_MARKER = "ULTRA_TEST_MARK"
"""Environment variable that identifies all processes of a run, whatever their parents."""

VARYING_FIELDS = frozenset(
    {
        "started_at",
        "started_at_utc",
        "duration_s",
        "model_time_s",
        "tool_time_s",
        "waiting_time_s",
        "standstill_s",
        "first_token_s",
        "worker",
    }
)
"""Fields that differ between two runs of the same case."""

Record = dict[str, Any]


def wait_until(condition: Callable[[], object], *, within_s: float = 40.0) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not true within {within_s} s"
        time.sleep(0.02)


def shown_failures(result: pytest.RunResult) -> list[str]:
    """Return the lines of the failures' texts in pytest's output, without node ids and paths."""
    lines = result.outlines
    start, end = (next(n for n, line in enumerate(lines) if f" {title} " in line) for title in ("FAILURES", "ultra"))
    assert "transcript:" in lines[start:end]
    paths = ("_ test_workflow[", "[gw", "- generated xml file: ")
    return [line for line in lines[start:end] if not line.startswith(paths)]


@dataclass
class Project:
    """A user's project directory, in which the command runs."""

    pytester: pytest.Pytester
    marker: str

    @property
    def path(self) -> Path:
        return self.pytester.path

    def run(self, *args: str) -> pytest.RunResult:
        """Run to the end; write the JSON document to out.json."""
        return self.pytester.runpytest_inprocess("--ultra-json=out.json", *args)

    def run_in_own_process(self, *args: str) -> pytest.RunResult:
        """Do the same in a subprocess: with its own hash seed, limits and memory, and all that its threads print."""
        return self.pytester.runpytest_subprocess("--ultra-json=out.json", *args, timeout=90)

    def start(self, *args: str) -> RunningCommand:
        """Start in a new session, as a terminal does, so that a signal can reach all processes of the run."""
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
        return RunningCommand(process, output)

    def document(self, path: str = "out.json") -> Record:
        document: Record = json.loads((self.path / path).read_text())
        return document

    def episodes(self, path: str = "out.json") -> list[Record]:
        episodes: list[Record] = self.document(path)["episodes"]
        return episodes

    def outcomes(self, path: str = "out.json") -> Counter[str]:
        return Counter(episode["outcome"] for episode in self.episodes(path))

    def comparable_episodes(self, path: str = "out.json") -> dict[str, Record]:
        """Return the episodes by node id, without the fields that differ between runs."""
        return {
            episode["nodeid"]: {name: value for name, value in episode.items() if name not in VARYING_FIELDS}
            for episode in self.episodes(path)
        }

    def runs(self) -> list[Path]:
        return sorted((self.path / ".ultra").glob("runs/*"))

    def journaled_episodes(self) -> list[Record]:
        """Return all episodes in the journals of the newest run."""
        journals = sorted(self.runs()[-1].glob("journal-*.jsonl")) if self.runs() else []
        lines = [line for journal in journals for line in journal.read_text().splitlines(keepends=True)]
        return [json.loads(line)["episode"] for line in lines if line.endswith("\n")]

    def episode_counts(self) -> Counter[str]:
        """Return the number of journaled episodes by node id."""
        return Counter(episode["nodeid"] for episode in self.journaled_episodes())

    def processes(self) -> list[int]:
        """Return the ids of all processes of this project that are still running."""
        return [pid for pid in _process_ids() if self.marker.encode() in _read(pid, "environ")]

    def workers(self) -> list[int]:
        return [pid for pid in self.processes() if b"sys.stdin.readline()" in _read(pid, "cmdline")]


@dataclass
class RunningCommand:
    """A command that was started and not waited for."""

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
