"""A worker on another host: what keeps it from sending does not end it, and what lasts does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from execnet.gateway_base import Channel

from pytest_ultra.distribution.controller_connection import ControllerConnection
from pytest_ultra.distribution.placement import Placement
from pytest_ultra.storage.journal import journal_path
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stop_signal import is_stop_sent
from pytest_ultra.worker.remote_run import RemoteRun
from tests.run.project import wait_until


class ControllerChannel:
    """A channel to a controller that answers at once, and remembers what it was sent."""

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(_io=SimpleNamespace(write=len))
        self.sent: list[tuple[Any, ...]] = []

    def setcallback(self, callback: Callable[[tuple[Any, ...]], None], endmarker: object) -> None:
        self.receive, self.endmarker = callback, endmarker

    def send(self, message: tuple[Any, ...]) -> None:
        self.sent.append(message)
        if message[0] == "open":
            self.receive(("opened", time.time()))
        elif message[0] == "alive":
            self.receive(message)

    def count(self, kind: str) -> int:
        return [message[0] for message in self.sent].count(kind)


@pytest.fixture
def channel() -> Iterator[ControllerChannel]:
    channel = ControllerChannel()
    yield channel
    channel.receive(("closed",))


def open_run(channel: ControllerChannel, *, read_within_s: float) -> tuple[RemoteRun, RunDirectory]:
    remote = RemoteRun(ControllerConnection(cast("Channel", channel)), "gw0", read_within_s=read_within_s)
    return remote, RunDirectory(Path(remote.open(Placement(), []).run_folder))


def test_a_file_that_cannot_be_read_for_a_while_costs_nothing(channel: ControllerChannel) -> None:
    remote, run = open_run(channel, read_within_s=60)
    journal = journal_path(run, "gw0")
    journal.symlink_to(run.path)  # opening a folder is an OSError, as while too many files are open
    report = threading.Thread(target=remote.pytest_runtest_logreport)
    report.start()
    report.join(0.3)
    assert report.is_alive(), "the test was reported before its result was sent"
    signs = channel.count("alive")
    result = run.path / "result"
    result.write_bytes(b"result\n")
    result.replace(journal)
    report.join(20)
    assert ("update", journal.name, 0, b"result\n") in channel.sent
    wait_until(lambda: channel.count("alive") > signs)
    remote.pytest_sessionfinish()
    assert channel.count("failed") == 0


def test_a_file_that_stays_unreadable_stops_the_worker_and_says_why(channel: ControllerChannel) -> None:
    remote, run = open_run(channel, read_within_s=0.2)
    journal_path(run, "gw0").mkdir()
    remote.pytest_runtest_logreport()
    assert is_stop_sent(run)
    remote.pytest_sessionfinish()
    reasons = {message[1] for message in channel.sent if message[0] == "failed"}
    assert reasons == {f"gw0 cannot read its files: {str(journal_path(run, 'gw0'))!r}: is a directory"}
