"""Whatever ends a run early ends paid work at once, keeps what is finished, and leaves no process behind."""

from __future__ import annotations

import signal
import time

import pytest

from tests.run.running import NO_XDIST, TEN, Project, Started, wait_until

SLOW_S = 60
QUICK_AND_SLOW = f"--ultra-model=demo/null,demo/perfect?latency={SLOW_S}"
"""Ten cases fail at once, ten would take minutes."""
AT_ONCE_S = 15.0
"""What ending may take on a very busy machine; on an idle one it takes one or two."""
WAYS = {"alone": (NO_XDIST, False), "controller": (("-n2",), False), "group": (("-n2",), True)}
"""How the command is run, and whether all of its process group is signalled; one process needs no group."""


def check_what_is_left(project: Project) -> None:
    """Check that finished episodes were kept, that all planned cases are told of, and that nothing still runs."""
    finished = len(project.lives())
    assert finished > 0
    assert dict(project.outcomes()) == {"failed": finished, "skipped": 20 - finished}
    assert all("null" in episode["model"] for episode in project.episodes() if episode["outcome"] == "failed")
    assert project.processes() == []


def last_finished_at(project: Project) -> float:
    return max(float(life["started_at"] + life["duration_s"]) for life in project.lives())


@pytest.mark.parametrize(
    "args", [(*NO_XDIST, "-x"), ("-n2", "-x"), ("-n2", "--maxfail=2")], ids=["no-xdist-x", "n2-x", "n2-maxfail"]
)
def test_a_limit_on_failures_ends_the_run_at_once(project: Project, args: tuple[str, ...]) -> None:
    result = project.run(*args, QUICK_AND_SLOW, TEN)
    assert time.time() - last_finished_at(project) < AT_ONCE_S
    assert result.ret == (2 if "-n2" in args else 1), "xdist counts it as an interruption"
    check_what_is_left(project)


def start_and_wait_for_the_quick(project: Project, *args: str) -> Started:
    started = project.start(*args, QUICK_AND_SLOW, TEN)
    wait_until(lambda: len(project.lives()) == 10)
    return started


@pytest.mark.parametrize("who", WAYS)
def test_ctrl_c_ends_the_run_at_once(project: Project, who: str) -> None:
    way, is_group = WAYS[who]
    started = start_and_wait_for_the_quick(project, *way)
    started.interrupt(is_group=is_group)
    assert started.wait(AT_ONCE_S) == pytest.ExitCode.INTERRUPTED
    check_what_is_left(project)
    assert "Traceback" not in started.text
    assert "INTERNALERROR" not in started.text


@pytest.mark.parametrize("who", WAYS)
def test_a_run_that_is_killed_leaves_no_process_and_all_that_was_finished(project: Project, who: str) -> None:
    way, is_group = WAYS[who]
    started = start_and_wait_for_the_quick(project, *way)
    started.signal(signal.SIGKILL, is_group=is_group)
    started.wait(1)
    wait_until(lambda: project.processes() == [], within_s=AT_ONCE_S)
    assert len(project.lives()) == 10


EXIT = """
    import pytest

    def pytest_runtest_logreport(report):
        if report.failed:
            pytest.exit("enough")
"""

CRASH = """
    def pytest_runtest_logreport(report):
        if report.failed:
            raise RuntimeError("a plugin is broken")
"""


@pytest.mark.parametrize(
    ("way", "conftest", "code"),
    [(NO_XDIST, EXIT, 2), (("-n2",), EXIT, 2), (("-n2",), CRASH, 3)],
    ids=["no-xdist-exit", "n2-exit", "n2-internal-error"],
)
def test_a_failing_session_ends_paid_work_at_once(
    project: Project, way: tuple[str, ...], conftest: str, code: int
) -> None:
    project.pytester.makeconftest(conftest)
    result = project.run(*way, QUICK_AND_SLOW, TEN)
    assert time.time() - last_finished_at(project) < AT_ONCE_S
    assert result.ret == code
    check_what_is_left(project)


def test_stepwise_on_workers_ends_paid_work_at_once_and_goes_on_from_there(project: Project) -> None:
    project.run("-n2", QUICK_AND_SLOW, TEN, "--sw")
    assert time.time() - last_finished_at(project) < AT_ONCE_S
    check_what_is_left(project)
    again = project.run("-n2", "--ultra-model=demo/perfect", TEN, "--sw")
    again.assert_outcomes(passed=10)


@pytest.mark.parametrize("waits_for", ["stagger", "lock"])
def test_a_worker_that_waits_for_its_turn_stops_at_once_too(project: Project, waits_for: str) -> None:
    args = ["--ultra-stagger=60"] if waits_for == "stagger" else []
    if waits_for == "lock":
        project.pytester.makeconftest("import time\ndef pytest_ultra_workflow(): time.sleep(60)")
    started = project.start("-n2", "--ultra-model=demo/null", TEN, *args)
    if waits_for == "stagger":
        wait_until(project.lives)
    else:
        wait_until(lambda: project.runs() and list(project.runs()[-1].glob("guidance/lock")))
    started.interrupt(is_group=False)
    started.wait(AT_ONCE_S)
    assert project.processes() == []
