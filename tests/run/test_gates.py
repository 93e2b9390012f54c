"""Gates decide about a run: the printed verdicts and the exit code agree in every situation."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.run import slow_imports  # noqa: F401 - for speed
from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply

StartServer = Callable[[Script], ScriptedServer]

PERFECT, FOLLOWER, MIXTURE = "--ultra-model=demo/perfect", "--ultra-model=demo/follower", "--ultra-model=demo"
THREE_CASES = (TEN_CASES, "--ultra-prompt-type=optimal,flawed_redundant_operations,flawed_tool_misuse")
"""The follower completes all but the last."""
FIVE_TASKS = "--ultra-prompt-type=flawed_missing_step"
"""The follower completes none, of five tasks."""
BY_RATE = "--ultra-gate-on=rate"


@pytest.fixture(scope="module")
def perfect_baseline(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a baseline file of an agent that completes every case."""
    folder = tmp_path_factory.mktemp("baseline")
    for command in (("pytest", *NO_XDIST, PERFECT, TEN_CASES), ("pytest_ultra", "baseline", "-o", "base.json")):
        subprocess.run([sys.executable, "-m", *command], cwd=folder, check=True)  # noqa: S603 - as a user does
    return (folder / "base.json").read_bytes()


@pytest.fixture
def baseline(project: Project, perfect_baseline: bytes) -> str:
    (project.path / "base.json").write_bytes(perfect_baseline)
    return "base.json"


def gate_lines(result: pytest.RunResult) -> list[str]:
    """Return the lines of the verdicts and of the conclusion."""
    lines = [line for line in result.outlines if line.startswith("gate ") or ": exit code" in line]
    assert lines[-1].endswith(f": exit code {int(result.ret)}")
    return lines


def test_a_run_that_meets_all_gates_succeeds(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = project.run(*xdist_on_off, PERFECT, TEN_CASES, "--ultra-fail-under=1", "--ultra-max-drop=0")
    assert result.ret == project.document()["run"]["exit_status"] == 0
    result.assert_outcomes(passed=10)
    assert gate_lines(result) == [
        "gate fail-under 1: 10 of 10 full, 100.0%, 90% interval 27.0-100.0 over 1 task, at least 100.0%: met",
        (
            "gate max-drop 0: flawed_sequence_disorder (of 7 flaws): 0.0 points lost over 1 pair of 1 task, "
            "90% interval -87.9 to 73.0, at most 0 points: met"
        ),
        "gate max-errors 0: 0 errors, at most 0: met",
        "3 of 3 gates met: exit code 0",
    ]


def test_one_missed_gate_fails_the_run_and_the_failed_case_is_an_xfail(project: Project) -> None:
    gates = ("--ultra-fail-under=0.6", "--ultra-fail-under=flawed_tool_misuse=0.6", "--ultra-max-drop=flawed=0.5")
    result = project.run("-n2", FOLLOWER, *THREE_CASES, *gates, BY_RATE, "-rx")
    assert result.ret == project.document()["run"]["exit_status"] == 1
    result.assert_outcomes(passed=2, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL *flawed_tool_misuse-simple_task-easy-0* - *failed"])
    assert gate_lines(result) == [
        "gate fail-under 0.6: 2 of 3 full, 66.7%, 95% interval 20.8-93.9, at least 60.0%: met",
        "gate fail-under flawed_tool_misuse=0.6: 0 of 1 full, 0.0%, 95% interval 0.0-79.3, at least 60.0%: MISSED",
        "gate max-drop flawed=0.5: 50.0 points lost over 2 pairs, at most 50 points: met",
        "gate max-errors 0: 0 errors, at most 0: met",
        "1 of 4 gates missed: exit code 1",
    ]


def test_a_regression_that_chance_explains_is_undecided_and_passes(project: Project, baseline: str) -> None:
    result = project.run(*NO_XDIST, MIXTURE, TEN_CASES, f"--ultra-compare={baseline}")
    assert result.ret == 0
    lost, errors, total = gate_lines(result)
    assert re.fullmatch(
        r"gate max-regression: \d0.0 points lost over 10 pairs of 1 task, 90% interval -\d\d.\d to \d\d.\d, "
        r"no significant loss allowed: undecided \(about \d+ tasks would decide it\)",
        lost,
    )
    assert (errors, total) == (
        "gate max-errors 0: 0 errors, at most 0: met",
        "1 of 2 gates met, 1 undecided: exit code 0",
    )


def test_an_undecided_gate_fails_the_run_if_the_user_says_so(project: Project, baseline: str) -> None:
    result = project.run(*NO_XDIST, MIXTURE, TEN_CASES, f"--ultra-compare={baseline}", "--ultra-undecided=fail")
    assert result.ret == project.document()["run"]["exit_status"] == 1
    assert gate_lines(result)[-1] == "1 of 2 gates met, 1 undecided, which fails: exit code 1"


def test_a_line_of_the_earlier_run_that_cannot_be_read_is_named(project: Project) -> None:
    project.run(*NO_XDIST, PERFECT, TEN_CASES)
    (journal,) = project.runs()[-1].glob("journal-*.jsonl")
    journal.write_bytes(journal.read_bytes()[:-500])
    result = project.run(*NO_XDIST, PERFECT, TEN_CASES, "--ultra-compare=latest", "--ultra-fresh")
    damage = f"ultra: run {journal.parent.name}: {journal.name}, line 10: * bytes cannot be read and were skipped"
    result.stdout.fnmatch_lines([damage, "gate max-regression: *9 pairs*: met"])


def test_a_regression_that_chance_does_not_explain_misses_the_gate(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.run(*NO_XDIST, PERFECT, FIVE_TASKS)
    result = project.run(*xdist_on_off, FOLLOWER, FIVE_TASKS, "--ultra-compare=latest")
    assert result.ret == 1
    assert gate_lines(result) == [
        (
            "gate max-regression: 100.0 points lost over 5 pairs of 5 tasks, 90% interval 29.8 to 100.0, "
            "no significant loss allowed: MISSED"
        ),
        "gate max-errors 0: 0 errors, at most 0: met",
        "1 of 2 gates missed: exit code 1",
    ]


def test_a_regression_is_checked_against_the_limits_that_the_user_set(project: Project, baseline: str) -> None:
    limits = ("0.8", "cot=1", "flawed=0.7")
    args = [f"--ultra-max-regression={limit}" for limit in limits]
    result = project.run(*NO_XDIST, FOLLOWER, TEN_CASES, f"--ultra-compare={baseline}", *args, BY_RATE)
    assert result.ret == 1
    assert gate_lines(result)[:3] == [
        "gate max-regression 0.8: 80.0 points lost over 10 pairs, at most 80 points: met",
        "gate max-regression cot=1: 100.0 points lost over 1 pair, at most 100 points: met",
        "gate max-regression flawed=0.7: 85.7 points lost over 7 pairs, at most 70 points: MISSED",
    ]


def test_an_earlier_run_is_selected_by_id_or_directory(project: Project) -> None:
    project.run(*NO_XDIST, PERFECT, *ONE_CASE)
    run_id = project.runs()[0].name
    for name in (run_id, f".ultra/runs/{run_id}"):
        result = project.run(*NO_XDIST, FOLLOWER, *ONE_CASE, f"--ultra-compare={name}", "--ultra-max-regression=0")
        assert result.ret == 0
        assert gate_lines(result)[0].startswith("gate max-regression 0: 0.0 points lost over 1 pair of 1 task, ")
        assert gate_lines(result)[0].endswith("at most 0 points: met")


def test_latest_means_the_latest_finished_run(project: Project) -> None:
    """Not the interrupted run that this run resumes, because the run would be compared with itself."""
    project.run(*NO_XDIST, PERFECT, *ONE_CASE)
    project.run(*NO_XDIST, FOLLOWER, TEN_CASES, "--ultra-max-requests=1")
    finished, interrupted = (run.name for run in project.runs())
    result = project.run(*NO_XDIST, FOLLOWER, TEN_CASES, "--ultra-compare=latest")
    assert result.ret == 0
    assert interrupted in result.stdout.str(), "it was resumed"
    result.stdout.fnmatch_lines([f"run * compared with {finished}", "  model: demo/perfect before, demo/follower now"])


def test_a_regression_gate_is_missed_without_a_case_in_the_baseline(project: Project, baseline: str) -> None:
    result = project.run(
        *NO_XDIST, PERFECT, "--ultra-instances=2", TEN_CASES, "-k", "1]", f"--ultra-compare={baseline}"
    )
    assert result.ret == 1
    assert gate_lines(result)[0] == "gate max-regression: no pair of scored cases, no significant loss allowed: MISSED"


def reject_key(_request: ReceivedRequest) -> tuple[int, str]:
    return 401, '{"error": {"message": "no such key"}}'


def test_errors_fail_the_run_whatever_the_rates(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    server = start_server(reject_key)
    result = project.run(
        *xdist_on_off, "--ultra-model=m", f"--ultra-base-url={server.url}", *ONE_CASE, "--ultra-fail-under=0"
    )
    assert result.ret == 1
    result.assert_outcomes(errors=1)
    assert gate_lines(result) == [
        "gate fail-under 0: no scored case, at least 0.0%: MISSED",
        "gate max-errors 0: 1 error, at most 0: MISSED",
        "2 of 2 gates missed: exit code 1",
    ]


def reject_plans(request: ReceivedRequest) -> tuple[int, str]:
    has_plan = any("1. Call" in str(message["content"]) for message in request.body["messages"])
    return (400, '{"error": {"message": "no plans"}}') if has_plan else (200, text_reply("Done."))


def test_allowed_errors_leave_the_verdict_to_the_other_gates(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    server = start_server(reject_plans)
    model = ("--ultra-model=m", f"--ultra-base-url={server.url}", TEN_CASES, "--ultra-prompt-type=baseline,optimal")
    result = project.run(*xdist_on_off, *model, "--ultra-fail-under=0", "--ultra-max-errors=1")
    assert result.ret == project.document()["run"]["exit_status"] == 0
    result.assert_outcomes(errors=1, xfailed=1)
    assert gate_lines(result)[1] == "gate max-errors 1: 1 error, at most 1: met"


def test_max_errors_needs_no_other_gate(project: Project, start_server: StartServer) -> None:
    server = start_server(reject_key)
    model = ("--ultra-model=m", f"--ultra-base-url={server.url}")
    result = project.run(*NO_XDIST, *model, *ONE_CASE, "--ultra-max-errors=1")
    assert result.ret == 0
    assert gate_lines(result) == ["gate max-errors 1: 1 error, at most 1: met", "1 of 1 gate met: exit code 0"]


def test_a_run_stopped_by_an_allowed_error_fails(project: Project, start_server: StartServer) -> None:
    server = start_server(reject_key)
    model = ("--ultra-model=m", f"--ultra-base-url={server.url}")
    result = project.run(*NO_XDIST, *model, TEN_CASES, "-x", "--ultra-max-errors=10")
    assert result.ret == 1
    assert gate_lines(result)[-1] == "1 of 1 gate met, but the run was stopped early: exit code 1"


CRASHING_ENDPOINT = """
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


def test_a_quarantined_case_is_an_error_that_can_be_allowed(project: Project) -> None:
    project.pytester.makeconftest(CRASHING_ENDPOINT)
    allowed = ("--ultra-fail-under=0", "--ultra-max-errors=1")
    result = project.run("-n2", "--ultra-model=mine", *THREE_CASES, *allowed)
    assert result.ret == 0
    result.assert_outcomes(xfailed=2, errors=1)
    assert gate_lines(result)[1:] == ["gate max-errors 1: 1 error, at most 1: met", "2 of 2 gates met: exit code 0"]


def test_a_missed_gate_is_an_annotation_on_github(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = project.run(
        *NO_XDIST, FOLLOWER, *THREE_CASES, "--ultra-fail-under=0.9", "--ultra-fail-under=optimal=1", BY_RATE
    )
    (line,) = [line for line in result.outlines if line.startswith("::")]
    assert line == (
        "::error title=pytest-ultra::gate fail-under 0.9: 2 of 3 full, 66.7%25, 95%25 interval 20.8-93.9, "
        "at least 90.0%25: MISSED"
    )


def test_a_run_without_selected_cases_fails(project: Project) -> None:
    result = project.run("-n2", PERFECT, TEN_CASES, "-k", "nothing", "--ultra-fail-under=0.5")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert gate_lines(result) == [
        "gate fail-under 0.5: no scored case, at least 50.0%: MISSED",
        "gate max-errors 0: 0 errors, at most 0: met",
        "1 of 2 gates missed, and no tests were collected: exit code 5",
    ]


def test_a_gate_on_a_group_without_cases_is_missed_and_announced_before_the_run(project: Project) -> None:
    result = project.run(*NO_XDIST, PERFECT, *ONE_CASE, "--ultra-fail-under=cot=0", "--ultra-max-drop=1")
    assert result.ret == 1
    for gate in ("fail-under cot=0", "max-drop 1"):
        result.stdout.fnmatch_lines([f"ultra: gate {gate}: the run has no such case, so it will be missed"])
    assert gate_lines(result)[:2] == [
        "gate fail-under cot=0: no scored case, at least 0.0%: MISSED",
        "gate max-drop 1: no scored case, at most 100 points: MISSED",
    ]


def test_a_failed_user_test_fails_the_run(project: Project) -> None:
    project.pytester.makepyfile(
        """
        def test_plain(): assert False
        """
    )
    result = project.run(*NO_XDIST, PERFECT, *ONE_CASE, "--ultra-fail-under=0.5", BY_RATE)
    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1)
    assert gate_lines(result)[-1] == "2 of 2 gates met, but 1 test failed that no gate covers: exit code 1"


def test_a_failed_user_assertion_fails_the_run(project: Project) -> None:
    project.pytester.makepyfile("def test_it(ultra_episode): ultra_episode.assert_passed()")
    result = project.run(*NO_XDIST, FOLLOWER, *THREE_CASES, "--ultra-fail-under=0.5", BY_RATE)
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1)


def test_gates_decide_about_a_run_that_spent_its_budget(project: Project) -> None:
    budget = ("--ultra-max-requests=25", "--ultra-concurrency=2")
    result = project.run("-n2", PERFECT, TEN_CASES, *budget, "--ultra-fail-under=0.5", BY_RATE)
    assert result.ret == project.document()["run"]["exit_status"] == 0
    assert project.outcomes()["skipped"]
    assert gate_lines(result)[-1] == (
        "2 of 2 gates met, though the run was interrupted (the budget of 25 requests (--ultra-max-requests) is spent): "
        "exit code 0"
    )


def test_runxfail_turns_xfails_into_failures(project: Project) -> None:
    result = project.run(*NO_XDIST, FOLLOWER, *THREE_CASES, "--ultra-fail-under=0.5", "--runxfail")
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1)


def test_an_xfail_does_not_stop_the_run_and_xfail_strict_does_not_matter(project: Project) -> None:
    project.pytester.makeini("[pytest]\nxfail_strict = true\nultra_fail_under =\n    0.5\n    optimal=1\n")
    result = project.run(*NO_XDIST, FOLLOWER, *THREE_CASES, "-x", BY_RATE)
    assert result.ret == 0
    result.assert_outcomes(passed=2, xfailed=1)
    assert gate_lines(result)[-1] == "3 of 3 gates met: exit code 0"


def test_reused_episodes_count_for_the_gates(project: Project) -> None:
    project.run(*NO_XDIST, FOLLOWER, *THREE_CASES, "-q")
    result = project.run(*NO_XDIST, FOLLOWER, *THREE_CASES, "--ultra-fail-under=0.6", "--ultra-rerun=errors", BY_RATE)
    assert result.ret == 0
    result.assert_outcomes(passed=2, xfailed=1)
    assert sum(episode["reused"] for episode in project.episodes()) == 3


USAGE_ERRORS = {
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
    "bound": (["--ultra-gate-on=bounds"], ["'bounds'", "evidence, rate, bound", "did you mean 'bound'?"]),
    "undecided": (["--ultra-undecided=maybe"], ["--ultra-undecided: ", "'maybe'", "pass, fail"]),
    "errors": (["--ultra-max-errors=-1"], ["'-1'", "at least 0"]),
    "nothing": (["--ultra-max-regression=0.1"], ["--ultra-max-regression: ", "add --ultra-compare RUN|FILE"]),
    "no run": (["--ultra-compare=latest"], ["--ultra-compare: ", "holds no run"]),
    "no file": (["--ultra-compare=base.json"], ["there is no file 'base.json'", "pytest-ultra baseline -o base.json"]),
    "no baseline": (["--ultra-compare=odd.json"], ["odd.json' is not a baseline file"]),
}


@pytest.mark.parametrize("mistake", USAGE_ERRORS)
def test_a_usage_error_is_reported_before_any_request(project: Project, mistake: str) -> None:
    (project.path / "odd.json").write_text('{"episodes": []}')
    args, parts = USAGE_ERRORS[mistake]
    result = project.pytester.runpytest(*NO_XDIST, PERFECT, *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    message = next(line for line in result.errlines if line.startswith("ERROR: "))
    assert [part for part in parts if part not in message] == []
    assert not (project.path / ".ultra").exists()


def test_a_baseline_of_other_cases_is_a_usage_error_that_shows_the_difference(project: Project, baseline: str) -> None:
    result = project.pytester.runpytest("-n2", PERFECT, TEN_CASES, "--ultra-seed=1", f"--ultra-compare={baseline}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --ultra-compare: no case of this run is in base.json * (seed: 0 before, 1 now)*"]
    )
