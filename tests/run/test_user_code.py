"""A user's own tests, agents and hooks: what they replace, what they receive, and what they never start."""

from __future__ import annotations

import json
import re

import pytest

from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, Project

USER_TESTS = """
    def test_mine(ultra_episode):
        assert ultra_episode.passed
        assert ultra_episode.outcome == "full"
        assert ultra_episode.score.tool_calls >= ultra_episode.score.reference_calls > 0
        assert ultra_episode.case.task_type == "simple_task"
        assert ultra_episode.transcript
        assert "simple_task" in ultra_episode.explain()
        ultra_episode.assert_passed()

    def test_plain():
        pass
"""


def test_a_user_test_replaces_the_suite(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makepyfile(test_own=USER_TESTS)
    project.run(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES).assert_outcomes(passed=11)
    episodes = project.episodes()
    assert len(episodes) == 10
    assert all(episode["nodeid"].startswith("test_own.py::test_mine[demo/perfect-") for episode in episodes)


def test_a_failed_user_assertion_does_not_change_the_outcome_of_the_episode(project: Project) -> None:
    project.pytester.makepyfile(test_own="def test_mine(ultra_episode): assert ultra_episode.score.tool_calls == 99")
    project.run(*NO_XDIST, "--ultra-model=demo/perfect", *ONE_CASE).assert_outcomes(failed=1)
    assert dict(project.outcomes()) == {"full": 1}, "the assertion does not change the score"


def test_tests_of_one_case_share_its_episode(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makepyfile("def test_a(ultra_episode): pass\ndef test_b(ultra_episode): pass")
    project.run(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES).assert_outcomes(passed=20)
    assert len(project.journaled_episodes()) == len(project.episodes()) == 10


@pytest.mark.parametrize(
    "args",
    [(*NO_XDIST, "test_plain.py"), ("-n2", "test_plain.py::test_plain"), (*NO_XDIST, "-k", "test_plain")],
    ids=["path", "n2-nodeid", "k"],
)
def test_plain_tests_never_start_a_benchmark(project: Project, args: tuple[str, ...]) -> None:
    project.pytester.makepyfile(test_plain="def test_plain(): pass")
    result = project.run(*args, "--ultra-model=demo/perfect")
    assert result.parseoutcomes()["passed"] == 1
    assert project.runs() == []
    assert not (project.path / "out.json").exists()
    assert "planned" not in result.stdout.str()


AGENT = """
    from pytest_ultra.core.transcript import Reply

    class Agent:
        async def attempt(self, request):
            return Reply(text=f"I am {request.case.model}.", prompt_tokens=3, completion_tokens=4)

        async def aclose(self):
            open("closed.txt", "w").close()

    def pytest_ultra_endpoint(config, settings):
        return Agent() if "my/agent" in settings.model else None
"""


def test_an_endpoint_from_a_hook_serves_a_model_of_any_name(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makeconftest(AGENT)
    project.run(*xdist_on_off, "--ultra-model=my/agent", TEN_CASES).assert_outcomes(failed=10)
    journaled = project.journaled_episodes()
    assert len(journaled) == 10
    assert "I am my/agent." in json.dumps(journaled[0]["transcript"])
    assert {(episode["prompt_tokens"], episode["requests"]) for episode in project.episodes()} == {(3, 1)}
    assert (project.path / "closed.txt").exists()
    assert project.processes() == []


def test_an_endpoint_hook_that_returns_none_changes_nothing(project: Project) -> None:
    project.pytester.makeconftest(AGENT)
    project.run(*NO_XDIST, "--ultra-model=demo/perfect", *ONE_CASE).assert_outcomes(passed=1)


def test_items_of_an_unknown_provider_are_errors_when_the_endpoint_hook_returns_none(
    project: Project,
) -> None:
    project.pytester.makeconftest("def pytest_ultra_endpoint(): return None")
    result = project.run(*NO_XDIST, "--ultra-model=acme/large", *ONE_CASE)
    result.assert_outcomes(errors=1)
    assert "There is no provider 'acme'" in result.stdout.str()


PLANNER = """
    def pytest_ultra_workflow(task):
        if task.key.instance == 0:
            raise ValueError("no plan for the first task")
"""


def test_a_planner_that_fails_for_the_first_task_fails_only_the_tests_of_that_task(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.pytester.makeconftest(PLANNER)
    cases = ("--ultra-task-type=simple_task", "--ultra-prompt-type=baseline,cot,optimal", "--ultra-instances=4")
    result = project.run(*xdist_on_off, "--ultra-model=demo/perfect", *cases, "-v")
    result.assert_outcomes(passed=9, errors=3)
    assert result.stdout.str().count("conftest.py:3: ValueError") == 3
    result.stdout.fnmatch_lines("the run was interrupted: * could not generate a task: no plan for the first task; *")


HOOKS = """
    import os

    def pytest_runtest_setup(item):
        with open("hooks.txt", "a") as file:
            print(item.nodeid, item.get_closest_marker("ultra").kwargs["prompt_type"], file=file)
"""


def test_hooks_of_the_project_conftest_apply_to_the_suite(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makeconftest(HOOKS)
    project.run(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES).assert_outcomes(passed=10)
    lines = [line.split() for line in (project.path / "hooks.txt").read_text().splitlines()]
    assert len(lines) == 10
    assert all(f"-{prompt_type}-" in nodeid for nodeid, prompt_type in lines)


@pytest.mark.parametrize("args", [(*NO_XDIST, "-p", "no:cacheprovider"), ("-n2",)], ids=["no-xdist", "n2"])
def test_a_rerun_is_a_new_episode(project: Project, args: tuple[str, ...]) -> None:
    cases = "--ultra-prompt-type=optimal,cot", "--ultra-task-type=simple_task"
    result = project.run(
        *args, "--ultra-model=demo/null", *cases, "-p", "rerunfailures", "--reruns=2", "--junitxml=junit.xml"
    )
    assert result.parseoutcomes() == {"failed": 2, "rerun": 4}
    assert sorted(project.episode_counts().values()) == [3, 3]
    assert dict(project.outcomes()) == {"failed": 2}
    newest = {episode["nodeid"]: episode["started_at"] for episode in project.episodes()}
    assert all(episode["started_at"] <= newest[episode["nodeid"]] for episode in project.journaled_episodes())
    assert (project.path / "junit.xml").read_text().count("PROPERTY|ultra_outcome=") == 6, "one for each episode"


def test_a_partial_outcome_passes_only_with_ultra_pass_partial(project: Project) -> None:
    cases = ("--ultra-task-type=multi_stage_pipeline", "--ultra-prompt-type=optimal", "--ultra-instances=8")
    too_few_turns = ("--ultra-model=demo/perfect", *cases, "--ultra-tool-success-rate=1", "--ultra-max-turns=5")
    strict = project.run(*NO_XDIST, *too_few_turns)
    counts = project.outcomes()
    assert counts["partial"] > 0
    assert strict.parseoutcomes().get("passed", 0) == counts["full"]
    lenient = project.run(*NO_XDIST, *too_few_turns, "--ultra-pass=partial")
    assert lenient.parseoutcomes()["passed"] == counts["full"] + counts["partial"]


HOSTILE_AGENT = """
    from pytest_ultra.core.transcript import Reply

    HOSTILE = "a\\r::stop-commands::x\\n::error::y\\x1b[2J and ##[add-mask]z"

    class Agent:
        async def attempt(self, request):
            if request.case.repeat == 0:
                raise RuntimeError(HOSTILE)
            return Reply(text=HOSTILE)

        async def aclose(self):
            raise RuntimeError(HOSTILE)

    def pytest_ultra_endpoint(config, settings):
        return Agent()
"""
HOSTILE_TEST = """
    import pytest

    def test_mine(ultra_episode):
        (text,) = (event.reply.text for event in ultra_episode.transcript if hasattr(event, "reply"))
        print("\\x1b[31min red\\x1b[0m", text)
        if ultra_episode.case.repeat == 1:
            pytest.skip(text)
        assert text == "", text
"""


@pytest.mark.parametrize("is_own_test", [False, True], ids=["suite", "own"])
def test_no_text_of_a_model_or_an_agent_is_a_command_to_a_terminal_or_to_github(
    project: Project, xdist_on_off: tuple[str, ...], *, is_own_test: bool
) -> None:
    project.pytester.makeconftest(HOSTILE_AGENT)
    if is_own_test:
        project.pytester.makepyfile(test_own=HOSTILE_TEST)
    args = ("--ultra-model=a\x1b[2J##[error]", *ONE_CASE, "--ultra-repeats=3", "-rA", "-vv", "--log-level=DEBUG")
    result = project.run(*xdist_on_off, *args, "--junitxml=junit.xml", "--ultra-markdown=summary.md")
    files = [(project.path / name).read_text() for name in ("junit.xml", "summary.md")]  # jobs print them into logs
    output = "\n".join([result.stdout.str(), result.stderr.str(), *files])
    outcomes = {"errors": 1, "failed": 1, "skipped": 1} if is_own_test else {"errors": 1, "failed": 2}
    assert result.parseoutcomes() == outcomes
    assert "x3a:stop-commands::x" in output
    assert "x23#[add-mask]z" in output
    for command in ("##[", "\x1b[2J"):
        assert command not in output
    assert not is_own_test or "\x1b[31min red\x1b[0m a" in output, "harmless colours are kept"
    assert not [line for line in re.split(r"[\r\n]+", output) if re.match(r"(E?\s*|.*a)::", line)]
