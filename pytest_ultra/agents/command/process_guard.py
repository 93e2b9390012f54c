"""Run a program, and leave no process of it behind. A script of its own, which imports nothing of the package.

    python -I -S process_guard.py CONTROL_FD COMMAND [ARGUMENT ...]

The program ends by itself, or when the other end of the pipe CONTROL_FD is closed: when our caller wants so, or is
dead, however it died. Then all processes that the program has started are killed; on Linux also those that have left
its process group. The guard ends with the program's exit code, or by the signal that ended it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType

GRACE_S = 0.5
"""The time between SIGTERM and SIGKILL."""
NOT_STARTED = 127
"""The exit code if the program cannot be started, as of shells."""

_LOOK_S = 1.0
_PAUSE_S = 0.02
_GIVE_UP_S = 10.0  # a process that the kernel cannot kill now
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Guard:
    """Watches a program from its start to the end of its last process."""

    def __init__(self, control: int) -> None:
        self._control = control
        self._parent = os.getppid()
        self._status: int | None = None
        self._is_stopping = False
        self._woken, waking = os.pipe()
        os.set_blocking(waking, False)
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _STOPPING:
            signal.signal(number, self._stop)
        self._has_prctl = set_process_option(_PR_SET_CHILD_SUBREAPER, 1)  # orphans become our children

    def run(self, command: list[str]) -> int:
        """Return the program's wait status."""
        self._program = self._start(command)
        _let_go_of_output()
        while not (self._reap() or self._must_stop()):
            pass
        self._end_all()
        return signal.SIGKILL if self._status is None else self._status

    def _start(self, command: list[str]) -> int:
        program = os.fork()
        if program:
            return program
        try:
            os.setsid()
            if self._has_prctl:
                set_process_option(_PR_SET_PDEATHSIG, signal.SIGKILL)  # if somebody kills the guard
            signal.set_wakeup_fd(-1)
            for number in (*_STOPPING, signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.execvp(command[0], command)  # noqa: S606 - it is the user's command
        except OSError as error:
            os.write(2, f"{command[0]}: {error.strerror}\n".encode(errors="replace"))
        finally:
            os._exit(NOT_STARTED)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True

    def _must_stop(self) -> bool:
        """Wait until something happens; return whether the caller wants no more of the program."""
        ready, _, _ = select.select([self._control, self._woken], [], [], _LOOK_S)
        if self._woken in ready:
            os.read(self._woken, 4096)
        return self._control in ready or self._is_stopping or os.getppid() != self._parent

    def _reap(self) -> bool:
        """Take note of ended processes; return whether the program is one of them."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self._program:
                    self._status = status
        return self._status is not None

    def _end_all(self) -> None:
        """Ask the program to end unless it has ended, then kill what is left until nothing is."""
        if self._status is None:
            self._signal_group(signal.SIGTERM)
            self._wait_for_program(GRACE_S)
        ends_at = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < ends_at:
            self._signal_group(signal.SIGKILL)
            left = list(find_descendants(os.getpid())) if self._has_prctl else []
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            if self._reap() and not left:
                return
            time.sleep(_PAUSE_S)

    def _wait_for_program(self, within_s: float) -> None:
        ends_at = time.monotonic() + within_s
        while not self._reap() and time.monotonic() < ends_at:
            time.sleep(_PAUSE_S)

    def _signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._program, number)


def find_descendants(ancestor: int) -> Iterator[int]:
    """Yield the ids of all processes under one, by /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - starts faster without pathlib
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - as above
                state, parent = file.read().rpartition(b")")[2].split()[:2]
                if state != b"Z":
                    children.setdefault(int(parent), []).append(int(name))
    waiting = [ancestor]
    while waiting:
        found = children.get(waiting.pop(), [])
        yield from found
        waiting += found


def set_process_option(option: int, value: int) -> bool:
    """Call Linux's prctl; return whether it worked."""
    if not sys.platform.startswith("linux"):
        return False
    with suppress(ImportError, OSError, AttributeError):
        import ctypes  # noqa: PLC0415 - some Pythons are built without it

        return bool(ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0)
    return False


def _let_go_of_output() -> None:
    """Leave the pipes to the program, so that their ends are its own."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)


def _end_as(status: int) -> None:
    """End this process as the program ended."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        _write_no_core()
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def _write_no_core() -> None:
    import resource  # noqa: PLC0415 - few programs end by a signal

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _end_as(Guard(int(sys.argv[1])).run(sys.argv[2:]))
