"""The controller's connections to workers that may be on other hosts: a channel each, beside xdist's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from execnet import XSpec
from execnet.gateway_base import Channel
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.channel_messages import LOST_AFTER_S, Message, send_channel
from pytest_ultra.distribution.gateway_io import lock_writes
from pytest_ultra.errors import UltraError
from pytest_ultra.storage.file_updates import apply_update
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import note_interruption
from pytest_ultra.storage.shared_disk import write_token
from pytest_ultra.storage.starting_files import read_starting_files
from pytest_ultra.storage.stop_signal import is_stop_sent

_WATCH_EVERY_S = 0.1


def may_be_remote(spec: XSpec) -> bool:
    """Return whether a worker may run on another host, or as one: only a plain `popen` cannot."""
    return bool(not spec.popen or spec.via or spec.chdir or spec.python)


class RemoteWorkers:
    """Gives workers on other hosts what they need, writes what they send, and ends connections that are silent.

    What a worker sends before it reports a test is on disk before the report is read: one connection carries both.
    """

    def __init__(self, run_folder: Callable[[], str]) -> None:
        self._run_folder = run_folder
        self._token: str | None = None
        self._connections: list[_WorkerConnection] = []
        self._is_over = threading.Event()

    def connect(self, node: WorkerController) -> str:
        """Give the worker a channel, and return the token by which it sees whether it is on this host."""
        run = RunDirectory(Path(self._run_folder()))
        if self._token is None:
            self._token = write_token(run)
            threading.Thread(target=self._watch, args=(run,), name="ultra-remote-workers", daemon=True).start()
        self._connections.append(_WorkerConnection(node, run))
        return self._token

    def close(self) -> None:
        """Stop the workers that are still at work; their last results still come."""
        self._is_over.set()
        self._send_stop()

    def _watch(self, run: RunDirectory) -> None:
        is_stopped = False
        while not self._is_over.wait(_WATCH_EVERY_S):
            if not is_stopped and is_stop_sent(run):
                is_stopped = True
                self._send_stop()
            for connection in self._connections:
                connection.end_if_silent(time.monotonic())

    def _send_stop(self) -> None:
        for connection in self._connections:
            connection.send(Message.STOP)


class _WorkerConnection:
    """The channel to one worker. It says nothing if the worker turns out to share this host and its disk."""

    def __init__(self, node: WorkerController, run: RunDirectory) -> None:
        self._node = node
        self._run = run
        self._heard_at: float | None = None
        lock_writes(node.gateway)
        self._channel: Channel = node.gateway.newchannel()
        self._channel.setcallback(self._receive, endmarker=(Message.CLOSED,))
        send_channel(self._channel, node.workerinput)

    def send(self, kind: Message, *content: Any) -> None:
        if self._heard_at is not None:
            with suppress(OSError):  # the connection is lost, which xdist notices
                self._channel.send((str(kind), *content))

    def end_if_silent(self, now: float) -> None:
        if self._heard_at is not None and now - self._heard_at > LOST_AFTER_S:
            self._heard_at = None
            _end_connection(self._node)

    def _receive(self, message: tuple[Any, ...]) -> None:
        """Take a message, in the thread that receives from this worker."""
        kind, *content = message
        self._heard_at = None if kind == Message.CLOSED else time.monotonic()
        if kind == Message.OPEN:
            self._send_files(*content)
        elif kind == Message.UPDATE:
            self._write(*content)
        elif kind == Message.ALIVE:
            self.send(Message.ALIVE)
        elif kind == Message.FAILED:
            note_interruption(self._run, *content)

    def _send_files(self, case_ids: list[str], number: int, is_replacement: bool) -> None:  # noqa: FBT001 - a message
        try:
            for piece in read_starting_files(self._run, case_ids, number, is_replacement=is_replacement):
                self.send(Message.FILE, *piece)
        except (OSError, UltraError) as error:
            self.send(Message.FAILED, str(error))
        else:
            self.send(Message.OPENED, time.time())

    def _write(self, name: str, offset: int, content: bytes) -> None:
        """Write an update. If that fails, the run loses results, so the worker is to pay for no more."""
        try:
            apply_update(self._run, (name, offset, content))
        except (OSError, UltraError) as error:
            self.send(Message.FAILED, str(error))


def _end_connection(node: WorkerController) -> None:
    """End the connection to a host that no longer answers; xdist then sees that the worker is down."""
    gateway = node.gateway
    if gateway.spec.via:
        gateway = node.nodemanager.group[gateway.spec.via]
    if gateway.spec.socket:
        gateway._io.close_read()  # noqa: SLF001 - execnet offers no other way than to wait for the operating system
    else:
        gateway._io.kill()  # noqa: SLF001
