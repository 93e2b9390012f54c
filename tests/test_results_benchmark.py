"""The benchmark of the commands over a stored run works, so that its figures can be measured at any time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "results.py"


def run(*args: str | Path) -> list[str]:
    command = [sys.executable, BENCHMARK, *args]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    assert result.returncode in (0, 1), result.stdout + result.stderr  # 1: slower than promised, on a busy machine
    return result.stdout.splitlines()


def test_the_benchmark_makes_a_run_and_times_each_command_on_it(tmp_path: Path) -> None:
    (made,) = run("make", tmp_path, "150")
    assert made.endswith(": 150 episodes, 3 MB of journals")
    head, *lines = run("time", tmp_path, "show", "export", "store")
    assert head.split()[:2] == ["command", "seconds"]
    assert len(lines) >= 8
    assert not [line for line in lines if "FAILED" in line]
