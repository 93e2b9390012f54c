"""A run that was cut off is gone on with: nothing that was finished is lived again, nothing paid for is asked again."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import lock_run
from tests.run.running import NO_XDIST, TEN, Project, Record, wait_until
from tests.run.scripted import Asked, Script, Scripted, calls, says

Start = Callable[[Script], Scripted]

SLOW = "--ultra-model=demo/perfect?latency=0.1"
TWENTY = "--ultra-task-type=simple_task,basic_task"
HEADER = (
    "ultra: {} episodes of {} cases reused from run *, which was interrupted; the others are run "
    "(--ultra-fresh runs all)"
)


def finished(project: Project) -> list[Record]:
    """Return the episodes that the newest run has lived itself."""
    return [life for life in project.lives() if not life.get("reused")]


def cut_off(project: Project, *args: str, after: int = 3) -> int:
    """Kill a run with all its processes when it has finished so many episodes; return how many it then had."""
    runs = len(project.runs())
    started = project.start(*args)
    wait_until(lambda: len(project.runs()) > runs and len(finished(project)) >= after)
    started.end()
    wait_until(lambda: not project.workers())
    return len(finished(project))


def reused(project: Project) -> int:
    return sum(episode["reused"] for episode in project.episodes())


def test_a_killed_run_is_gone_on_with(project: Project, extreme: tuple[str, ...]) -> None:
    n = cut_off(project, *extreme, SLOW, TEN, "--ultra-concurrency=1")
    result = project.run(*extreme, SLOW, TEN, "-v")
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines([HEADER.format(n, 10), f"10 planned: 10 scored *; {n} reused from earlier runs"])
    assert result.stdout.str().count("PASSED (reused)") == n
    assert (reused(project), dict(project.outcomes())) == (n, {"full": 10})
    assert len(finished(project)) == 10 - n


def test_the_whole_series_counts_and_neither_workers_nor_selection_matter(project: Project) -> None:
    first = cut_off(project, "-n2", SLOW, TWENTY, "--ultra-concurrency=1")
    second = cut_off(project, *NO_XDIST, SLOW, TWENTY, "--ultra-concurrency=2", "-k", "basic_task", after=2)
    project.run("--collect-only", SLOW)
    project.run("--ultra-seed=none", SLOW)
    project.run("-n0", SLOW, TWENTY, "-k", "simple_task and cot").assert_outcomes(passed=1)
    assert len(project.runs()) == 3
    (project.runs()[-1] / "ended.json").unlink()
    project.run("-n3", SLOW, TWENTY).assert_outcomes(passed=20)
    assert first + second <= reused(project) <= first + second + 1
    project.run(*NO_XDIST, SLOW, TEN).assert_outcomes(passed=10)
    assert reused(project) == 0


@pytest.mark.parametrize("how", ["-x", "--maxfail=2"])
def test_a_limit_on_failures_is_an_end(project: Project, extreme: tuple[str, ...], how: str) -> None:
    project.run(*extreme, how, "--ultra-model=demo/null", TEN)
    project.run(*extreme, "--ultra-model=demo/null", TEN).assert_outcomes(failed=10)
    assert reused(project) == 0


def test_ctrl_c_cuts_a_run_off(project: Project, extreme: tuple[str, ...]) -> None:
    started = project.start(*extreme, SLOW, TEN, "--ultra-concurrency=1")
    wait_until(lambda: len(project.lives()) >= 2)
    started.interrupt()
    started.wait(30)
    n = len(project.lives())
    project.run(*extreme, SLOW, TEN).assert_outcomes(passed=10)
    assert (reused(project), len(finished(project))) == (n, 10 - n)


def test_a_run_that_still_goes_on_is_left_alone(project: Project) -> None:
    started = project.start(*NO_XDIST, "--ultra-model=demo/perfect?latency=1", TEN, "--ultra-json=other.json")
    wait_until(lambda: project.runs() and list(project.runs()[0].glob("journal-main.jsonl")))
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN)
    result.stdout.fnmatch_lines("ultra: the run * is still running, so nothing is reused from it")
    assert reused(project) == 0
    (project.runs()[-1] / "ended.json").unlink()
    lock = lock_run(RunDirectory(project.runs()[-1]))
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN, "--ultra-rerun=errors")
    lock.release()
    started.end()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        "ERROR: --ultra-rerun: the run * is still running, so nothing *; leave --ultra-rerun out to run all cases"
    )


def test_fresh_takes_nothing(project: Project) -> None:
    cut_off(project, *NO_XDIST, SLOW, TEN, "--ultra-concurrency=1")
    result = project.run(*NO_XDIST, SLOW, TEN, "--ultra-fresh")
    result.stdout.fnmatch_lines("ultra: --ultra-fresh: nothing is reused from earlier runs")
    assert reused(project) == 0


def test_a_rerun_of_errors_takes_the_others_from_the_newest_run(project: Project, scripted: Start) -> None:
    refuses = [True]

    def script(asked: Asked) -> tuple[int, str]:
        is_refused = refuses[0] and "step by step" in json.dumps(asked.body["messages"])
        return (422, "no") if is_refused else (200, says("Done."))

    server = scripted(script)
    args = (*NO_XDIST, "--ultra-model=served", f"--ultra-base-url={server.url}", TEN)
    project.run(*args)
    before = project.outcomes()
    assert before["error"] > 0
    refuses[0] = False
    result = project.run(*args, "--ultra-rerun=errors")
    result.stdout.fnmatch_lines(
        f"ultra: {before['failed']} episodes of 10 cases reused from run *; --ultra-rerun=errors *"
    )
    assert (reused(project), dict(project.outcomes())) == (before["failed"], {"failed": 10})


def test_a_rerun_of_what_failed_takes_the_others_from_the_newest_run(project: Project) -> None:
    args = (*NO_XDIST, "--ultra-model=demo/follower", TEN)
    project.run(*args)
    assert dict(project.outcomes()) == {"full": 2, "failed": 8}
    project.run(*args, "--ultra-rerun=failed")
    assert (reused(project), len(finished(project))) == (2, 8)
    cut = project.runs()[-1] / "ended.json"
    cut.unlink()
    project.run(*args)
    assert reused(project) == 10


def test_a_rerun_without_an_earlier_run_lives_all(project: Project) -> None:
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN, "--ultra-rerun=failed")
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines(
        "ultra: --ultra-rerun=failed: no earlier run has an episode to reuse, so all cases are run"
    )


def test_fresh_and_rerun_exclude_one_another(project: Project) -> None:
    result = project.run(*NO_XDIST, "--ultra-model=demo", "--ultra-fresh", "--ultra-rerun=failed")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: --ultra-fresh takes nothing from earlier runs, *; give one of them")


def test_a_rerun_of_a_test_with_a_reused_episode_lives_a_new_one(project: Project) -> None:
    args = (*NO_XDIST, "--ultra-model=demo/null?latency=0.2", TEN, "--ultra-concurrency=1")
    n = cut_off(project, *args, after=2)
    project.run(*args, "--reruns=1").assert_outcomes(failed=10)
    assert reused(project) == 0
    assert len(finished(project)) == 10 + 10 - n


def test_two_tests_of_one_case_share_its_reused_episode(project: Project, extreme: tuple[str, ...]) -> None:
    project.pytester.makepyfile("def test_a(ultra_episode): pass\ndef test_b(ultra_episode): pass")
    args = (*extreme, SLOW, TEN, "--ultra-concurrency=1")
    n = cut_off(project, *args)
    project.run(*args).assert_outcomes(passed=20)
    assert (reused(project), len(finished(project))) == (n, 10 - n)


@pytest.mark.parametrize("dist", ["--dist=load", "--dist=worksteal"])
def test_reused_episodes_come_also_by_another_scheduler(project: Project, dist: str) -> None:
    n = cut_off(project, *NO_XDIST, SLOW, TEN, "--ultra-concurrency=1")
    project.run("-n2", dist, SLOW, TEN).assert_outcomes(passed=10)
    assert (reused(project), len(finished(project))) == (n, 10 - n)


def test_answers_that_were_paid_for_are_not_asked_again(
    project: Project, scripted: Start, extreme: tuple[str, ...]
) -> None:
    asked: Counter[tuple[str, int]] = Counter()
    is_stuck = [True]

    def script(request: Asked) -> tuple[int, str]:
        messages = request.body["messages"]
        turn = 1 + sum(message["role"] == "assistant" for message in messages)
        asked[json.dumps(messages[:2]), turn] += 1
        if turn == 4 and is_stuck[0]:
            wait_until(lambda: not is_stuck[0])
        return (200, says("Done.")) if turn == 6 else (200, calls("utility_helper", json.dumps({"topic": str(turn)})))

    server = scripted(script)
    args = (*extreme, "--ultra-model=served", f"--ultra-base-url={server.url}", TEN)
    started = project.start(*args)
    wait_until(lambda: sum(n for (_, turn), n in asked.items() if turn == 4) == 10)
    started.end()
    is_stuck[0] = False
    result = project.run(*args)
    result.assert_outcomes(failed=10)
    assert {turn: sum(n for (_, t), n in asked.items() if t == turn) for turn in range(1, 7)} == {
        1: 10, 2: 10, 3: 10, 4: 20, 5: 10, 6: 10,
    }  # fmt: skip
    assert {(episode["turns"], episode["prompt_tokens"]) for episode in project.episodes()} == {(6, 42)}


FULL = """
    import resource, signal

    def pytest_collection_finish(session):
        if hasattr(session.config, "workerinput") or WORKERS == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (25_000, most))
"""


def test_a_full_disk_is_told_and_loses_nothing(project: Project, extreme: tuple[str, ...]) -> None:
    project.pytester.makeconftest(FULL.replace("WORKERS", "2" if "-n2" in extreme else "0"))
    args = (*extreme, "--ultra-model=demo/perfect", "--ultra-concurrency=1", TWENTY)
    result = project.run(*args)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        "*the run cannot continue: cannot write to *journal-*.jsonl* (file too large), so this process runs no more*"
    )
    result.stdout.no_fnmatch_line("*During handling of the above exception*")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] + outcomes["errors"] == 20
    assert outcomes["passed"] == project.outcomes()["full"] == len(project.lives())
    (project.path / "conftest.py").unlink()
    project.run(*args).assert_outcomes(passed=20)
    assert reused(project) == outcomes["passed"]


def test_a_run_of_a_newer_schema_is_told_and_left_alone(project: Project) -> None:
    cut_off(project, *NO_XDIST, SLOW, TEN, "--ultra-concurrency=1")
    journal: Path = project.runs()[0] / "journal-main.jsonl"
    journal.write_text(journal.read_text().replace('{"schema_version":1', '{"schema_version":9'))
    content = journal.read_bytes()
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN)
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines(
        "ultra: nothing is reused from the run *: *written by a newer pytest-ultra (schema 9, this one reads up to 1)*"
    )
    assert journal.read_bytes() == content


def test_a_torn_last_line_costs_one_episode(project: Project) -> None:
    n = cut_off(project, *NO_XDIST, SLOW, TEN, "--ultra-concurrency=1")
    journal: Path = project.runs()[0] / "journal-main.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    project.run(*NO_XDIST, SLOW, TEN).assert_outcomes(passed=10)
    assert reused(project) == n - 1


def test_signals_other_than_a_kill_cut_a_run_off_too(project: Project) -> None:
    started = project.start(*NO_XDIST, SLOW, TEN, "--ultra-concurrency=1")
    wait_until(lambda: len(project.lives()) >= 2)
    started.signal(signal.SIGTERM, is_group=True)
    started.wait(30)
    n = len(project.lives())
    project.run(*NO_XDIST, SLOW, TEN).assert_outcomes(passed=10)
    assert reused(project) == n
