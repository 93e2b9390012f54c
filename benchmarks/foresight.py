"""Measure how accurate the ETA of the live status is, on real runs against the embedded endpoint.

    python benchmarks/foresight.py [NAME ...]

Each run is the real command on two workers, with a status line every second instead of every 30 s. For the moments at
a third, a half and two thirds of the run, up to the end of its last episode, this prints the ETA, the time that was
really left, and the relative error.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RUNS = {
    "limited": ("--ultra-model", "demo/perfect?latency=2", "--ultra-instances", "5", "--ultra-max-in-flight", "40"),
    "failing": ("--ultra-model", "demo?latency=1", "--ultra-instances", "5", "--ultra-max-in-flight", "20"),
    "few at a time": ("--ultra-model", "demo?latency=1", "--ultra-instances", "5", "--ultra-concurrency", "12"),
    "long": ("--ultra-model", "demo?latency=1", "--ultra-instances", "20", "--ultra-max-in-flight", "40"),
    "all at once": ("--ultra-model", "demo?latency=8", "--ultra-instances", "5"),
}
PARTS = (1 / 3, 1 / 2, 2 / 3)
CONFTEST = """
import pytest
from pytest_ultra.controller.live_status_hooks import LiveStatusHooks

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    manager = config.pluginmanager
    if manager.hasplugin("ultra-status"):
        manager.unregister(name="ultra-status")
        hooks = LiveStatusHooks(config, manager.get_plugin("ultra-run"), line_every_s=1.0)
        manager.register(hooks, "ultra-status")
"""
LINE = re.compile(r"ultra: .*ETA (?:(\d+):)?(\d+):(\d+)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RUNS)}")
    print(f"{'run':14}{'seconds':>8}" + "".join(f"{f'at {part:.0%}':>18}" for part in PARTS))
    for name in parser.parse_args().names or RUNS:
        _measure(name, RUNS[name])


def _measure(name: str, options: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "conftest.py").write_text(CONFTEST)
        started = time.time()
        etas = _read_etas(options, folder)
        episodes = json.loads(Path(folder, "run.json").read_bytes())["episodes"]
    end = max(episode["started_at"] + episode["duration_s"] for episode in episodes)
    cells = [_compare(etas, started + part * (end - started), end) for part in PARTS]
    print(f"{name:14}{end - started:8.0f}" + "".join(f"{cell:>18}" for cell in cells))


def _read_etas(options: Sequence[str], folder: str) -> list[tuple[float, float]]:
    """Return when each status line was read, and the seconds left according to it."""
    command = [sys.executable, "-m", "pytest", "-n", "2", "--ultra-json", "run.json", *options]
    etas = []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if found := LINE.match(line):
                hours, minutes, seconds = (int(part or 0) for part in found.groups())
                etas.append((time.time(), 3600.0 * hours + 60 * minutes + seconds))
    return etas


def _compare(etas: Sequence[tuple[float, float]], moment: float, end: float) -> str:
    at, left_s = min(etas, key=lambda each: abs(each[0] - moment))
    return f"{left_s:.0f} of {end - at:.0f} s: {(left_s - (end - at)) / (end - at):+.0%}"


if __name__ == "__main__":
    main()
