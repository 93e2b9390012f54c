"""A user's project directory, and an endpoint whose answers a test scripts."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import numpy as np  # noqa: F401 - pytester unloads what a run imports, and NumPy cannot be loaded twice in a process
import pytest

from pytest_ultra.engine.backoff import RetryPolicy
from pytest_ultra.worker import engine_factory
from tests.run.project import NO_XDIST, RUN_MARKER, Project
from tests.run.scripted_server import Script, ScriptedServer

XDIST_MODES = {"no-xdist": NO_XDIST, "n0": ("-n0",), "n2": ("-n2",)}


@pytest.fixture(params=XDIST_MODES)
def xdist_mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Options for the three modes: without xdist, with xdist in one process, with two workers."""
    return XDIST_MODES[request.param]


@pytest.fixture(params=["no-xdist", "n2"])
def xdist_on_off(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Options for the two modes that differ most, for tests where the third would only cost time."""
    return XDIST_MODES[request.param]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    marker = uuid.uuid4().hex
    monkeypatch.setenv(RUN_MARKER, marker)
    monkeypatch.setenv("COLUMNS", "300")  # the long lines of a run's end are wrapped to the terminal
    project = Project(pytester, marker)
    yield project
    _kill_processes(project)


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs in this process, so those without workers, send failed requests again after a tenth of the usual wait.

    How long the usual waits are is tested in `tests/engine/test_retry.py`.
    """
    monkeypatch.setattr(engine_factory, "RetryPolicy", partial(RetryPolicy, backoff_base_s=0.05))


@pytest.fixture
def start_server() -> Iterator[Callable[[Script], ScriptedServer]]:
    """Start scripted servers; the fixture closes them after the test."""
    servers: list[ScriptedServer] = []

    def start(script: Script) -> ScriptedServer:
        servers.append(ScriptedServer(script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def _kill_processes(project: Project) -> None:
    """Kill the processes that a failed test left running."""
    for pid in project.processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
