"""The controller's connections to workers that may be on other hosts, and the watch over them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from execnet import XSpec
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.channel_messages import LOST_AFTER_S, Message
from pytest_ultra.distribution.worker_connection import ReadFiles, WorkerConnection
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.shared_disk import write_token
from pytest_ultra.storage.starting_files import read_starting_files
from pytest_ultra.storage.stop_signal import is_stop_sent

_WATCH_EVERY_S = 0.1
_STOP_WITHIN_S = 5.0
"""How long sending the last stop message may last at the end of the session."""


def may_be_remote(spec: XSpec) -> bool:
    """Return whether a worker may run on another host, or as one: only a plain `popen` cannot."""
    return bool(not spec.popen or spec.via or spec.chdir or spec.python)


class RemoteWorkers:
    """Gives workers on other hosts what they need, writes what they send, and ends connections that are silent.

    What a worker sends before it reports a test is on disk before the report is read: one connection carries both.
    The watch over the connections never writes to one: a frozen host would hold it, and with it all others.
    """

    def __init__(
        self,
        run_folder: Callable[[], str],
        *,
        lost_after_s: float = LOST_AFTER_S,
        stop_within_s: float = _STOP_WITHIN_S,
        read_files: ReadFiles = read_starting_files,
    ) -> None:
        self._run_folder = run_folder
        self._lost_after_s = lost_after_s
        self._stop_within_s = stop_within_s
        self._read_files = read_files
        self._token: str | None = None
        self._connections: list[WorkerConnection] = []
        self._is_over = threading.Event()

    def connect(self, node: WorkerController) -> str:
        """Give the worker a channel, and return the token by which it sees whether it is on this host."""
        run = RunDirectory(Path(self._run_folder()))
        if self._token is None:
            self._token = write_token(run)
            threading.Thread(target=self._watch, args=(run,), name="ultra-remote-workers", daemon=True).start()
        self._connections.append(WorkerConnection(node, run, self._read_files))
        return self._token

    def close(self) -> None:
        """Stop the workers that are still at work; their last results still come.

        A connection that does not take the message in time is ended.
        """
        self._is_over.set()
        for connection in self._connections:
            connection.post(Message.STOP)
        give_up_at = time.monotonic() + self._stop_within_s
        for connection in self._connections:
            connection.finish_sending(max(0.0, give_up_at - time.monotonic()))

    def _watch(self, run: RunDirectory) -> None:
        """Watch until the session is over and all connections are closed: xdist still writes to them at its end."""
        is_stopped = False
        while not self._is_over.is_set() or any(connection.is_open for connection in self._connections):
            time.sleep(_WATCH_EVERY_S)
            if not is_stopped and is_stop_sent(run):
                is_stopped = True
                for connection in self._connections:
                    connection.post(Message.STOP)
            for connection in self._connections:
                connection.end_if_silent(self._lost_after_s)
