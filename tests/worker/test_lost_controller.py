"""A worker whose controller is frozen, or out of reach, stops: nothing that it sends can hold it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.project import wait_until

SCRIPT = Path(__file__).with_name("lost_controller.py")
ROOT = SCRIPT.parents[2]


@pytest.mark.parametrize(
    "specs", [("popen",), ("popen//id=host", "socket//installvia=host")], ids=["pipes", "a socket"]
)
def test_a_worker_that_cannot_send_stops_when_its_controller_is_silent(tmp_path: Path, specs: tuple[str, ...]) -> None:
    controller = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, str(SCRIPT), str(tmp_path), *specs], env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    try:
        wait_until((tmp_path / "worker").exists)
        controller.send_signal(signal.SIGSTOP)
        wait_until((tmp_path / "ended").exists)
        pid, folder = (tmp_path / "worker").read_text().split()
        assert not Path(folder).exists()
        if specs == ("popen",):  # the server of a socket serves on
            wait_until(lambda: has_ended(int(pid)))
    finally:
        controller.kill()
        controller.wait()


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"  # its parent is frozen
    except FileNotFoundError:
        return True
