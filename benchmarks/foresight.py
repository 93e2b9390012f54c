"""Measure how well the live status foresees the end of a run, on real runs against the embedded endpoint.

    python benchmarks/foresight.py [NAME ...]

Every run is the real command, on two workers, with a line of status each second instead of every 30 s. Printed is, at
a third, a half and two thirds of the time to the end of the last episode, by how much of what was left the line was
wrong.
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
EVERY_SECOND = """
import pytest
from pytest_ultra.controller.live_status_hooks import LiveStatusHooks

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    manager = config.pluginmanager
    if manager.hasplugin("ultra-status"):
        manager.unregister(name="ultra-status")
        manager.register(LiveStatusHooks(config, manager.get_plugin("ultra-run"), line_every_s=1.0), "ultra-status")
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
        Path(folder, "conftest.py").write_text(EVERY_SECOND)
        began = time.time()
        told = _watch(options, folder)
        episodes = json.loads(Path(folder, "run.json").read_bytes())["episodes"]
    end = max(episode["started_at"] + episode["duration_s"] for episode in episodes)
    cells = [_judge(told, began + part * (end - began), end) for part in PARTS]
    print(f"{name:14}{end - began:8.0f}" + "".join(f"{cell:>18}" for cell in cells))


def _watch(options: Sequence[str], folder: str) -> list[tuple[float, float]]:
    """Return when a line was read, and how many seconds it said were left."""
    command = [sys.executable, "-m", "pytest", "-n", "2", "--ultra-json", "run.json", *options]
    told = []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if found := LINE.match(line):
                hours, minutes, seconds = (int(part or 0) for part in found.groups())
                told.append((time.time(), 3600.0 * hours + 60 * minutes + seconds))
    return told


def _judge(told: Sequence[tuple[float, float]], moment: float, end: float) -> str:
    at, left_s = min(told, key=lambda each: abs(each[0] - moment))
    return f"{left_s:.0f} of {end - at:.0f} s: {(left_s - (end - at)) / (end - at):+.0%}"


if __name__ == "__main__":
    main()
