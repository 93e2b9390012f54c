"""The messages between the controller and a worker on another host."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from execnet.gateway_base import Channel

from pytest_ultra import __version__
from pytest_ultra.errors import ConfigurationError

ALIVE_EVERY_S = 1.0
"""How often a worker on another host says that it is alive; the controller answers."""
LOST_AFTER_S = 30.0
"""How long one side may hear nothing before it takes the other for lost."""

_KEY = "ultra_channel"
_VERSION = "ultra_version"


class Message(StrEnum):
    """The kind of a message, its first part."""

    OPEN = "open"  # case ids, number, whether it is a replacement: the worker asks for its files
    FILE = "file"  # name, bytes: a piece of a file for the worker
    OPENED = "opened"  # Unix time of the controller: the worker has all files
    UPDATE = "update"  # name, offset, bytes: a worker's file has changed
    ALIVE = "alive"
    STOP = "stop"  # the run is stopped
    FAILED = "failed"  # a text: the sender can read or write no more files
    CLOSED = "closed"  # the connection has ended


def send_channel(channel: Channel, workerinput: dict[str, Any]) -> None:
    workerinput[_KEY] = channel
    workerinput[_VERSION] = __version__


def received_channel(workerinput: dict[str, Any]) -> Channel:
    """Return the controller's channel; raise ConfigurationError if it has another version of pytest-ultra."""
    version = workerinput.get(_VERSION)
    if version != __version__:
        raise ConfigurationError(
            f"this host has pytest-ultra {__version__}, the controller {version or 'an older one'}: install the same "
            "version on all hosts"
        )
    channel: Channel = workerinput[_KEY]
    return channel
