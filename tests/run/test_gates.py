"""Gates decide about a run: the words that they print and the exit code go together, in every situation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.run import preloaded  # noqa: F401 - for the sake of speed
from tests.run.running import NO_XDIST, ONE, TEN, Project
from tests.run.scripted import Asked, Script, Scripted, says

Start = Callable[[Script], Scripted]

PERFECT, FOLLOWER, MIXTURE = "--ultra-model=demo/perfect", "--ultra-model=demo/follower", "--ultra-model=demo"
THREE = (TEN, "--ultra-prompt-type=optimal,flawed_redundant_operations,flawed_tool_misuse")
"""Of which the follower does all but the last."""


@pytest.fixture(scope="module")
def baseline_of_perfection(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A baseline of an agent that does everything."""
    folder = tmp_path_factory.mktemp("baseline")
    for command in (("pytest", *NO_XDIST, PERFECT, TEN), ("pytest_ultra", "baseline", "-o", "base.json")):
        subprocess.run([sys.executable, "-m", *command], cwd=folder, check=True)  # noqa: S603 - as a user does
    return (folder / "base.json").read_bytes()


@pytest.fixture
def baseline(project: Project, baseline_of_perfection: bytes) -> str:
    (project.path / "base.json").write_bytes(baseline_of_perfection)
    return "base.json"


def judge(project: Project, *args: str) -> pytest.RunResult:
    """Run in this process, which is faster; the document goes to out.json."""
    return project.pytester.runpytest(*NO_XDIST, "--ultra-json=out.json", *args)


def told(result: pytest.RunResult) -> list[str]:
    """Return the verdicts and the conclusion."""
    lines = [line for line in result.outlines if line.startswith("gate ") or ": exit code" in line]
    assert lines[-1].endswith(f": exit code {int(result.ret)}")
    return lines


def test_all_pass(project: Project, way: tuple[str, ...]) -> None:
    result = project.run(*way, PERFECT, TEN, "--ultra-fail-under=1", "--ultra-max-drop=0")
    assert result.ret == project.document()["run"]["exit_status"] == 0
    result.assert_outcomes(passed=10)
    assert told(result) == [
        "gate fail-under 1: 10 of 10 full, 100.0%, 95% interval 72.2-100.0, at least 100.0%: met",
        "gate max-drop 0: flawed_sequence_disorder: 0.0 points lost over 1 pair, at most 0 points: met",
        "gate max-errors 0: 0 errors, at most 0: met",
        "3 of 3 gates met: exit code 0",
    ]


def test_one_flaw_below_fails_the_run_and_its_case_is_expected_to(project: Project) -> None:
    gates = ("--ultra-fail-under=0.6", "--ultra-fail-under=flawed_tool_misuse=0.6", "--ultra-max-drop=flawed=0.5")
    result = project.run("-n2", FOLLOWER, *THREE, *gates, "-rx")
    assert result.ret == project.document()["run"]["exit_status"] == 1
    result.assert_outcomes(passed=2, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL *flawed_tool_misuse-simple_task-easy-0* - *failed"])
    assert told(result) == [
        "gate fail-under 0.6: 2 of 3 full, 66.7%, 95% interval 20.8-93.9, at least 60.0%: met",
        "gate fail-under flawed_tool_misuse=0.6: 0 of 1 full, 0.0%, 95% interval 0.0-79.3, at least 60.0%: MISSED",
        "gate max-drop flawed=0.5: 50.0 points lost over 2 pairs, at most 50 points: met",
        "gate max-errors 0: 0 errors, at most 0: met",
        "1 of 4 gates missed: exit code 1",
    ]


def test_a_loss_that_chance_explains_is_met(project: Project, baseline: str) -> None:
    result = judge(project, MIXTURE, TEN, f"--ultra-compare={baseline}")
    assert result.ret == 0
    result.assert_outcomes(passed=8, xfailed=2)
    assert told(result) == [
        "gate max-regression: 20.0 points lost over 10 pairs, no significant loss allowed: met",
        "gate max-errors 0: 0 errors, at most 0: met",
        "2 of 2 gates met: exit code 0",
    ]


def test_a_loss_that_chance_does_not_explain_is_missed(project: Project, baseline: str) -> None:
    result = judge(project, FOLLOWER, TEN, f"--ultra-compare={baseline}")
    assert result.ret == 1
    assert told(result) == [
        "gate max-regression: 80.0 points lost over 10 pairs, no significant loss allowed: MISSED",
        "gate max-errors 0: 0 errors, at most 0: met",
        "1 of 2 gates missed: exit code 1",
    ]


def test_a_regression_is_held_to_what_the_user_allows(project: Project, baseline: str) -> None:
    limits = ("0.2", "cot=0.5", "flawed=0.1")
    args = [f"--ultra-max-regression={limit}" for limit in limits]
    result = judge(project, MIXTURE, TEN, f"--ultra-compare={baseline}", *args)
    assert result.ret == 1
    assert told(result)[:3] == [
        "gate max-regression 0.2: 20.0 points lost over 10 pairs, at most 20 points: met",
        "gate max-regression cot=0.5: 0.0 points lost over 1 pair, at most 50 points: met",
        "gate max-regression flawed=0.1: 28.6 points lost over 7 pairs, at most 10 points: MISSED",
    ]


def test_an_earlier_run_is_compared_with_by_its_name(project: Project) -> None:
    judge(project, PERFECT, *ONE)
    run_id = project.runs()[0].name
    for name in (run_id, f".ultra/runs/{run_id}"):
        result = judge(project, FOLLOWER, *ONE, f"--ultra-compare={name}", "--ultra-max-regression=0")
        assert result.ret == 0
        assert told(result)[0] == "gate max-regression 0: 0.0 points lost over 1 pair, at most 0 points: met"


def test_the_latest_run_is_the_latest_that_came_to_its_end(project: Project) -> None:
    """Not the one that was cut off, which this run goes on with: it would be compared with itself."""
    judge(project, PERFECT, *ONE)
    judge(project, FOLLOWER, TEN, "--ultra-max-requests=1")
    ended, cut_off = (run.name for run in project.runs())
    result = judge(project, FOLLOWER, TEN, "--ultra-compare=latest")
    assert result.ret == 0
    assert cut_off in result.stdout.str(), "it was gone on with"
    result.stdout.fnmatch_lines([f"run * compared with {ended}", "  model: demo/perfect before, demo/follower now"])


def test_cases_that_were_not_compared_before_are_no_regression_and_no_success(project: Project, baseline: str) -> None:
    result = judge(project, PERFECT, "--ultra-instances=2", TEN, "-k", "1]", f"--ultra-compare={baseline}")
    assert result.ret == 1
    assert told(result)[0] == ("gate max-regression: no pair of scored cases, no significant loss allowed: MISSED")


def refuse(_asked: Asked) -> tuple[int, str]:
    return 401, '{"error": {"message": "no such key"}}'


def test_errors_fail_the_run_whatever_the_rates(project: Project, scripted: Start, extreme: tuple[str, ...]) -> None:
    server = scripted(refuse)
    result = project.run(*extreme, "--ultra-model=m", f"--ultra-base-url={server.url}", *ONE, "--ultra-fail-under=0")
    assert result.ret == 1
    result.assert_outcomes(errors=1)
    assert told(result) == [
        "gate fail-under 0: no scored case, at least 0.0%: MISSED",
        "gate max-errors 0: 1 error, at most 0: MISSED",
        "2 of 2 gates missed: exit code 1",
    ]


def refuse_plans(asked: Asked) -> tuple[int, str]:
    has_plan = any("1. " in str(message["content"]) for message in asked.body["messages"])
    return refuse(asked) if has_plan else (200, says("Done."))


def test_errors_up_to_the_number_allowed_leave_the_verdict_to_the_others(
    project: Project, scripted: Start, extreme: tuple[str, ...]
) -> None:
    server = scripted(refuse_plans)
    model = ("--ultra-model=m", f"--ultra-base-url={server.url}", TEN, "--ultra-prompt-type=baseline,optimal")
    result = project.run(*extreme, *model, "--ultra-fail-under=0", "--ultra-max-errors=1")
    assert result.ret == project.document()["run"]["exit_status"] == 0
    result.assert_outcomes(errors=1, xfailed=1)
    assert told(result)[1] == "gate max-errors 1: 1 error, at most 1: met"


def test_errors_are_allowed_without_another_gate_too(project: Project, scripted: Start) -> None:
    server = scripted(refuse)
    model = ("--ultra-model=m", f"--ultra-base-url={server.url}")
    result = judge(project, *model, *ONE, "--ultra-max-errors=1")
    assert result.ret == 0
    assert told(result) == ["gate max-errors 1: 1 error, at most 1: met", "1 of 1 gate met: exit code 0"]


def test_an_error_that_stops_the_run_is_not_made_good(project: Project, scripted: Start) -> None:
    server = scripted(refuse)
    model = ("--ultra-model=m", f"--ultra-base-url={server.url}")
    result = judge(project, *model, TEN, "-x", "--ultra-max-errors=10")
    assert result.ret == 1
    assert told(result)[-1] == "1 of 1 gate met, but the run was stopped early: exit code 1"


DEADLY = """
    import os, signal
    from pytest_ultra.core.transcript import Reply

    class Agent:
        async def attempt(self, request):
            if request.case.prompt_type == "flawed_tool_misuse":
                os.kill(os.getpid(), signal.SIGKILL)
            return Reply("Done.")

        async def aclose(self):
            pass

    def pytest_ultra_endpoint(config, settings):
        return Agent()
"""


def test_a_case_that_is_set_aside_is_an_error_that_may_be_allowed(project: Project) -> None:
    project.pytester.makeconftest(DEADLY)
    allowed = ("--ultra-fail-under=0", "--ultra-max-errors=1")
    result = project.run("-n2", "--ultra-model=mine", *THREE, *allowed)
    assert result.ret == 0
    result.assert_outcomes(xfailed=2, errors=1)
    assert told(result)[1:] == ["gate max-errors 1: 1 error, at most 1: met", "2 of 2 gates met: exit code 0"]


def test_a_gate_that_is_missed_is_shown_at_the_top_of_a_job_on_github(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = judge(project, FOLLOWER, *THREE, "--ultra-fail-under=0.9", "--ultra-fail-under=optimal=1")
    (line,) = [line for line in result.outlines if line.startswith("::")]
    assert line == (
        "::error title=pytest-ultra::gate fail-under 0.9: 2 of 3 full, 66.7%25, 95%25 interval 20.8-93.9, "
        "at least 90.0%25: MISSED"
    )


def test_nothing_selected_is_no_success(project: Project) -> None:
    result = project.run("-n2", PERFECT, TEN, "-k", "nothing", "--ultra-fail-under=0.5")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert told(result) == [
        "gate fail-under 0.5: no scored case, at least 50.0%: MISSED",
        "gate max-errors 0: 0 errors, at most 0: met",
        "1 of 2 gates missed, and no tests were collected: exit code 5",
    ]


def test_a_group_without_a_scored_case_is_missed_and_said_beforehand(project: Project) -> None:
    result = judge(project, PERFECT, *ONE, "--ultra-fail-under=cot=0", "--ultra-max-drop=1")
    assert result.ret == 1
    for gate in ("fail-under cot=0", "max-drop 1"):
        result.stdout.fnmatch_lines([f"ultra: gate {gate}: the run has no such case, so it will be missed"])
    assert told(result)[:2] == [
        "gate fail-under cot=0: no scored case, at least 0.0%: MISSED",
        "gate max-drop 1: no scored case, at most 100 points: MISSED",
    ]


def test_tests_of_the_users_own_keep_their_effect(project: Project) -> None:
    project.pytester.makepyfile(
        """
        def test_plain(): assert False
        """
    )
    result = judge(project, PERFECT, *ONE, "--ultra-fail-under=0.5")
    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1)
    assert told(result)[-1] == "2 of 2 gates met, but 1 test failed that no gate covers: exit code 1"


def test_assertions_of_the_users_own_keep_their_effect(project: Project) -> None:
    project.pytester.makepyfile("def test_it(ultra_episode): ultra_episode.assert_passed()")
    result = judge(project, FOLLOWER, *THREE, "--ultra-fail-under=0.5")
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1)


def test_a_run_out_of_budget_is_left_to_its_gates(project: Project) -> None:
    budget = ("--ultra-max-requests=25", "--ultra-concurrency=2")
    result = project.run("-n2", PERFECT, TEN, *budget, "--ultra-fail-under=0.5")
    assert result.ret == project.document()["run"]["exit_status"] == 0
    assert project.outcomes()["skipped"]
    assert told(result)[-1] == (
        "2 of 2 gates met, though the run was interrupted (the budget of 25 requests (--ultra-max-requests) is spent): "
        "exit code 0"
    )


def test_runxfail_fails_what_is_missed(project: Project) -> None:
    result = judge(project, FOLLOWER, *THREE, "--ultra-fail-under=0.5", "--runxfail")
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1)


def test_a_miss_does_not_stop_the_run_and_strictness_does_not_matter(project: Project) -> None:
    project.pytester.makeini("[pytest]\nxfail_strict = true\nultra_fail_under =\n    0.5\n    optimal=1\n")
    result = judge(project, FOLLOWER, *THREE, "-x")
    assert result.ret == 0
    result.assert_outcomes(passed=2, xfailed=1)
    assert told(result)[-1] == "3 of 3 gates met: exit code 0"


def test_reused_episodes_are_judged_like_others(project: Project) -> None:
    judge(project, FOLLOWER, *THREE, "-q")
    result = judge(project, FOLLOWER, *THREE, "--ultra-fail-under=0.6", "--ultra-rerun=errors")
    assert result.ret == 0
    result.assert_outcomes(passed=2, xfailed=1)
    assert sum(episode["reused"] for episode in project.episodes()) == 3


MISUSES = {
    "share": (["--ultra-fail-under=60"], ["--ultra-fail-under: '60' is not a limit", "from 0 to 1", "such as 0.6"]),
    "word": (["--ultra-max-drop=flawed=lots"], ["--ultra-max-drop: 'flawed=lots' is not a limit"]),
    "group": (["--ultra-fail-under=flawed_tol_misuse=0.5"], ["'flawed_tol_misuse'", "mean 'flawed_tool_misuse'?"]),
    "flawless": (
        ["--ultra-max-drop=cot=0.5"],
        ["--ultra-max-drop: there is no group 'cot'", "choose from all, flawed"],
    ),
    "optimal": (
        ["--ultra-max-drop=0.5", "--ultra-prompt-type=baseline,flawed_tool_misuse"],
        ["--ultra-max-drop: ", "'optimal'", "--ultra-prompt-type optimal,baseline,flawed_tool_misuse"],
    ),
    "bound": (["--ultra-gate-on=bounds"], ["'bounds'", "rate, bound", "did you mean 'bound'?"]),
    "errors": (["--ultra-max-errors=-1"], ["'-1'", "at least 0"]),
    "nothing": (["--ultra-max-regression=0.1"], ["--ultra-max-regression: ", "add --ultra-compare RUN|FILE"]),
    "no run": (["--ultra-compare=latest"], ["--ultra-compare: ", "holds no run"]),
    "no file": (["--ultra-compare=base.json"], ["there is no file 'base.json'", "pytest-ultra baseline -o base.json"]),
    "no baseline": (["--ultra-compare=odd.json"], ["odd.json' is not a baseline file"]),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_is_said_before_anything_is_paid_for(project: Project, misuse: str) -> None:
    (project.path / "odd.json").write_text('{"episodes": []}')
    args, said = MISUSES[misuse]
    result = project.pytester.runpytest(*NO_XDIST, PERFECT, *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    message = next(line for line in result.errlines if line.startswith("ERROR: "))
    assert [part for part in said if part not in message] == []
    assert not (project.path / ".ultra").exists()


def test_a_baseline_of_other_cases_is_refused_with_what_differs(project: Project, baseline: str) -> None:
    result = project.pytester.runpytest("-n2", PERFECT, TEN, "--ultra-seed=1", f"--ultra-compare={baseline}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --ultra-compare: no case of this run is in base.json * (seed: 0 before, 1 now)*"]
    )
