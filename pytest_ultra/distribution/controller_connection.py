"""A worker's connection to a controller on another host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from execnet.gateway_base import Channel

from pytest_ultra.distribution.channel_messages import ALIVE_EVERY_S, LOST_AFTER_S, Message, received_channel
from pytest_ultra.distribution.gateway_io import OwnGateway
from pytest_ultra.distribution.placement import Placement
from pytest_ultra.errors import UltraError
from pytest_ultra.storage.file_updates import FileUpdate

_NEXT_FILE_WITHIN_S = 300.0


class ControllerLostError(UltraError, OSError):
    """The controller cannot be reached any more, or cannot read or write the run's files."""


def find_connection(config: pytest.Config) -> ControllerConnection:
    """Return the connection of a worker on another host; raise ConfigurationError if the versions differ."""
    return ControllerConnection(received_channel(getattr(config, "workerinput", {})))


class ControllerConnection:
    """Gets a worker's files, and sends what has changed in them. `on_stop` is called in another thread, once.

    From `open` until the connection is closed, a thread says that the worker is alive, whatever the others do. Another
    one, which never writes, watches for the controller's silence. That releases threads that write, which may wait.
    """

    def __init__(self, channel: Channel, *, lost_after_s: float = LOST_AFTER_S) -> None:
        self._channel = channel
        self._gateway = OwnGateway(channel.gateway)
        self._lost_after_s = lost_after_s
        self._failure: str | None = None
        self._on_stop: Callable[[], None] | None = None
        self._is_stopped = False
        self._opened = threading.Event()
        self._got_file_at = 0.0
        self._closed = threading.Event()
        self._folder = Path()
        self._heard_at = time.monotonic()
        self.clock_ahead_s = 0.0

    def open(self, folder: Path, placement: Placement, case_ids: Iterable[str], on_stop: Callable[[], None]) -> None:
        """Get the files of these cases into the folder; raise ControllerLostError if that fails.

        Then `clock_ahead_s` is how far this host's clock is ahead of the controller's.
        """
        self._folder, self._on_stop = folder, on_stop
        self._heard_at = self._got_file_at = time.monotonic()
        self._channel.setcallback(self._receive, endmarker=(Message.CLOSED,))
        for target, name in ((self._say_alive, "ultra-alive"), (self._watch, "ultra-controller-watch")):
            threading.Thread(target=target, name=name, daemon=True).start()
        self._send(Message.OPEN, list(case_ids), placement.number, placement.is_replacement)
        while not self._opened.wait(ALIVE_EVERY_S):
            if time.monotonic() - self._got_file_at > _NEXT_FILE_WITHIN_S:
                self._failure = f"the controller has sent no files within {_NEXT_FILE_WITHIN_S:g} s"
                break
        if self._failure is not None:
            raise ControllerLostError(self._failure)

    def send_update(self, update: FileUpdate) -> None:
        self._send(Message.UPDATE, *update)

    def fail(self, reason: str) -> None:
        """Stop the worker, and have the controller record why: the run is interrupted."""
        self._send(Message.FAILED, reason)
        self._stop(reason)

    def _say_alive(self) -> None:
        while not self._closed.wait(ALIVE_EVERY_S):
            self._send(Message.ALIVE)

    def _watch(self) -> None:
        while not self._closed.wait(ALIVE_EVERY_S):
            if time.monotonic() - self._heard_at > self._lost_after_s:
                self._stop(f"the controller has not answered for {self._lost_after_s:g} s")
                self._gateway.end()
                return

    def _send(self, kind: Message, *content: Any) -> None:
        try:
            self._channel.send((str(kind), *content))
        except OSError as error:
            self._stop(f"the connection to the controller is lost ({error})")

    def _receive(self, message: tuple[Any, ...]) -> None:
        """Take a message, in the thread that receives from the controller."""
        kind, *content = message
        self._heard_at = time.monotonic()
        if kind == Message.FILE:
            name, piece = content
            with (self._folder / name).open("ab") as file:
                file.write(piece)
            self._got_file_at = self._heard_at
        elif kind == Message.OPENED:
            self.clock_ahead_s = time.time() - content[0]
            self._opened.set()
        elif kind == Message.STOP:
            self._stop("the run is stopped")
        elif kind == Message.FAILED:
            self._stop(content[0])
        elif kind == Message.CLOSED:
            self._closed.set()
            self._stop("the connection to the controller is lost")

    def _stop(self, reason: str) -> None:
        self._failure = self._failure or reason
        self._opened.set()
        if not self._is_stopped and self._on_stop is not None:
            self._is_stopped = True
            with suppress(OSError):  # the session is over and its folder removed, or the tests fail by themselves
                self._on_stop()
