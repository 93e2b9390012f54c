"""The controller's connection to one worker that may be on another host: a channel, beside xdist's own."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from execnet.gateway_base import Channel
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.channel_messages import Message, send_channel
from pytest_ultra.distribution.gateway_io import lock_writes
from pytest_ultra.errors import UltraError
from pytest_ultra.storage.file_updates import apply_update
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import note_interruption
from pytest_ultra.storage.starting_files import FilePiece

ReadFiles = Callable[..., Iterable[FilePiece]]
"""Reads the files for a worker, as `read_starting_files` does."""


class WorkerConnection:
    """The channel to one worker. It says nothing if the worker turns out to share this host and its disk.

    Threads of its own send what is posted, and the files. Only they wait for a host that reads nothing. The one that
    receives writes updates to the disk, so that they are there before the report that follows, and waits for no host.
    """

    def __init__(self, node: WorkerController, run: RunDirectory, read_files: ReadFiles) -> None:
        self._node = node
        self._run = run
        self._read_files = read_files
        self._heard_at = 0.0
        self._posted: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        self._sender = threading.Thread(target=self._send_posted, name="ultra-worker-sender", daemon=True)
        self._is_finished = False
        self.is_open = False
        lock_writes(node.gateway)
        self._channel: Channel = node.gateway.newchannel()
        self._channel.setcallback(self._receive, endmarker=(Message.CLOSED,))
        send_channel(self._channel, node.workerinput)

    def post(self, kind: Message, *content: Any) -> None:
        """Have a message sent, without waiting for that."""
        if self.is_open:
            self._posted.put((str(kind), *content))

    def finish_sending(self, within_s: float) -> None:
        """Send what is posted, and no more; end the connection if that takes longer than the time."""
        self._is_finished = True
        if self.is_open:
            self._posted.put(None)
            self._sender.join(within_s)
            if self._sender.is_alive():
                self._end()

    def end_if_silent(self, lost_after_s: float) -> None:
        """End the connection if nothing has been heard for this long."""
        if self.is_open and time.monotonic() - self._heard_at > lost_after_s:
            self._end()

    def _end(self) -> None:
        self._close()
        _end_connection(self._node)

    def _close(self) -> None:
        self.is_open = False
        self._posted.put(None)

    def _receive(self, message: tuple[Any, ...]) -> None:
        """Take a message, in the thread that receives from this worker."""
        kind, *content = message
        self._heard_at = math.inf  # a slow disk here is no silence there
        try:
            self._handle(kind, content)
        finally:
            self._heard_at = time.monotonic()

    def _handle(self, kind: str, content: list[Any]) -> None:
        if kind == Message.CLOSED:
            self._close()
        elif kind == Message.OPEN and not self._is_finished:
            self.is_open = True
            self._sender.start()
            threading.Thread(target=self._send_files, args=content, name="ultra-worker-files", daemon=True).start()
        elif kind == Message.UPDATE:
            self._write(*content)
        elif kind == Message.ALIVE:
            self.post(Message.ALIVE)
        elif kind == Message.FAILED:
            note_interruption(self._run, *content)

    def _send_posted(self) -> None:
        while (message := self._posted.get()) is not None:
            self._send(*message)

    def _send(self, kind: str, *content: Any) -> None:
        with suppress(OSError):  # the connection is lost, which xdist notices
            self._channel.send((kind, *content))

    def _send_files(self, case_ids: list[str], number: int, is_replacement: bool) -> None:  # noqa: FBT001 - a message
        try:
            for piece in self._read_files(self._run, case_ids, number, is_replacement=is_replacement):
                if not self.is_open:
                    return
                self._send(str(Message.FILE), *piece)
                self._heard_at = time.monotonic()  # the host takes them
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker waits for its files
            self.post(Message.FAILED, str(error))
        else:
            self.post(Message.OPENED, time.time())

    def _write(self, name: str, offset: int, content: bytes) -> None:
        """Write an update. If that fails, the run loses results, so the worker is to pay for no more."""
        try:
            apply_update(self._run, (name, offset, content))
        except (OSError, UltraError) as error:
            self.post(Message.FAILED, str(error))


def _end_connection(node: WorkerController) -> None:
    """End the connection to a host that no longer answers, which releases the threads that write to it.

    xdist then sees that the worker is down.
    """
    gateway = node.gateway
    if gateway.spec.via:
        gateway = node.nodemanager.group[gateway.spec.via]
    if gateway.spec.socket:
        gateway._io.close_read()  # noqa: SLF001
        gateway._io.close_write()  # noqa: SLF001
    else:
        gateway._io.kill()  # noqa: SLF001
