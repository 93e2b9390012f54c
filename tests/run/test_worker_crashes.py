"""Workers start together and may crash at any time: each workflow is generated once, each case is scored once."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from tests.run.project import NO_XDIST, TEN_CASES, Project, wait_until

PLANNER = """
    import os, pathlib, signal, time

    from pytest_ultra.benchmark.planner import plan

    def pytest_ultra_workflow(task, tool_success_rate, max_turns):
        with open("made.txt", "a") as made:
            print(os.getpid(), task.key.task_type, task.key.instance, file=made)
        marker = pathlib.Path("killed")
        if IS_CRASHING and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)
        return plan(task, tool_success_rate, max_turns)
"""


def generated_workflows(project: Project) -> tuple[set[str], Counter[str]]:
    """Return the processes that generated workflows, and how often each workflow was generated."""
    lines = [line.split(maxsplit=1) for line in (project.path / "made.txt").read_text().splitlines()]
    return {pid for pid, _ in lines}, Counter(task for _, task in lines)


def test_four_workers_that_start_together_generate_each_workflow_once(project: Project) -> None:
    project.pytester.makeconftest(PLANNER.replace("IS_CRASHING", "False"))
    project.run("-n4", "--ultra-model=demo/perfect", "--ultra-prompt-type=optimal,flawed", "--ultra-instances=2")
    assert dict(project.outcomes()) == {"full": 80}
    assert {episode["worker"] for episode in project.episodes()} == {"gw0", "gw1", "gw2", "gw3"}
    _, tasks = generated_workflows(project)
    assert len(tasks) == 10
    assert set(tasks.values()) == {1}
    assert len(list(project.runs()[0].glob("guidance/*.json"))) == 10


def test_a_run_finishes_when_the_process_that_holds_the_lock_is_killed(project: Project) -> None:
    project.pytester.makeconftest(PLANNER.replace("IS_CRASHING", "True"))
    result = project.run("-n2", "--ultra-model=demo/perfect", "--ultra-task-type=simple_task,basic_task")
    assert result.ret == 0
    assert dict(project.outcomes()) == {"full": 20}
    pids, tasks = generated_workflows(project)
    assert len(pids) == 3  # the killed worker, its replacement, and the other one
    assert sorted(tasks.values()) == [1, 2]


def test_a_killed_worker_is_replaced_and_each_case_is_scored_once(project: Project) -> None:
    args = ("--ultra-model=demo/perfect?latency=0.1", "--ultra-concurrency=2")
    started = project.start("-n2", *args, "--ultra-task-type=simple_task,basic_task")
    wait_until(lambda: len({episode["worker"] for episode in project.journaled_episodes()}) == 2)
    os.kill(project.workers()[0], signal.SIGKILL)
    assert started.wait(60) == 0
    assert "replacing crashed worker gw" in started.text
    assert "20 passed" in started.text
    assert dict(project.outcomes()) == {"full": 20}
    assert {episode["worker"] for episode in project.episodes()} == {"gw0", "gw1", "gw2"}
    assert set(project.episode_counts().values()) == {1}
    assert len(project.journaled_episodes()) == 20


def test_an_episode_is_not_run_again_when_its_test_kills_the_worker(project: Project) -> None:
    project.pytester.makepyfile(
        """
        import os, pathlib, signal

        def test_mine(ultra_episode):
            marker = pathlib.Path("killed-" + ultra_episode.case.prompt_type)
            if ultra_episode.case.prompt_type == "cot" and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    project.run("-n2", "--ultra-model=demo/perfect", TEN_CASES).assert_outcomes(passed=10)
    assert dict(project.outcomes()) == {"full": 10}
    assert set(project.episode_counts().values()) == {1}
    assert len(project.journaled_episodes()) == 10


def test_a_case_whose_result_has_come_is_not_run_again_when_its_teardown_kills_the_worker(project: Project) -> None:
    project.pytester.makepyfile(
        """
        import os, pathlib, signal, pytest

        @pytest.fixture
        def fatal_teardown(ultra_episode):
            yield
            marker = pathlib.Path("killed-" + ultra_episode.case.prompt_type)
            if ultra_episode.case.prompt_type == "cot" and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        def test_mine(fatal_teardown, ultra_episode):
            with open("ran.txt", "a") as ran:
                print(ultra_episode.case.prompt_type, file=ran)
        """
    )
    result = project.run("-n2", "--ultra-model=demo/perfect", TEN_CASES)
    assert "replacing crashed worker" in result.stdout.str()
    result.assert_outcomes(passed=10)
    ran = (project.path / "ran.txt").read_text().split()
    assert len(ran) == 10
    assert len(set(ran)) == 10


UNCOLLECTED = """
    import os, signal

    def pytest_collection_modifyitems(config, items):
        if hasattr(config, "workerinput") and config.workerinput["workerid"] == "gw2":
            del items[0]

    def pytest_runtest_setup(item):
        if os.environ["PYTEST_XDIST_WORKER"] == "gw0":
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("args", [(), ("--max-worker-restart=0",)], ids=["replacement", "no-replacement"])
def test_a_run_whose_cases_nobody_took_over_is_resumed(project: Project, args: tuple[str, ...]) -> None:
    project.pytester.makeconftest(UNCOLLECTED)
    arguments = "--ultra-model=demo/perfect", "--ultra-task-type=simple_task,basic_task"
    result = project.run("-n2", *arguments, *args)
    assert result.ret != 0
    result.stdout.fnmatch_lines_random(
        "the run was interrupted: 10 of its 20 tests were not run; the next run resumes it"
    )
    (project.path / "conftest.py").unlink()
    project.run(*NO_XDIST, *arguments).assert_outcomes(passed=20)
    assert dict(project.outcomes()) == {"full": 20}
    assert set(project.episode_counts().values()) == {1}


CRASHING_ENDPOINT = """
    import os, signal
    from pytest_ultra.core.transcript import Reply

    class Agent:
        async def attempt(self, request):
            import asyncio
            await asyncio.sleep(0.3)
            if request.case.prompt_type == "flawed_tool_misuse":
                with open("died.txt", "a") as died:
                    print("died", file=died)
                os.kill(os.getpid(), signal.SIGKILL)
            return Reply("Done.")

        async def aclose(self):
            pass

    def pytest_ultra_endpoint(config, settings):
        return Agent()
"""


def test_only_the_case_that_kills_its_worker_twice_is_quarantined(project: Project) -> None:
    project.pytester.makeconftest(CRASHING_ENDPOINT)
    result = project.run("-n2", "--ultra-model=mine", TEN_CASES)
    result.assert_outcomes(failed=9, errors=1)
    result.stdout.fnmatch_lines("quarantined: 2 workers crashed while running it, most recently gw?")
    assert (project.path / "died.txt").read_text() == "died\n" * 2
    (broken,) = [episode for episode in project.episodes() if episode["outcome"] == "error"]
    assert (broken["prompt_type"], broken["failure_class"]) == ("flawed_tool_misuse", "harness")
    assert broken["error"].startswith("quarantined: 2 workers crashed")
    assert dict(project.outcomes()) == {"failed": 9, "error": 1}
