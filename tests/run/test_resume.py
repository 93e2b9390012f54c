"""Resume an interrupted run: no finished episode is run again, and no recorded answer is requested again."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_ultra.storage.results import State, find_state
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import lock_run
from tests.run.project import NO_XDIST, TEN_CASES, Project, Record, wait_until
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply, tool_call_reply

StartServer = Callable[[Script], ScriptedServer]

SLOW = "--ultra-model=demo/perfect?latency=0.05"
TWENTY_CASES = "--ultra-task-type=simple_task,basic_task"
HEADER = (
    "ultra: {} episodes of {} cases reused from run *, which was interrupted; the others are run "
    "(--ultra-fresh runs all)"
)


def own_episodes(project: Project) -> list[Record]:
    """Return the episodes that the newest run ran itself, without the reused ones."""
    return [episode for episode in project.journaled_episodes() if not episode.get("reused")]


def kill_run(project: Project, *args: str, after: int = 2) -> int:
    """Kill a run with all its processes after `after` finished episodes; return how many it had finished."""
    runs = len(project.runs())
    started = project.start(*args)
    wait_until(lambda: len(project.runs()) > runs and len(own_episodes(project)) >= after)
    started.end()
    wait_until(lambda: not project.workers())
    return len(own_episodes(project))


@dataclass
class KilledRuns:
    """Runs of ten cases that were killed, by the options of xdist: each is made once, and resumed in many projects."""

    folder: Path
    finished: dict[tuple[str, ...], int] = field(default_factory=dict)

    def put_into(self, project: Project, *xdist_args: str) -> int:
        """Leave a killed run in an empty project; return how many episodes it had finished."""
        if xdist_args not in self.finished:
            self.finished[xdist_args] = kill_run(project, *xdist_args, SLOW, TEN_CASES, "--ultra-concurrency=1")
            shutil.copytree(project.path / ".ultra", self.folder.joinpath(*xdist_args))
        else:
            shutil.copytree(self.folder.joinpath(*xdist_args), project.path / ".ultra")
        return self.finished[xdist_args]


@pytest.fixture(scope="module")
def killed_runs(tmp_path_factory: pytest.TempPathFactory) -> KilledRuns:
    return KilledRuns(tmp_path_factory.mktemp("killed"))


def count_reused(project: Project) -> int:
    return sum(episode["reused"] for episode in project.episodes())


def test_a_killed_run_is_resumed(project: Project, killed_runs: KilledRuns, xdist_on_off: tuple[str, ...]) -> None:
    n = killed_runs.put_into(project, *xdist_on_off)
    result = project.run(*xdist_on_off, SLOW, TEN_CASES, "-v")
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines([HEADER.format(n, 10), f"10 planned: 10 scored *; {n} reused from earlier runs"])
    assert result.stdout.str().count("PASSED (reused)") == n
    assert (count_reused(project), dict(project.outcomes())) == (n, {"full": 10})
    assert len(own_episodes(project)) == 10 - n


def test_a_run_resumes_several_interrupted_runs_whatever_their_workers_and_selection(project: Project) -> None:
    first = kill_run(project, "-n2", SLOW, TWENTY_CASES, "--ultra-concurrency=1")
    second = kill_run(project, *NO_XDIST, SLOW, TWENTY_CASES, "--ultra-concurrency=2", "-k", "basic_task")
    project.run("--collect-only", SLOW)
    project.run("--ultra-seed=none", SLOW)
    project.run("-n0", SLOW, TWENTY_CASES, "-k", "simple_task and cot").assert_outcomes(passed=1)
    assert len(project.runs()) == 3
    (project.runs()[-1] / "ended.json").unlink()
    project.run("-n2", SLOW, TWENTY_CASES).assert_outcomes(passed=20)
    assert first + second <= count_reused(project) <= first + second + 1
    project.run(*NO_XDIST, SLOW, TEN_CASES).assert_outcomes(passed=10)
    assert count_reused(project) == 0


@pytest.mark.parametrize("args", [(*NO_XDIST, "-x"), ("-n2", "--maxfail=2")], ids=["no-xdist", "n2"])
def test_a_run_that_reached_maxfail_is_not_resumed(project: Project, args: tuple[str, ...]) -> None:
    project.run(*args, "--ultra-model=demo/null", TEN_CASES)
    assert find_state(RunDirectory.open(project.runs()[-1])) is State.FINISHED
    project.run(*NO_XDIST, "--ultra-model=demo/null", TEN_CASES).assert_outcomes(failed=10)
    assert count_reused(project) == 0


def test_a_run_interrupted_by_ctrl_c_is_resumed(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    started = project.start(*xdist_on_off, SLOW, TEN_CASES, "--ultra-concurrency=1")
    wait_until(lambda: len(project.journaled_episodes()) >= 2)
    started.interrupt()
    started.wait(30)
    n = len(project.journaled_episodes())
    project.run(*NO_XDIST, SLOW, TEN_CASES).assert_outcomes(passed=10)
    assert (count_reused(project), len(own_episodes(project))) == (n, 10 - n)


def test_nothing_is_reused_from_a_run_in_progress(project: Project) -> None:
    started = project.start(*NO_XDIST, "--ultra-model=demo/perfect?latency=1", TEN_CASES, "--ultra-json=other.json")
    wait_until(lambda: project.runs() and list(project.runs()[0].glob("journal-main.jsonl")))
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN_CASES)
    result.stdout.fnmatch_lines("ultra: the run * is still running, so nothing is reused from it")
    assert count_reused(project) == 0
    (project.runs()[-1] / "ended.json").unlink()
    lock = lock_run(RunDirectory(project.runs()[-1]))
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN_CASES, "--ultra-rerun=errors")
    lock.release()
    started.end()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        "ERROR: --ultra-rerun: the run * is still running, so nothing *; leave --ultra-rerun out to run all cases"
    )


def test_fresh_reuses_nothing(project: Project, killed_runs: KilledRuns) -> None:
    killed_runs.put_into(project, *NO_XDIST)
    result = project.run(*NO_XDIST, SLOW, TEN_CASES, "--ultra-fresh")
    result.stdout.fnmatch_lines("ultra: --ultra-fresh: nothing is reused from earlier runs")
    assert count_reused(project) == 0


def test_rerun_errors_reuses_the_other_episodes_of_the_newest_run(project: Project, start_server: StartServer) -> None:
    is_rejecting = [True]

    def script(request: ReceivedRequest) -> tuple[int, str]:
        is_rejected = is_rejecting[0] and "step by step" in json.dumps(request.body["messages"])
        return (422, "no") if is_rejected else (200, text_reply("Done."))

    server = start_server(script)
    args = (*NO_XDIST, "--ultra-model=served", f"--ultra-base-url={server.url}", TEN_CASES)
    project.run(*args)
    before = project.outcomes()
    assert before["error"] > 0
    is_rejecting[0] = False
    result = project.run(*args, "--ultra-rerun=errors")
    result.stdout.fnmatch_lines(
        f"ultra: {before['failed']} episodes of 10 cases reused from run *; --ultra-rerun=errors *"
    )
    assert (count_reused(project), dict(project.outcomes())) == (before["failed"], {"failed": 10})


def test_rerun_failed_reuses_the_other_episodes_of_the_newest_run(project: Project) -> None:
    args = (*NO_XDIST, "--ultra-model=demo/follower", TEN_CASES)
    project.run(*args)
    assert dict(project.outcomes()) == {"full": 2, "failed": 8}
    project.run(*args, "--ultra-rerun=failed")
    assert (count_reused(project), len(own_episodes(project))) == (2, 8)
    (project.runs()[-1] / "ended.json").unlink()
    project.run(*args)
    assert count_reused(project) == 10


def test_rerun_without_an_earlier_run_runs_all_cases(project: Project) -> None:
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN_CASES, "--ultra-rerun=failed")
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines(
        "ultra: --ultra-rerun=failed: no earlier run has an episode to reuse, so all cases are run"
    )


def test_fresh_and_rerun_are_mutually_exclusive(project: Project) -> None:
    result = project.run(*NO_XDIST, "--ultra-model=demo", "--ultra-fresh", "--ultra-rerun=failed")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        "ERROR: --ultra-fresh reuses no earlier run, but --ultra-rerun does; give only one of them"
    )


def test_a_rerun_of_a_test_with_a_reused_episode_runs_a_new_one(project: Project) -> None:
    args = (*NO_XDIST, "--ultra-model=demo/null?latency=0.15", TEN_CASES)
    n = kill_run(project, *args, "--ultra-concurrency=1")
    project.run(*args, "-p", "rerunfailures", "--reruns=1").assert_outcomes(failed=10)
    assert count_reused(project) == 0
    assert len(own_episodes(project)) == 10 + 10 - n


def test_two_tests_of_one_case_share_its_reused_episode(
    project: Project, killed_runs: KilledRuns, xdist_on_off: tuple[str, ...]
) -> None:
    n = killed_runs.put_into(project, *xdist_on_off)
    project.pytester.makepyfile("def test_a(ultra_episode): pass\ndef test_b(ultra_episode): pass")
    project.run(*xdist_on_off, SLOW, TEN_CASES).assert_outcomes(passed=20)
    assert (count_reused(project), len(own_episodes(project))) == (n, 10 - n)


def test_episodes_are_reused_under_another_scheduler(project: Project, killed_runs: KilledRuns) -> None:
    n = killed_runs.put_into(project, *NO_XDIST)
    project.run("-n2", "--dist=worksteal", SLOW, TEN_CASES).assert_outcomes(passed=10)
    assert (count_reused(project), len(own_episodes(project))) == (n, 10 - n)


def test_recorded_answers_are_not_requested_again(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    asked: list[int] = []  # the turn of each request; threads of the server append to it
    is_stuck = [True]

    def script(request: ReceivedRequest) -> tuple[int, str]:
        messages = request.body["messages"]
        turn = 1 + sum(message["role"] == "assistant" for message in messages)
        asked.append(turn)
        if turn == 4 and is_stuck[0]:
            wait_until(lambda: not is_stuck[0])
        return (
            (200, text_reply("Done."))
            if turn == 6
            else (200, tool_call_reply("utility_helper", json.dumps({"topic": str(turn)})))
        )

    server = start_server(script)
    args = (*xdist_on_off, "--ultra-model=served", f"--ultra-base-url={server.url}", TEN_CASES)
    started = project.start(*args)
    wait_until(lambda: asked.count(4) == 10)
    started.end()
    is_stuck[0] = False
    result = project.run(*args)
    result.assert_outcomes(failed=10)
    assert Counter(asked) == {1: 10, 2: 10, 3: 10, 4: 20, 5: 10, 6: 10}
    assert {(episode["turns"], episode["prompt_tokens"]) for episode in project.episodes()} == {(6, 42)}


FULL_DISK = """
    import resource, signal

    def pytest_collection_finish(session):
        if hasattr(session.config, "workerinput") or WORKERS == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, most))
"""


def test_a_full_disk_is_reported_and_loses_no_finished_episode(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makeconftest(FULL_DISK.replace("WORKERS", "2" if "-n2" in xdist_on_off else "0"))
    args = (*xdist_on_off, "--ultra-model=demo/perfect", "--ultra-concurrency=1", TWENTY_CASES)
    result = project.run_in_own_process(*args)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        "*the run cannot continue: cannot write to *journal-*.jsonl* (file too large), so this process runs no more*"
    )
    result.stdout.no_fnmatch_line("*During handling of the above exception*")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] + outcomes["errors"] == 20
    assert outcomes["passed"] == project.outcomes()["full"] == len(project.journaled_episodes())
    (project.path / "conftest.py").unlink()
    project.run(*NO_XDIST, *args[len(xdist_on_off) :]).assert_outcomes(passed=20)
    assert count_reused(project) == outcomes["passed"]


NO_MORE_FILES = """
    import errno, os

    def pytest_ultra_workflow():
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
"""
NO_SHARD = """
    import errno, os, sys

    class NoMoreFiles:
        def find_spec(self, name, path, target=None):
            if name == "pytest_ultra.worker.shard":
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    sys.meta_path.insert(0, NoMoreFiles())
"""
"""As when no file is left to import the engine with."""
NO_FILE_ANYWHERE = f"""
    import resource
    import pytest
    {NO_SHARD}
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport():
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        try:
            return (yield)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
"""
"""As when the process that hears of it has no file left either."""


def test_runs_that_could_not_start_their_episodes_are_resumed_with_all_before_them(
    project: Project, killed_runs: KilledRuns, xdist_on_off: tuple[str, ...]
) -> None:
    args = (*xdist_on_off, SLOW, TEN_CASES)
    finished = killed_runs.put_into(project, *xdist_on_off)
    reasons = {
        NO_MORE_FILES: "* could not generate a task: *Too many open files",
        NO_SHARD: "the episodes could not start (too many open files)",
        NO_FILE_ANYWHERE: "the episodes could not start (too many open files)",
    }
    hardest = {NO_FILE_ANYWHERE: reasons[NO_FILE_ANYWHERE]}  # workers take longer to start
    for conftest, reason in (hardest if "-n2" in xdist_on_off else reasons).items():
        project.pytester.makeconftest(conftest)
        result = project.run_in_own_process(*args)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(f"the run was interrupted: {reason}; *")
    (project.path / "conftest.py").unlink()
    project.run(*args).assert_outcomes(passed=10)
    assert count_reused(project) == finished


NO_ENDPOINT = """
    def find_key():
        return {}["MY_KEY"]

    def pytest_ultra_endpoint(config, settings):
        return find_key()
"""


def test_a_run_that_cannot_open_its_endpoint_says_why_once_in_each_process_and_is_resumed(
    project: Project, killed_runs: KilledRuns, xdist_on_off: tuple[str, ...]
) -> None:
    args = (*xdist_on_off, SLOW, TEN_CASES)
    finished = killed_runs.put_into(project, *xdist_on_off)
    project.pytester.makeconftest(NO_ENDPOINT)
    result = project.run_in_own_process(*args)
    assert result.parseoutcomes() == {"passed": finished, "errors": 10 - finished}
    cause = "KeyError: 'MY_KEY' (conftest.py:5)"
    result.stdout.fnmatch_lines(
        [
            "    def pytest_ultra_endpoint(config, settings):",
            "*conftest.py:2: KeyError",
            f"demo/perfect*: {10 - finished} of 10 cases ended in an error: {cause}",
            f"10 planned: {finished} scored *, {10 - finished} error, 0 skipped; {finished} reused from earlier runs",
            f"the run was interrupted: * could not run its episodes ({cause}); the next run resumes it",
        ]
    )
    output = result.stdout.str()
    assert output.count("def pytest_ultra_endpoint") == (2 if "-n2" in xdist_on_off else 1)
    assert "Traceback" not in output
    assert "shard.py" not in output
    (project.path / "conftest.py").unlink()
    project.run(*args).assert_outcomes(passed=10)
    assert count_reused(project) == finished


HOOK_THAT = """
    import pytest

    def pytest_ultra_endpoint():
        pytest.{}("no key is set")
"""


def test_an_endpoint_hook_can_skip_all_cases(project: Project) -> None:
    project.pytester.makeconftest(HOOK_THAT.format("skip"))
    project.run(*NO_XDIST, "--ultra-model=mine", TEN_CASES).assert_outcomes(skipped=10)


def test_an_endpoint_hook_can_end_the_run(project: Project) -> None:
    project.pytester.makeconftest(HOOK_THAT.format("exit"))
    result = project.run_in_own_process(*NO_XDIST, "--ultra-model=mine", TEN_CASES)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines("*Exit: no key is set*")


BROKEN_FIXTURE = """
    import pytest

    @pytest.fixture(autouse=True)
    def database(request):
        if "-cot-" in request.node.nodeid:
            raise ConnectionError("no database")
"""


def test_a_run_of_which_a_test_failed_before_its_case_was_run_is_resumed(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.pytester.makeconftest(BROKEN_FIXTURE)
    args = (*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES, "--ultra-concurrency=1")
    result = project.run(*args)
    result.assert_outcomes(passed=9, errors=1)
    result.stdout.fnmatch_lines("the run was interrupted: 1 of its 10 tests were not run; the next run resumes it")
    (project.path / "conftest.py").unlink()
    project.run(*args).assert_outcomes(passed=10)
    assert count_reused(project) == 9


def test_a_run_of_a_newer_schema_is_reported_and_left_unchanged(project: Project, killed_runs: KilledRuns) -> None:
    killed_runs.put_into(project, *NO_XDIST)
    journal: Path = project.runs()[0] / "journal-main.jsonl"
    journal.write_text(journal.read_text().replace('{"schema_version":1', '{"schema_version":9'))
    content = journal.read_bytes()
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN_CASES)
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines(
        "ultra: nothing is reused from the run *: *written by a newer pytest-ultra (schema 9, this one reads up to 1)*"
    )
    assert journal.read_bytes() == content


def test_a_damaged_last_line_loses_one_episode(project: Project, killed_runs: KilledRuns) -> None:
    n = killed_runs.put_into(project, *NO_XDIST)
    journal: Path = project.runs()[0] / "journal-main.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    project.run(*NO_XDIST, SLOW, TEN_CASES).assert_outcomes(passed=10)
    assert count_reused(project) == n - 1


def test_a_run_ended_by_sigterm_is_resumed(project: Project) -> None:
    started = project.start(*NO_XDIST, SLOW, TEN_CASES, "--ultra-concurrency=1")
    wait_until(lambda: len(project.journaled_episodes()) >= 2)
    started.signal(signal.SIGTERM, is_group=True)
    started.wait(30)
    n = len(project.journaled_episodes())
    project.run(*NO_XDIST, SLOW, TEN_CASES).assert_outcomes(passed=10)
    assert count_reused(project) == n
