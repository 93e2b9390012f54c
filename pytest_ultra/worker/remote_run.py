"""A run's directory on a host that does not share the controller's: made here, and kept the same over there."""

from __future__ import annotations

import dataclasses
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from pytest_ultra.collection.items import case_of
from pytest_ultra.collection.run_suite import REMOTE_RUN
from pytest_ultra.distribution.controller_connection import ControllerConnection
from pytest_ultra.distribution.placement import Placement
from pytest_ultra.errors import ConfigurationError, describe_error
from pytest_ultra.options.settings import Settings
from pytest_ultra.storage.file_updates import FileUpdate, UpdateReader
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stop_signal import send_stop
from pytest_ultra.worker.client_stack import reachable_models

_SEND_EVERY_S = 0.1
_READ_WITHIN_S = 10.0
"""How long the files may be unreadable, as while too many are open, before the worker stops."""

_LAST_FILES_WITHIN_S = 300.0
"""How long sending may last at the session's end; a silent controller ends it sooner."""


class DemoEndpoint(Protocol):
    """The embedded endpoint of this host."""

    url: str

    def stop(self) -> None: ...


def open_remote_run(
    config: pytest.Config,
    settings: Settings,
    placement: Placement,
    *,
    rounds: Mapping[str, int],
    connection: ControllerConnection,
    start_demo: Callable[[], DemoEndpoint],
) -> Placement:
    """Open the run on this host; return the worker's placement here. Raises ControllerLostError."""
    if settings.cassette in ("record", "auto"):
        raise ConfigurationError(
            f"--ultra-cassette={settings.cassette}: a worker on another host would record answers there; record them "
            "on one host, or use replay"
        )
    _check_models(config, settings, placement.worker)
    remote = RemoteRun(connection, placement.worker)
    config.pluginmanager.register(remote, REMOTE_RUN)
    opened = remote.open(placement, _find_case_ids(config, placement, rounds))
    if placement.demo_url is None:
        return opened
    demo = start_demo()
    config.add_cleanup(demo.stop)
    return dataclasses.replace(opened, demo_url=demo.url)


def _check_models(config: pytest.Config, settings: Settings, worker: str) -> None:
    """Raise ConfigurationError for a model that cannot be reached from this host, as for want of a key."""
    if config.hook.pytest_ultra_endpoint.get_hookimpls():
        return
    try:
        reachable_models(settings)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{worker} runs on {platform.node()}, which has environment variables of its own: {error}"
        ) from None


def _find_case_ids(config: pytest.Config, placement: Placement, rounds: Mapping[str, int]) -> list[str]:
    """Return the ids of the cases that this worker may run: those of its shard, or all if it has none."""
    session: pytest.Session | None = config.pluginmanager.get_plugin("session")
    if session is None:
        raise RuntimeError("there is no session yet")
    nodeids = [item.nodeid for item in session.items]
    indices: Iterable[int] = range(len(nodeids))
    if placement.is_sharded:
        indices = {*placement.shard_indices(nodeids, rounds), *placement.assigned_indices(nodeids, rounds)}
    cases = (case_of(session.items[index]) for index in indices)
    return sorted({case.case_id for case in cases if case is not None})


class RemoteRun:
    """Hook implementations of a worker on another host.

    Ten times a second it sends the controller what its files have changed by, and before each report, what they have
    grown by. So a host that is lost takes the episodes and answers of its last 0.1 s with it, and no reported result.
    """

    def __init__(self, connection: ControllerConnection, worker: str, *, read_within_s: float = _READ_WITHIN_S) -> None:
        self._connection = connection
        self._worker = worker
        self._read_within_s = read_within_s
        self._run = RunDirectory(Path(tempfile.mkdtemp(prefix="pytest-ultra-run-")))
        self._reader = UpdateReader(self._run, worker)
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._send_until_over, name="ultra-remote-run", daemon=True)

    def open(self, placement: Placement, case_ids: Iterable[str]) -> Placement:
        """Get the files that the worker starts with; return its placement on this host."""
        self._connection.open(self._run.path, placement, case_ids, lambda: send_stop(self._run))
        self._thread.start()
        ends_at = None if placement.ends_at is None else placement.ends_at + self._connection.clock_ahead_s
        return dataclasses.replace(placement, run_folder=str(self._run.path), ends_at=ends_at)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self) -> None:
        self._send(self._reader.read_growth)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Send what is left, when all files are closed; xdist reports the end after this."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join(_LAST_FILES_WITHIN_S)
        if self._thread.is_alive():
            self._connection.fail(f"{self._worker} could not send its files within {_LAST_FILES_WITHIN_S:g} s")
        else:
            self._send(self._reader.read)
        shutil.rmtree(self._run.path, ignore_errors=True)

    def _send_until_over(self) -> None:
        while not self._is_over.wait(_SEND_EVERY_S):
            self._send(self._reader.read)

    def _send(self, read: Callable[[], Iterator[FileUpdate]]) -> None:
        """Send what has changed. What cannot be read is read again a little later, until that has lasted too long."""
        give_up_at = time.monotonic() + self._read_within_s
        while (error := self._try_to_send(read)) is not None:
            if time.monotonic() > give_up_at:
                self._connection.fail(f"{self._worker} cannot read its files: {describe_error(error)}")
                self._read_within_s = 0.0
                return
            time.sleep(_SEND_EVERY_S)

    def _try_to_send(self, read: Callable[[], Iterator[FileUpdate]]) -> OSError | None:
        with self._lock:
            try:
                for update in read():
                    self._connection.send_update(update)
            except OSError as error:
                return error
        return None
