"""Imported by each Python process at its start: shifts its wall clock by the seconds in the file ULTRA_CLOCK.

The file is mapped, so a new value steps the clock of all running processes at once, as `settimeofday` does. The
monotonic clock stays as it is.
"""

from __future__ import annotations

import mmap
import os
import struct
import time


def _shift_clock(path: str) -> None:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib would make the start of each process slower
        shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    real_time, real_time_ns, unpack = time.time, time.time_ns, struct.Struct("d").unpack_from
    time.time = lambda: real_time() + unpack(shared)[0]
    time.time_ns = lambda: real_time_ns() + int(unpack(shared)[0] * 1e9)


if _path := os.environ.get("ULTRA_CLOCK"):
    _shift_clock(_path)
