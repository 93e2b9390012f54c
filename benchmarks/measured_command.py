"""Run a command, and measure its time, the CPU of all its processes, and the memory of each (Linux only)."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

READ_INTERVAL_S = 0.05


@dataclass(frozen=True)
class Spent:
    """What a command has used: seconds of time and CPU, and the peak memory of its own process and of its children.

    `started_at` is a Unix time. The memory of a child is that of its last reading, so up to 0.05 s before its end.
    """

    started_at: float
    wall_s: float
    cpu_s: float
    own_mb: float
    children_mb: tuple[float, ...]
    output: str

    @property
    def largest_mb(self) -> float:
        return max(self.own_mb, *self.children_mb, 0.0)


def run(command: Sequence[str], folder: Path, *, environ: Mapping[str, str], may_exit: Sequence[int] = (0,)) -> Spent:
    """Run a command to its end; leave this program with its output if its exit code is not one of `may_exit`."""
    with tempfile.TemporaryFile() as output:
        started_at, started = time.time(), time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=os.environ | environ, stdout=output, stderr=output)
        peaks: dict[int, float] = {}
        is_over = threading.Event()
        reader = threading.Thread(target=_read_peaks_until, args=(is_over, process.pid, peaks))
        reader.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        is_over.set()
        reader.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode not in may_exit:
        raise SystemExit(f"{' '.join(command)} failed ({process.returncode}):\n{text[-4000:]}")
    own_mb = peaks.pop(process.pid, 0.0)
    cpu_s = usage.ru_utime + usage.ru_stime
    return Spent(started_at, wall_s, cpu_s, own_mb, tuple(sorted(peaks.values(), reverse=True)), text)


def _read_peaks_until(is_over: threading.Event, parent: int, peaks: dict[int, float]) -> None:
    while not is_over.wait(READ_INTERVAL_S):
        for pid in (parent, *_children(parent)):
            peaks[pid] = max(peaks.get(pid, 0.0), _peak_mb(pid))


def _children(parent: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))
    except OSError:  # it has ended
        return []


def _peak_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)
