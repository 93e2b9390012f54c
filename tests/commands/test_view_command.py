"""`pytest-ultra view`: the report on loopback, to this machine alone."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from pytest_ultra.storage.journal import Journal
from pytest_ultra.storage.run_directory import RunDirectory
from tests.commands.conftest import CommandResult
from tests.results_factory import make_episode

Command = Callable[..., CommandResult]


def ask(url: str, path: str, host: str | None = None) -> tuple[int, bytes]:
    port = urlsplit(url).port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{port}"})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_a_port_in_use_is_an_error_with_a_way_out(root: Path, command: Command) -> None:
    RunDirectory.create(root, {}, started_at=1_700_000_000.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = command("view", "--port", str(port))
    assert shown.code == 2
    assert f"--port: {port} cannot be used (address already in use); name another, or leave it out" in shown.err


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_the_newest_run_is_served_until_an_interrupt(root: Path) -> None:
    run = RunDirectory.create(root, {}, started_at=1_700_000_000.0)
    command = [sys.executable, "-m", "pytest_ultra", "view", "--dir", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]
        assert b"The run has no episodes yet" in ask(url, "/")[1]
        journal = Journal(run, "gw0")
        journal.append(make_episode())
        journal.close()
        status, page = ask(url, "/report.html")
        assert (status, page.count(b"connect-src &#39;self&#39;")) == (200, 1)
        state = msgspec.json.decode(ask(url, "/state")[1])
        assert state["text"] == f"interrupted: 1 of 1 cases, run {run.run_id}"
        assert state["version"].encode() in page
        newer = RunDirectory.create(root, {}, started_at=1_700_100_000.0)
        assert newer.run_id in msgspec.json.decode(ask(url, "/state")[1])["text"]
        assert ask(url, "/", "elsewhere.example")[0] == 403
        for path in ("/run.json", "/../run.json", "/report-files/part-001.html", "/report-files/../report.html"):
            assert ask(url, path)[0] == 404
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_without_a_run_or_with_a_wrong_port_nothing_is_served(command: Command, root: Path) -> None:
    code, _, message = command("view")
    assert code == 2
    assert "holds no run" in message
    RunDirectory.create(root, {}, started_at=1_700_000_000.0)
    wrong = "pytest-ultra view: error: --port: 70000 is not a port; name one from 1 to 65535\n"
    assert command("view", "--port", "70000") == (2, "", wrong)
