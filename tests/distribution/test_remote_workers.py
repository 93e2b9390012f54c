"""The controller's connections to workers: a host that is frozen holds nobody, and one that is at work is not lost."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import execnet
import pytest
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.remote_workers import RemoteWorkers
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stop_signal import send_stop
from tests.run.project import wait_until

MORE_THAN_BUFFERS_HOLD = 32_000_000
FREEZE = """
import os, signal
channel.send(os.getpid())
control = channel.receive()
control.send(("open", [], 0, False))
os.kill(os.getpid(), signal.SIGSTOP)
"""

SAY_ALIVE = """
import queue, time
control, got = channel.receive(), queue.SimpleQueue()
control.setcallback(lambda message: got.put(message[0]))
control.send(("open", [], 0, False))
for _ in range(15):
    time.sleep(0.1)
    control.send(("alive",))
    assert got.get(timeout=20) == "alive"
channel.send("answered")
channel.send(got.get(timeout=20))
"""


class FrozenHost:
    """A host that freezes when it has asked for its files, which are more than the connection holds."""

    def __init__(self, folder: Path, specs: tuple[str, ...], *, lost_after_s: float) -> None:
        description = {"long": "x" * MORE_THAN_BUFFERS_HOLD}
        self.run = RunDirectory.create(folder, description, started_at=time.time())
        self.workers = RemoteWorkers(lambda: str(self.run.path), lost_after_s=lost_after_s, stop_within_s=0.2)
        self._group = execnet.Group()
        self.gateway = [self._group.makegateway(spec) for spec in specs][-1]
        io: Any = self.gateway._io
        self._stream = io.sock if hasattr(io, "sock") else io.outfile
        node = SimpleNamespace(gateway=self.gateway, workerinput={})
        self.workers.connect(cast("WorkerController", node))
        self.channel = self.gateway.remote_exec(FREEZE)
        self._pid: int = self.channel.receive()
        self.channel.send(node.workerinput["ultra_channel"])
        wait_until(self._is_full)

    def _is_full(self) -> bool:
        return not select.select([], [self._stream], [], 0)[1]

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._group.terminate(timeout=5)
        self._stream.close()


@pytest.fixture(params=[("popen",), ("popen//id=host", "socket//installvia=host")], ids=["pipes", "a socket"])
def specs(request: pytest.FixtureRequest) -> tuple[str, ...]:
    specs: tuple[str, ...] = request.param
    return specs


@pytest.fixture
def hosts() -> Iterator[list[FrozenHost]]:
    hosts: list[FrozenHost] = []
    yield hosts
    for host in hosts:
        host.kill()


def test_a_frozen_host_is_lost_although_it_holds_all_that_write_to_it(
    tmp_path: Path, specs: tuple[str, ...], hosts: list[FrozenHost]
) -> None:
    host = FrozenHost(tmp_path, specs, lost_after_s=1.0)
    hosts.append(host)
    send_stop(host.run)
    xdist = threading.Thread(target=write_until_lost, args=(host,), daemon=True)
    xdist.start()
    wait_until(lambda: not host.gateway.hasreceiver(), within_s=20)
    xdist.join(20)
    assert not xdist.is_alive()


def write_until_lost(host: FrozenHost) -> None:
    with pytest.raises(OSError, match="cannot send"):
        host.channel.send(b"x" * MORE_THAN_BUFFERS_HOLD)


def test_the_end_of_a_session_does_not_wait_for_a_frozen_host(
    tmp_path: Path, specs: tuple[str, ...], hosts: list[FrozenHost]
) -> None:
    host = FrozenHost(tmp_path, specs, lost_after_s=600)
    hosts.append(host)
    end = threading.Thread(target=host.workers.close, daemon=True)
    end.start()
    end.join(20)
    assert not end.is_alive()
    wait_until(lambda: not host.gateway.hasreceiver(), within_s=20)


def test_a_worker_whose_files_take_long_to_read_is_answered_and_not_lost(tmp_path: Path) -> None:
    is_answered = threading.Event()

    def read_slowly(*_: object, is_replacement: bool) -> Iterator[tuple[str, bytes]]:
        assert not is_replacement
        assert is_answered.wait(20)
        yield from ()

    run = RunDirectory.create(tmp_path, {}, started_at=time.time())
    workers = RemoteWorkers(lambda: str(run.path), lost_after_s=1.0, read_files=read_slowly)
    group = execnet.Group()
    node = SimpleNamespace(gateway=group.makegateway("popen"), workerinput={})
    workers.connect(cast("WorkerController", node))
    channel = node.gateway.remote_exec(SAY_ALIVE)
    channel.send(node.workerinput["ultra_channel"])
    assert channel.receive(20) == "answered"
    is_answered.set()
    assert channel.receive(20) == "opened"
    workers.close()
    group.terminate(timeout=5)
