"""One pytest run as its user's machine sees it: a process with workers, files and an exit code."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

CLOCK = Path(__file__).with_name("clock")
BENCHMARKS = Path(__file__).parents[1]
POLL_S = 0.02
LONGEST_RUN_S = 120.0
LONGEST_EXIT_S = 10.0
"""How long the other processes of a run may take to end after the controller."""


class RunHungError(Exception):
    """A run has not ended in time."""


class PytestRun:
    """A run in `folder`; its output is added to `output`. `on_poll` is called while something is waited for."""

    def __init__(
        self, folder: Path, output: Path, options: Sequence[str], workers: int, *, on_poll: Callable[[], None]
    ) -> None:
        self.folder = folder
        self.workers = workers
        self.has_few_files = False
        self._on_poll = on_poll
        self._known = {path.name for path in _run_folders(folder)}
        command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider"]
        command += ["-p", "no:hypothesispytest", "--max-worker-restart=99", f"-n{workers}", *options]
        self.started_at = time.time()
        with output.open("ab") as file:
            file.write(f"\n=== {' '.join(command[2:])}\n".encode())
            file.flush()
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdout=file,
                stderr=file,
                start_new_session=True,
                env=environment() | {"ULTRA_CLOCK": str(clock_file(folder))},
            )
        self.ended_at = 0.0
        self.pid = self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def exit_code(self) -> int:
        """The exit code, or the negated number of the signal that ended it."""
        return self._process.wait()

    @property
    def directory(self) -> Path | None:
        """The run's directory, None if it made none, or removed it."""
        return next((path for path in _run_folders(self.folder) if path.name not in self._known), None)

    def wait_until(self, is_true: Callable[[], object]) -> bool:
        """Wait; return False if the run ends before. Raise `RunHungError` if it takes too long."""
        while not is_true():
            if self.has_ended:
                return False
            if time.time() > self.started_at + LONGEST_RUN_S:
                self.kill()
                raise RunHungError(f"the run had not ended {LONGEST_RUN_S:g} s after its start")
            self._on_poll()
            time.sleep(POLL_S)
        return True

    def wait(self) -> list[int]:
        """Wait until the run has ended; return the processes that it leaves, and kill them."""
        self.wait_until(lambda: False)
        self.ended_at = time.time()
        while left := processes_in(self.folder):
            if time.time() > self.ended_at + LONGEST_EXIT_S:
                self.kill()
                return left
            self._on_poll()
            time.sleep(POLL_S)
        return []

    def kill(self) -> None:
        for pid in processes_in(self.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def send(self, pid: int, number: int, *, to_all: bool) -> None:
        (os.killpg if to_all else os.kill)(pid, number)

    def limit_files(self, files: int) -> None:
        self.has_few_files = True
        for pid in processes_in(self.folder):
            with suppress(ProcessLookupError, PermissionError):  # it has ended, or has a lower limit already
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (files, files))

    def find_workers(self) -> list[int]:
        """Return the running workers: a killed process has no command line any more."""
        with suppress(OSError):
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            return [
                int(child) for child in children if b"sys.stdin.readline" in Path(f"/proc/{child}/cmdline").read_bytes()
            ]
        return []

    def find_lock_holder(self) -> int | None:
        """Return a process that holds the lock on one of this run's tasks, from the kernel's list."""
        directory = self.directory
        if directory is None:
            return None
        with suppress(OSError):
            inodes = {str(path.stat().st_ino) for path in (directory / "guidance").glob("lock-*")}
            for line in Path("/proc/locks").read_text().splitlines():
                fields = line.split()
                if (
                    "->" not in fields
                    and fields[5].rpartition(":")[2] in inodes
                    and int(fields[4]) in processes_in(self.folder)
                ):
                    return int(fields[4])
        return None

    @property
    def has_started_episode(self) -> bool:
        directory = self.directory
        return directory is not None and any(path.stat().st_size for path in directory.glob("started-*"))

    def has_journals_of(self, cases: int) -> bool:
        """Return whether so many episodes are in the run's journals."""
        directory = self.directory
        if directory is None:
            return False
        with suppress(OSError):
            return sum(path.read_bytes().count(b"\n") for path in directory.glob("journal-*.jsonl")) >= cases
        return False


def processes_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is in the folder, whatever group they are in."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").readlink().is_relative_to(folder):
                    found.append(int(entry.name))
    return found


def _run_folders(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(path for path in (folder / ".ultra" / "runs").iterdir() if path.is_dir())
    return []


def environment() -> dict[str, str]:
    """Return the environment of a process that imports this tree's package, free of what runs around it."""
    paths = [str(CLOCK), str(BENCHMARKS), str(BENCHMARKS.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_", "COV_"))}
    return clean | {"PYTHONPATH": os.pathsep.join(paths)}


def clock_file(folder: Path) -> Path:
    """The file with the seconds by which the clocks of the runs in a folder are shifted."""
    return folder.with_name("clock")
