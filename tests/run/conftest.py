"""A user's folder, and an endpoint that answers as told."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.run.running import MARK, NO_XDIST, Project
from tests.run.scripted import Script, Scripted

UNINVOLVED = "-p no:html -p no:metadata -p no:reportlog -p no:hypothesispytest"
"""Plugins that are installed for a few tests, and that take each process of every run a third of a second to load."""

WAYS = {"no-xdist": NO_XDIST, "n0": ("-n0",), "n2": ("-n2",)}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How pytest is run: without xdist, with xdist but in one process, on two workers."""
    return WAYS[request.param]


@pytest.fixture(params=["no-xdist", "n2"])
def extreme(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The two ways that differ most, where a third would only cost time."""
    return WAYS[request.param]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("PYTEST_ADDOPTS", UNINVOLVED)
    project = Project(pytester, mark)
    yield project
    _end(project)


@pytest.fixture
def scripted() -> Iterator[Callable[[Script], Scripted]]:
    """Start servers; they end with the test."""
    servers: list[Scripted] = []

    def start(script: Script) -> Scripted:
        servers.append(Scripted(script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def _end(project: Project) -> None:
    """Leave nothing running, whatever a failed test has left."""
    for pid in project.processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
