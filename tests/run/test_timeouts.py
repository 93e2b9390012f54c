"""Timeouts fire: whatever a server does with a request, an attempt and a run end in the time stated."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.run.running import NO_XDIST, ONE, TEN, Project
from tests.run.scripted import Asked, Script, Scripted, says

Start = Callable[[Script], Scripted]
Serve = Callable[..., str]
"""Starts a server that does nothing else than one of `WAYS`; to all but the first so many requests, it answers."""

WAYS = {"never-answers": b"", "drips": b" "}


def stay(connection: socket.socket, drop: bytes) -> None:
    """Never end an answer; keep sending a drop of it."""
    with suppress(OSError), connection:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" if drop else b"")
        for _ in range(400):
            time.sleep(0.25)
            connection.sendall(drop)


def answer(connection: socket.socket) -> None:
    with suppress(OSError), connection:
        connection.recv(1_000_000)
        body = says("Done.").encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)


def accept(listener: socket.socket, drop: bytes, first: int) -> None:
    with suppress(OSError):
        for number in itertools.count():
            connection, _ = listener.accept()
            what = (stay, (connection, drop)) if number < first else (answer, (connection,))
            threading.Thread(target=what[0], args=what[1], daemon=True).start()


@pytest.fixture
def unhelpful() -> Iterator[Serve]:
    listeners: list[socket.socket] = []

    def serve(way: str, first: int = 1_000) -> str:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        listeners.append(listener)
        threading.Thread(target=accept, args=[listener, WAYS[way], first], daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    yield serve
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("server", WAYS)
def test_an_attempt_ends_in_the_time_stated_and_is_made_again(project: Project, unhelpful: Serve, server: str) -> None:
    args = (f"--ultra-base-url={unhelpful(server, 1)}", "--ultra-model=m", "--ultra-request-timeout=0.6", *ONE)
    project.run(*NO_XDIST, *args).assert_outcomes(failed=1)
    attempts = [event for event in project.lives()[0]["transcript"] if event["type"] == "attempt"]
    assert [attempt["problem"] for attempt in attempts] == ["timeout", None]
    assert 0.6 <= attempts[0]["duration_s"] < 3
    assert "0.6 s" in attempts[0]["detail"]


def test_a_run_ends_in_the_time_stated(project: Project, unhelpful: Serve, way: tuple[str, ...]) -> None:
    started = time.monotonic()
    args = (f"--ultra-base-url={unhelpful('drips')}", "--ultra-model=m", "--ultra-run-timeout=4", TEN)
    result = project.run(*way, *args, "-rs")
    assert time.monotonic() - started < 25
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(skipped=10)
    result.stdout.fnmatch_lines(
        [
            "the run was interrupted: its time was up (--ultra-run-timeout 4); the next run resumes it*",
            "*SKIPPED*not run: the time of the run was up (--ultra-run-timeout)*",
        ]
    )
    assert project.outcomes() == {"skipped": 10}
    assert project.document()["run"]["exit_status"] == 1
    ending = json.loads((project.runs()[-1] / "ended.json").read_text())
    assert ending["exit_status"] == 1
    assert "time was up" in ending["cut_off"]


def test_what_was_finished_before_the_time_was_up_is_kept_and_reused(project: Project, scripted: Start) -> None:
    ready = threading.Event()

    def script(asked: Asked) -> tuple[int, str]:
        if asked.model == "slow":
            ready.wait(30)
        return 200, says("Done.")

    models = (f"--ultra-base-url={scripted(script).url}", "--ultra-model=quick,slow", *ONE)
    first = project.run(*NO_XDIST, *models, "--ultra-run-timeout=4")
    first.assert_outcomes(failed=1, skipped=1)
    ready.set()
    second = project.run(*NO_XDIST, *models, "--ultra-run-timeout=60")
    second.assert_outcomes(failed=2)
    assert [episode["reused"] for episode in project.episodes()] == [True, False]
    assert "interrupted:" not in second.stdout.str()


def test_a_run_that_ends_in_time_is_not_cut_off(project: Project) -> None:
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", *ONE, "--ultra-run-timeout=60")
    assert result.ret == pytest.ExitCode.OK
    assert "interrupted" not in result.stdout.str()


def test_a_stall_is_told_while_it_lasts_and_names_the_cases(
    project: Project, unhelpful: Serve, extreme: tuple[str, ...]
) -> None:
    args = (f"--ultra-base-url={unhelpful('never-answers')}", "--ultra-model=m", "--ultra-request-timeout=2", *ONE)
    result = project.run(*extreme, *args, "--ultra-run-timeout=6")
    result.stdout.fnmatch_lines(
        ["ultra: nothing answered or finished for 1 s (*); in flight: *test_workflow[[]m-optimal-*"]
    )


def test_an_attempt_always_has_a_limit(project: Project) -> None:
    result = project.pytester.runpytest("--ultra-model=demo", "--ultra-request-timeout=0")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--ultra-request-timeout: '0' is not a time; give a number of seconds above 0, or leave it out for 120"]
    )
