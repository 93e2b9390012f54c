"""pytest-rerunfailures' connection from a worker to its controller, which it expects at a port of the worker's host.

A worker that may be on another host gets a port of its own. What comes to it goes through execnet's connection to the
controller's port, and back.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

from execnet.gateway_base import Channel
from xdist.workermanage import WorkerController

_KEY = "ultra_rerun_channel"
_PORT = "sock_port"
"""The field in which pytest-rerunfailures gives a worker its port."""
_LOOPBACK = "127.0.0.1"
_MOST_BYTES = 4096


def offer_relay(node: WorkerController) -> None:
    """Give a worker the channel, in its controller."""
    channel: Channel = node.gateway.newchannel()
    node.workerinput[_KEY] = channel
    relay = _ControllerEnd(node, channel)
    channel.setcallback(relay.receive, endmarker=b"")


def use_relay(workerinput: dict[str, Any]) -> None:
    """Give pytest-rerunfailures a port on this host, in a worker that has got a channel."""
    channel: Channel | None = workerinput.get(_KEY)
    if channel is None or _PORT not in workerinput:
        return
    listener = socket.create_server((_LOOPBACK, 0))
    workerinput[_PORT] = listener.getsockname()[1]
    threading.Thread(target=_accept, args=(listener, channel), name="ultra-rerun-relay", daemon=True).start()


def _accept(listener: socket.socket, channel: Channel) -> None:
    """Relay the one connection of this process."""
    with listener:
        connection, _ = listener.accept()
    channel.setcallback(_Writer(connection).write, endmarker=b"")
    _send_all(connection, channel)


class _ControllerEnd:
    """Connects to the controller's port when the worker sends its first bytes."""

    def __init__(self, node: WorkerController, channel: Channel) -> None:
        self._node = node
        self._channel = channel
        self._writer: _Writer | None = None

    def receive(self, content: bytes) -> None:
        """Take bytes, in the thread that receives from this worker; none at the end."""
        if self._writer is None and content:
            reruns: Any = getattr(self._node.config, "failures_db")  # noqa: B009 - it is pytest-rerunfailures'
            connection = socket.create_connection((_LOOPBACK, reruns.sock_port))
            self._writer = _Writer(connection)
            threading.Thread(target=_send_all, args=(connection, self._channel), daemon=True).start()
        if self._writer is not None:
            self._writer.write(content)


class _Writer:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, content: bytes) -> None:
        """Write bytes; close the connection if there are none."""
        with suppress(OSError):  # the other end is gone
            if content:
                self._connection.sendall(content)
            else:
                self._connection.shutdown(socket.SHUT_RDWR)


def _send_all(connection: socket.socket, channel: Channel) -> None:
    with connection, suppress(OSError):
        while content := connection.recv(_MOST_BYTES):
            channel.send(content)
