"""Timeouts: whatever a server does with a request, attempts and runs end within their time limits."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply

StartServer = Callable[[Script], ScriptedServer]
Serve = Callable[..., str]
"""Starts a server that hangs as one of `HANGS` for the first connections, and answers the later ones."""

HANGS = {"never-answers": b"", "drips": b" "}


def hang(connection: socket.socket, chunk: bytes) -> None:
    """Never complete a response; keep sending chunks of it, or nothing."""
    with suppress(OSError), connection:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" if chunk else b"")
        for _ in range(400):
            time.sleep(0.25)
            connection.sendall(chunk)


def answer(connection: socket.socket) -> None:
    with suppress(OSError), connection:
        connection.recv(1_000_000)
        body = text_reply("Done.").encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)


def accept(listener: socket.socket, chunk: bytes, first: int) -> None:
    with suppress(OSError):
        for number in itertools.count():
            connection, _ = listener.accept()
            serve = (hang, (connection, chunk)) if number < first else (answer, (connection,))
            threading.Thread(target=serve[0], args=serve[1], daemon=True).start()


@pytest.fixture
def hanging_server() -> Iterator[Serve]:
    listeners: list[socket.socket] = []

    def serve(how: str, first: int = 1_000) -> str:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        listeners.append(listener)
        threading.Thread(target=accept, args=[listener, HANGS[how], first], daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    yield serve
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)  # ends its thread, which could else accept from a later test's socket
        listener.close()


@pytest.mark.parametrize("server", HANGS)
def test_an_attempt_ends_at_its_timeout_and_is_retried(project: Project, hanging_server: Serve, server: str) -> None:
    args = (
        f"--ultra-base-url={hanging_server(server, 1)}",
        "--ultra-model=m",
        "--ultra-request-timeout=0.6",
        *ONE_CASE,
    )
    project.run(*NO_XDIST, *args).assert_outcomes(failed=1)
    attempts = [event for event in project.journaled_episodes()[0]["transcript"] if event["type"] == "attempt"]
    assert [attempt["problem"] for attempt in attempts] == ["timeout", None]
    assert 0.6 <= attempts[0]["duration_s"] < 3
    assert "0.6 s" in attempts[0]["detail"]


def test_a_run_ends_at_its_timeout(project: Project, hanging_server: Serve, xdist_on_off: tuple[str, ...]) -> None:
    started = time.monotonic()
    args = (f"--ultra-base-url={hanging_server('drips')}", "--ultra-model=m", "--ultra-run-timeout=3", TEN_CASES)
    result = project.run_in_own_process(*xdist_on_off, *args, "-rs")
    assert time.monotonic() - started < 25
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(skipped=10)
    result.stdout.fnmatch_lines(
        [
            "the run was interrupted: its time was up (--ultra-run-timeout 3); the next run resumes it*",
            "*SKIPPED*not run: the time of the run was up (--ultra-run-timeout)*",
        ]
    )
    assert project.outcomes() == {"skipped": 10}
    assert project.document()["run"]["exit_status"] == 1
    run_end = json.loads((project.runs()[-1] / "ended.json").read_text())
    assert run_end["exit_status"] == 1
    assert "time was up" in run_end["cut_off"]


def test_a_run_whose_time_is_up_before_its_first_episode_is_kept(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    result = project.run(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES, "--ultra-run-timeout=0.01")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["ultra: kept in .ultra/runs/*", "report: .ultra/runs/*"])
    (run,) = project.runs()
    assert (run / "report.html").exists()
    assert "time was up" in json.loads((run / "ended.json").read_text())["cut_off"]


SLOW_PLANNER = """
    import itertools, time

    calls = itertools.count()

    def pytest_ultra_workflow():
        if next(calls):
            time.sleep(60)
"""


def test_a_run_whose_time_is_up_while_a_later_task_is_generated_ends_at_once(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.pytester.makeconftest(SLOW_PLANNER)
    args = ("--ultra-model=demo/perfect", *ONE_CASE, "--ultra-instances=4", "--ultra-run-timeout=6")
    started = time.monotonic()
    result = project.run_in_own_process(*xdist_on_off, *args)
    assert time.monotonic() - started < 25
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("the run was interrupted: its time was up (--ultra-run-timeout 6); the next *")
    scored = 2 if "-n2" in xdist_on_off else 1
    assert project.outcomes() == {"full": scored, "skipped": 4 - scored}


def test_episodes_finished_before_the_run_timeout_are_kept_and_reused(
    project: Project, start_server: StartServer
) -> None:
    ready = threading.Event()

    def script(request: ReceivedRequest) -> tuple[int, str]:
        if request.model == "slow":
            ready.wait(30)
        return 200, text_reply("Done.")

    models = (f"--ultra-base-url={start_server(script).url}", "--ultra-model=quick,slow", *ONE_CASE)
    first = project.run(*NO_XDIST, *models, "--ultra-run-timeout=3")
    first.assert_outcomes(failed=1, skipped=1)
    ready.set()
    second = project.run(*NO_XDIST, *models, "--ultra-run-timeout=60")
    second.assert_outcomes(failed=2)
    assert [episode["reused"] for episode in project.episodes()] == [True, False]
    assert "the run was interrupted" not in second.stdout.str()


def test_a_run_that_ends_in_time_is_not_interrupted(project: Project) -> None:
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", *ONE_CASE, "--ultra-run-timeout=60")
    assert result.ret == pytest.ExitCode.OK
    assert "the run was interrupted" not in result.stdout.str()


def test_a_stall_is_reported_with_its_cases(
    project: Project, hanging_server: Serve, xdist_on_off: tuple[str, ...]
) -> None:
    args = (
        f"--ultra-base-url={hanging_server('never-answers', 1)}",
        "--ultra-model=m",
        "--ultra-request-timeout=2",
        *ONE_CASE,
    )
    result = project.run_in_own_process(*xdist_on_off, *args)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["ultra: nothing answered or finished for 1 s (*); in flight: *test_workflow[[]m-optimal-*"]
    )


def test_a_request_timeout_of_0_is_a_usage_error(project: Project) -> None:
    result = project.pytester.runpytest("--ultra-model=demo", "--ultra-request-timeout=0")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--ultra-request-timeout: '0' is not a time; give a number of seconds above 0, or leave it out for 120"]
    )


TIMED_TESTS = """
    import time, pytest

    def test_that_waits(ultra_episode):
        pass

    @pytest.mark.timeout(1)
    def test_that_works(ultra_episode):
        time.sleep(30)
"""
SLOW_CASE = ("-p", "timeout", "--ultra-model=demo/perfect?latency=0.3", *ONE_CASE)
"""A case of several turns, which takes longer than the limits here, with the plugin that has them."""


def test_a_limit_of_pytest_timeout_counts_a_tests_own_work_and_not_the_wait_for_its_episode(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.pytester.makeini("[pytest]\ntimeout = 1\n")
    project.pytester.makepyfile(TIMED_TESTS)
    result = project.run_in_own_process(*xdist_on_off, *SLOW_CASE)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "ultra: pytest-timeout's limit does not count the wait for an episode (its limit: --ultra-timeout)",
            "*Timeout (>1*s) from pytest-timeout*",
        ]
    )


def test_a_limit_that_would_end_the_process_counts_nothing_of_the_built_in_suite(project: Project) -> None:
    case = ("-p", "timeout", "--ultra-model=demo/perfect", *ONE_CASE)
    result = project.run_in_own_process(*NO_XDIST, *case, "--timeout=0.001", "--timeout-method=thread")
    result.assert_outcomes(passed=1)
