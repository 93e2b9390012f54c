"""The process of an agent that is a program: its input, its bounded output, and its certain end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pytest_ultra.agents.command import process_guard
from pytest_ultra.agents.command.process_streams import ProcessStreams

ENDS_WITHIN_S = 2.0
"""How long a program that is stopped usually takes to be gone, its time after SIGTERM included."""

_LOOK_S = 0.1
_DRAIN_S = 1.0  # a process that has escaped from the guard may hold a pipe open


class ProcessEnd(NamedTuple):
    """How a program ended: its exit code (negative: the signal), its stdout, the end of its stderr.

    `flooded` names the stream to which it wrote too much, for which it was killed.
    """

    status: int
    output: str
    error_tail: str
    flooded: str = ""


class AgentProcess:
    """A program under a guard. `stop` and `wait` may be called in any thread, `run` once."""

    def __init__(self, command: Sequence[str], *, environ: Mapping[str, str], folder: str | Path) -> None:
        """Start the program. Raises OSError if no process can be made, ValueError for an argument with a NUL."""
        held, self._control = os.pipe()
        self._lock = threading.Lock()
        self._is_stopped = False
        try:
            self._process = subprocess.Popen(  # noqa: S603 - it is the user's command
                [sys.executable, "-I", "-S", process_guard.__file__, str(held), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environ),
                cwd=folder,
                pass_fds=(held,),
                start_new_session=True,
            )
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(held)

    @property
    def pid(self) -> int:
        """The process id of the guard."""
        return self._process.pid

    def stop(self) -> None:
        """Let the guard end the program and all that it has started; wait for nothing."""
        with self._lock:
            if not self._is_stopped:
                self._is_stopped = True
                os.close(self._control)

    def wait(self, within_s: float) -> None:
        """Wait until the program and its guard are gone, or the time is up."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)

    def run(self, prompt: str) -> ProcessEnd:
        """Give the program its input, and read its output until it ends."""
        streams = ProcessStreams(self._process, prompt)
        ended_at: float | None = None
        try:
            while ended_at is None or (streams.are_open and time.monotonic() - ended_at < _DRAIN_S):
                streams.serve(_LOOK_S)
                if streams.flooded:
                    self.stop()
                if ended_at is None and self._process.poll() is not None:
                    ended_at = time.monotonic()
        finally:
            self.stop()
            streams.close()
        return ProcessEnd(self._process.returncode, streams.output, streams.error_tail, streams.flooded)
