"""Own agents in whole runs: they score as the models behind them, fail for themselves, and hold up no run."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.run import example_agents
from tests.run.project import NO_XDIST, ONE_CASE, Project

TWO_KINDS = ("--ultra-task-type=basic_task", "--ultra-prompt-type=optimal,flawed_semantic_drift,flawed_missing_step")
JOB = ("--ultra-task-type=data_pipeline", "--ultra-prompt-type=optimal")
KEY = "sk-0123456789abcdef"
SAME = (
    "outcome",
    "failure_class",
    "turns",
    "tool_calls",
    "prompt_tokens",
    "completion_tokens",
    "random_faults",
    "cost",
)


@pytest.fixture
def agents(project: Project) -> Project:
    """A project with the example agents."""
    shutil.copy(example_agents.__file__, project.path)
    return project


def of_model(project: Project, model: str) -> dict[str, dict[str, Any]]:
    """Return what is to be the same for an agent and the model behind it, by prompt type."""
    found = [episode for episode in project.episodes() if episode["model"] == model]
    return {episode["prompt_type"]: {name: episode[name] for name in SAME} for episode in found}


LOOPS = ("loop", "async_loop", "with_threads", "over_mcp")


def test_an_agent_scores_as_the_model_behind_it(agents: Project, xdist_on_off: tuple[str, ...]) -> None:
    names = [
        f"{model}-{loop}=example_agents:{loop}@demo/{model}" for loop in LOOPS for model in ("follower", "perfect")
    ]
    models = "--ultra-model=demo/follower,demo/perfect"
    agents.run(*xdist_on_off, f"--ultra-agent={','.join(names)}", models, *TWO_KINDS)
    obeying, able = (of_model(agents, model) for model in ("demo/follower", "demo/perfect"))
    assert len(obeying) == len(able) == 3
    for loop in LOOPS:
        assert of_model(agents, f"follower-{loop}") == obeying
        assert of_model(agents, f"perfect-{loop}") == able
    assert {episode["outcome"] for episode in able.values()} == {"full"}
    assert obeying["flawed_semantic_drift"]["outcome"] == "failed"


def test_the_table_names_agents_like_models(agents: Project) -> None:
    result = agents.run(*NO_XDIST, "--ultra-agent=example_agents:loop@demo/perfect", *ONE_CASE)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*example_agents:loop@demo/perfect*"])
    (nodeid,) = (episode["nodeid"] for episode in agents.episodes())
    assert nodeid.endswith("[example_agents:loop@demo/perfect-optimal-simple_task-easy-0]")
    with closing(sqlite3.connect(agents.path / ".ultra" / "results.sqlite")) as store:
        found = store.execute("SELECT model FROM provenance JOIN results USING (run_id, model)").fetchall()
    assert found == [("example_agents:loop@demo/perfect",)], "stored under one name"
    agents.run(*NO_XDIST, "--ultra-agent=example_agents:loop@demo/perfect", *ONE_CASE, nodeid).assert_outcomes(passed=1)


def test_an_exception_is_a_scored_failure_with_its_traceback(agents: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = agents.run(*xdist_on_off, "--ultra-agent=a=example_agents:crash", *ONE_CASE)
    result.assert_outcomes(failed=1)
    assert [(e["outcome"], e["failure_class"], e["error"]) for e in agents.episodes()] == [
        ("failed", "agent_error", None)
    ]
    result.stdout.fnmatch_lines(["*agent_error: the agent raised an exception*", "*ValueError: I cannot do this with*"])


def test_an_exception_after_the_job_is_done_is_a_failure_too(agents: Project) -> None:
    agents.run(*NO_XDIST, "--ultra-agent=a=example_agents:deliver_and_crash@demo/perfect", *JOB)
    (episode,) = agents.episodes()
    assert (episode["outcome"], episode["failure_class"], episode["milestone_coverage"]) == ("failed", "agent_error", 1)


@pytest.mark.parametrize(
    ("agent", "failure_class", "message"),
    [
        ("lose_connection", "endpoint", "ConnectionResetError: by the provider"),
        ("exceed_limits", "rate_limit", "TooManyRequestsError: slow down"),
        ("loop", "harness", "no model is behind the agent 'a': add one, as in --ultra-agent example_agents:loop@demo"),
    ],
)
def test_what_is_not_the_agents_failure_is_an_error(
    agents: Project, agent: str, failure_class: str, message: str
) -> None:
    result = agents.run(*NO_XDIST, f"--ultra-agent=a=example_agents:{agent}", *ONE_CASE)
    result.assert_outcomes(errors=1)
    (episode,) = agents.episodes()
    assert (episode["outcome"], episode["failure_class"]) == ("error", failure_class)
    assert message in episode["error"]


def test_tokens_that_nobody_reports_are_unknown(agents: Project) -> None:
    result = agents.run(*NO_XDIST, "--ultra-agent=a=example_agents:say_nothing", *ONE_CASE)
    (episode,) = agents.episodes()
    names = ("prompt_tokens", "completion_tokens", "cached_tokens", "cost")
    assert {name: episode[name] for name in names} == dict.fromkeys(names)
    result.stdout.fnmatch_lines(["*tokens unknown*"])


def test_tokens_that_an_agent_reports_are_added_up(agents: Project) -> None:
    agents.run(*NO_XDIST, "--ultra-agent=a=example_agents:look", *ONE_CASE)
    (episode,) = agents.episodes()
    assert (episode["prompt_tokens"], episode["completion_tokens"], episode["cost"]) == (101, 20, 0.5)


def test_calls_that_are_made_at_once_are_one_turn(agents: Project) -> None:
    agents.run(*NO_XDIST, "--ultra-agent=a=example_agents:look", *ONE_CASE)
    (episode,) = agents.journaled_episodes()
    calls = [(e["turn"], e["arguments"]) for e in episode["transcript"] if e["type"] == "tool"]
    assert calls == [(1, {}), (1, {"other": "none"}), (2, {})]
    assert episode["score"]["turns"] == 3


def test_agents_that_hang_hold_up_neither_the_others_nor_the_exit(
    agents: Project, xdist_on_off: tuple[str, ...]
) -> None:
    hanging = ("hang", "hang_in_pool", "block_loop", "ignore_cancellation")
    names = ",".join(
        [*(f"{agent}=example_agents:{agent}" for agent in hanging), "able=example_agents:loop@demo/perfect"]
    )
    options = (f"--ultra-agent={names}", "--ultra-timeout=2", *ONE_CASE)
    started = time.monotonic()
    result = agents.run_in_own_process(*xdist_on_off, *options)
    result.assert_outcomes(passed=1, failed=4)
    outcomes = {episode["model"]: (episode["outcome"], episode["failure_class"]) for episode in agents.episodes()}
    assert outcomes == dict.fromkeys(hanging, ("failed", "agent_timeout")) | {"able": ("full", None)}
    tests_s = float(re.findall(r" in ([\d.]+)s", result.stdout.str())[-1])
    assert time.monotonic() - started - tests_s < 5 + 3  # the interpreter's start is in it too


def test_an_interrupted_run_does_not_wait_for_its_agents(agents: Project) -> None:
    command = agents.start(*NO_XDIST, "--ultra-agent=a=example_agents:hang", *ONE_CASE)
    try:
        agents_started(agents)
        command.interrupt()
        command.wait(within_s=8)
    finally:
        command.end()


def agents_started(project: Project) -> None:
    end = time.monotonic() + 40
    while not (project.runs() and list(project.runs()[-1].glob("started-*"))):
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.5)


def test_a_call_after_the_end_is_refused(agents: Project) -> None:
    test = "import time\ndef test_it(ultra_episode):\n    time.sleep(1)\n"
    (agents.path / "test_it.py").write_text(test)
    agents.run(*NO_XDIST, "--ultra-agent=a=example_agents:go_on", *ONE_CASE).assert_outcomes(passed=1)
    assert (agents.path / "notes.txt").read_text().endswith(" ended\n")


def test_the_rules_of_an_episode_hold_for_agents(agents: Project) -> None:
    agents.run(*NO_XDIST, "--ultra-agent=a=example_agents:repeat", *ONE_CASE)
    (episode,) = agents.episodes()
    assert (episode["failure_class"], episode["tool_calls"], episode["turns"]) == ("gave_up", 3, 3)
    agents.run(*NO_XDIST, "--ultra-agent=a=example_agents:loop@demo/perfect", "--ultra-max-turns=1", *ONE_CASE)


def test_a_turn_has_a_limited_number_of_calls(agents: Project) -> None:
    agents.run(*NO_XDIST, "--ultra-agent=a=example_agents:flood", *ONE_CASE)
    (episode,) = agents.journaled_episodes()
    assert episode["score"]["tool_calls"] == 129
    (last,) = (event["reply"]["text"] for event in episode["transcript"][-2:] if event["type"] == "reply")
    codes = json.loads(last)
    assert (len(codes), set(codes[:128]) & {"MALFORMED_CALL"}, set(codes[128:])) == (300, set(), {"MALFORMED_CALL"})


def test_no_secret_of_an_agent_is_stored_or_shown(agents: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    result = agents.run(*NO_XDIST, "--ultra-agent=a=example_agents:leak", *ONE_CASE)
    result.assert_outcomes(failed=1)
    (episode,) = agents.episodes()
    assert (episode["failure_class"], episode["tool_calls"]) == ("agent_error", 2)
    assert KEY not in result.stdout.str()
    files = [path for path in agents.path.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


def test_an_agent_from_the_hook_or_the_fixture(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makeconftest("""
        import pytest

        def pytest_ultra_agent(config, name):
            return (lambda task: "From the hook.") if name == "hooked" else None

        @pytest.fixture(scope="session")
        def ultra_agent():
            return {"fixed": lambda task: "From the fixture."}
    """)
    project.run(*xdist_on_off, "--ultra-agent=hooked,fixed,named=fixed", *ONE_CASE)
    words = {
        episode["case"]["model"]: [
            event["reply"]["text"] for event in episode["transcript"] if event["type"] == "reply"
        ]
        for episode in project.journaled_episodes()
    }
    assert words == {"hooked": ["From the hook."], "fixed": ["From the fixture."], "named": ["From the fixture."]}


def test_a_name_that_nothing_can_resolve_is_a_usage_error(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = project.pytester.runpytest(*xdist_on_off, "--ultra-agent=my_agent", *ONE_CASE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (error,) = (line for line in result.errlines if line.startswith("ERROR: "))
    assert "there is no agent 'my_agent'; name a function, as in my_app.agent:solve, or return it from" in error
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert project.runs() == []


def test_a_name_that_the_fixture_lacks_is_an_error_of_each_case(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def ultra_agent():
            return {"solver": lambda task: "Done."}
    """)
    result = project.run(*xdist_on_off, "--ultra-agent=my_agent", *ONE_CASE)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "--ultra-agent: there is no agent 'my_agent'; * (the fixture returns 'solver')",
            "1 planned: 0 scored (0 full, 0 partial, 0 failed), 1 error, 0 skipped",
            "the run was interrupted: the episodes could not start (--ultra-agent: *); no case was started",
        ]
    )
    result.stdout.no_fnmatch_line("*def ultra_episode*")
    assert project.outcomes() == {"error": 1}


def test_a_broken_fixture_keeps_its_traceback(project: Project) -> None:
    project.pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def ultra_agent():
            raise ValueError("no database")
    """)
    result = project.run(*NO_XDIST, "--ultra-agent=my_agent", *ONE_CASE)
    result.stdout.fnmatch_lines([">*raise ValueError(*", "E*ValueError: no database"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ultra-agent=no_such_module:solve"], "there is no module 'no_such_module'"),
        (["--ultra-agent=example_agents:solve"], "example_agents has no 'solve'; it has *loop*"),
        (["--ultra-agent=example_agents:asyncio"], "is no function but a module"),
        (["--ultra-agent=pathlib:Path"], "is no function but a class"),
        (["--ultra-agent=operator:add"], "cannot be called with the task alone (missing a required argument: 'b')"),
        (["--ultra-agent=ast:walk"], "is a generator: it yields instead of returning"),
        (["--ultra-agent=1"], "'1' is not an agent; give [[]NAME=]MODULE:ATTR[[]@MODEL]"),
        (["--ultra-agent=a=m:f,a=m:g"], "'a' names two agents; give each a name of its own, as in other=m:g"),
        (["--ultra-agent=demo=m:f", "--ultra-model=demo"], "'demo' is also the name of a model"),
        (["--ultra-agent=m:f", "--ultra-tool-protocol=text"], "--ultra-tool-protocol=text is for models"),
        (["--ultra-agent=m:f", "--ultra-tool-discovery=on"], "--ultra-tool-discovery is for models"),
        (["--ultra-agent=example_agents:loop@acme/x"], "There is no provider 'acme'"),
    ],
)
def test_a_bad_option_is_a_usage_error(agents: Project, options: list[str], message: str) -> None:
    result = agents.run(*NO_XDIST, *options, *ONE_CASE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{message}*"])
    assert not Path(agents.path / ".ultra").exists()


def test_options_for_models_alone_are_said_to_be(agents: Project) -> None:
    both = ("--ultra-agent=example_agents:loop@demo/perfect", "--ultra-model=demo/perfect")
    result = agents.run(*NO_XDIST, *both, "--ultra-tool-protocol=text", "--ultra-tool-discovery=on", *ONE_CASE)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "ultra: --ultra-tool-discovery is for models alone: example_agents:loop@demo/perfect gets all tools *",
            "ultra: --ultra-tool-protocol=text is for models alone: example_agents:loop@demo/perfect gets all tools *",
        ]
    )
    shown = {
        episode["model"]: (episode["tool_protocol"], episode["has_tool_discovery"]) for episode in agents.episodes()
    }
    assert shown == {"demo/perfect": ("text", True), "example_agents:loop@demo/perfect": ("native", False)}


def test_a_plan_says_what_is_not_known_of_an_agent(agents: Project) -> None:
    result = agents.pytester.runpytest_inprocess(
        *NO_XDIST, "--ultra-agent=a=example_agents:hang,b=example_agents:loop@demo", "--ultra-plan", *ONE_CASE
    )
    result.stdout.fnmatch_lines(["ultra: cost: unknown (what the agent a uses is only known afterwards)"])


def test_the_models_behind_agents_can_be_checked_and_agents_without_one_cannot(agents: Project) -> None:
    agents.pytester.makeini("[pytest]\nultra_agent = example_agents:loop@demo")
    result = agents.pytester.run(sys.executable, "-m", "pytest_ultra", "check")
    result.stderr.fnmatch_lines(["*demo: demo models are served by the run itself; there is nothing to check"])
    agents.pytester.makeini("[pytest]\nultra_agent = example_agents:loop")
    result = agents.pytester.run(sys.executable, "-m", "pytest_ultra", "check")
    result.stderr.fnmatch_lines(["*no model is named; write pytest-ultra check NAME"])
