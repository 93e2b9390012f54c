"""The distribution of cases among real workers, including workers that crash or collect other tests."""

from __future__ import annotations

from collections import Counter

import pytest

from pytest_ultra.distribution.channel_messages import received_channel
from pytest_ultra.errors import ConfigurationError

MODEL = "--ultra-model=gpt-4o-mini"
TEN = ("--ultra-task-type=simple_task", "--ultra-prompt-type=all")

LOGGING = """
    import os, pathlib, pytest

    def pytest_runtest_logreport(report):
        if report.when == "call" and "PYTEST_XDIST_WORKER" not in os.environ:
            with open("reported.txt", "a") as file:
                print(report.nodeid, report.outcome, getattr(report, "worker_id", "-"), file=file)

    @pytest.fixture
    def ultra_episode(request):
        return request.param
"""


def reported(pytester: pytest.Pytester) -> list[tuple[str, str]]:
    """Return the node id and worker of each call that was reported to the controller."""
    lines = pytester.path.joinpath("reported.txt").read_text().splitlines()
    return [(nodeid, worker) for nodeid, _, worker in (line.rsplit(maxsplit=2) for line in lines)]


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(LOGGING)
    return pytester


def test_another_version_on_another_host_is_named() -> None:
    message = r"^this host has pytest-ultra \S+, the controller 0\.0\.1: install the same version on all hosts$"
    with pytest.raises(ConfigurationError, match=message):
        received_channel({"ultra_version": "0.0.1", "ultra_channel": object()})


def test_each_worker_gets_a_contiguous_shard_and_tests_of_one_case_share_a_worker(project: pytest.Pytester) -> None:
    project.makepyfile("def test_a(ultra_episode): pass\ndef test_b(ultra_episode): pass\ndef test_plain(): pass")
    project.runpytest(MODEL, *TEN, "-n2").assert_outcomes(passed=21)
    homes: dict[str, set[str]] = {}
    for nodeid, worker in reported(project):
        homes.setdefault(nodeid.partition("[")[2], set()).add(worker)
    del homes[""]
    assert all(len(workers) == 1 for workers in homes.values())
    assert Counter(worker for workers in homes.values() for worker in workers) == {"gw0": 5, "gw1": 5}


def test_tests_without_a_case_are_distributed_as_by_xdist(project: pytest.Pytester) -> None:
    project.makepyfile(
        "import pytest\n"
        "@pytest.mark.parametrize('n', range(40))\n"
        "def test_plain(n): pass\n"
        "def test_mine(ultra_episode): pass"
    )
    one = ("--ultra-prompt-type=cot", "--ultra-task-type=simple_task")
    project.runpytest(MODEL, *one, "-n2").assert_outcomes(passed=41)
    share = Counter(worker for _, worker in reported(project))
    assert len(share) == 2
    assert max(share.values()) < 35


@pytest.mark.parametrize(("args", "workers"), [(("-n1",), 1), (("-n4", "--maxprocesses=3"), 2)])
def test_every_test_runs_once_however_many_workers_there_are(
    project: pytest.Pytester, args: tuple[str, ...], workers: int
) -> None:
    project.makepyfile("def test_mine(ultra_episode): pass")
    two = ("--ultra-prompt-type=baseline,cot", "--ultra-task-type=simple_task")
    project.runpytest(MODEL, *two, *args).assert_outcomes(passed=2)
    assert len({worker for _, worker in reported(project)}) == workers


CRASHING = """
    import os, pathlib, signal

    def test_mine(ultra_episode, request):
        mark = pathlib.Path("crashed-" + request.node.callspec.id)
        if "missing_step" in mark.name and (CRASHES == "always" or not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def test_plain(): pass
"""


def test_the_replacement_of_a_crashed_worker_runs_the_rest_and_each_test_counts_once(project: pytest.Pytester) -> None:
    project.makepyfile(CRASHING.replace("CRASHES", "'once'"))
    result = project.runpytest(MODEL, *TEN, "-n2")
    result.assert_outcomes(passed=11)
    result.stdout.fnmatch_lines("replacing crashed worker gw1")
    counts = Counter(nodeid for nodeid, _ in reported(project))
    assert len(counts) == 11
    assert set(counts.values()) == {1}
    assert {worker for _, worker in reported(project)} == {"gw0", "gw1", "gw2"}


def test_a_case_that_crashes_its_worker_twice_is_quarantined_and_the_rest_is_run(project: pytest.Pytester) -> None:
    project.makepyfile(CRASHING.replace("CRASHES", "'always'"))
    result = project.runpytest(MODEL, *TEN, "-n2")
    result.assert_outcomes(passed=10, errors=1)
    result.stdout.fnmatch_lines("quarantined: 2 workers crashed while running it, most recently gw2")


def test_the_limit_on_restarts_is_kept(project: pytest.Pytester) -> None:
    project.makepyfile(CRASHING.replace("CRASHES", "'once'"))
    result = project.runpytest(MODEL, *TEN, "-n2", "--max-worker-restart=0")
    result.stdout.fnmatch_lines("*worker gw1 crashed and worker restarting disabled*")
    assert len(reported(project)) < 11


def test_a_worker_that_crashes_before_it_gets_tests_is_replaced_too(project: pytest.Pytester) -> None:
    project.makeconftest(
        LOGGING
        + """
    def pytest_collection_finish(session):
        if os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
            os._exit(3)
    """
    )
    project.makepyfile("def test_mine(ultra_episode): pass")
    project.runpytest(MODEL, *TEN, "-n2").assert_outcomes(passed=10)
    assert Counter(worker for _, worker in reported(project)) == {"gw1": 5, "gw2": 5}


def test_a_worker_that_crashes_just_before_it_gets_tests_is_replaced_too(project: pytest.Pytester) -> None:
    """Both workers have collected; the controller sends their cases when it can see only that the first is gone."""
    project.makeconftest(
        LOGGING
        + """
    import time
    NODES = []

    def pytest_xdist_node_collection_finished(node):
        NODES.append(node)
        if len(NODES) == 2:
            next(each for each in NODES if each.gateway.id == "gw0").gateway._io.popen.wait()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(session):
        worker = os.environ.get("PYTEST_XDIST_WORKER")
        if worker == "gw1":
            pathlib.Path("collected").touch()
        while worker == "gw0":
            time.sleep(0.01)
            if pathlib.Path("collected").exists():
                os._exit(3)
    """
    )
    project.makepyfile("def test_mine(ultra_episode): pass\ndef test_plain(): pass")
    project.runpytest(MODEL, *TEN, "-n2").assert_outcomes(passed=11)
    cases = Counter(worker for nodeid, worker in reported(project) if "[" in nodeid)
    assert cases == {"gw1": 5, "gw2": 5}


def test_collections_that_differ_are_xdists_usual_error(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import os

        def test_mine(ultra_episode): pass

        if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
            def test_more(ultra_episode): pass
        """
    )
    result = project.runpytest(MODEL, *TEN, "-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("Different tests were collected between gw? and gw?*")


def test_a_replacement_that_collects_other_tests_is_an_error(project: pytest.Pytester) -> None:
    project.makepyfile(
        CRASHING.replace("CRASHES", "'once'")
        + """
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw2":
        def test_more(ultra_episode): pass
    """
    )
    result = project.runpytest(MODEL, *TEN, "-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("gw2 replaces a crashed worker but collected other tests: its cases are not run")


COST = (
    "a worker gets its tests one by one and runs one episode at a time; without it, all episodes of a worker run "
    "concurrently"
)


@pytest.mark.parametrize(
    ("arg", "name"), [("--dist=load", "--dist load"), ("-d", "--dist load"), ("--dist=worksteal", "--dist worksteal")]
)
def test_another_dist_is_respected_and_its_cost_reported(project: pytest.Pytester, arg: str, name: str) -> None:
    project.makepyfile("def test_mine(ultra_episode): pass")
    result = project.runpytest(MODEL, *TEN, "-n2", arg, "-v")
    result.assert_outcomes(passed=10)
    result.stdout.no_fnmatch_line("*ShardScheduling*")
    result.stdout.fnmatch_lines(f"ultra: with {name}, {COST}")


def test_dist_no_keeps_our_scheduler(project: pytest.Pytester) -> None:
    project.makepyfile("def test_mine(ultra_episode): pass")
    result = project.runpytest(MODEL, *TEN, "-n2", "--dist=no", "-v")
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines("scheduling tests via ShardScheduling")


def test_the_users_own_scheduler_is_respected_and_its_cost_reported(project: pytest.Pytester) -> None:
    project.makeconftest(
        LOGGING
        + """
    @pytest.hookimpl
    def pytest_xdist_make_scheduler(config, log):
        from xdist.scheduler import LoadFileScheduling
        return LoadFileScheduling(config, log)
    """
    )
    project.makepyfile("def test_mine(ultra_episode): pass")
    result = project.runpytest(MODEL, *TEN, "-n2", "-v")
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines("scheduling tests via LoadFileScheduling")
    result.stdout.fnmatch_lines(f"ultra: with the scheduler of *conftest.py, {COST}")


def test_xdist_is_found_if_it_is_loaded_by_name(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    project.makepyfile("def test_a(ultra_episode): pass")
    by_name = ("-p", "xdist.plugin", "-p", "pytest_ultra.plugin")
    project.runpytest_subprocess(*by_name, MODEL, *TEN, "-n2").assert_outcomes(passed=10)
    assert Counter(worker for _, worker in reported(project)) == {"gw0": 5, "gw1": 5}
