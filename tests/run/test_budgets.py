"""All workers share the budget of a run; a run that spent its budget can be resumed; a plan sends no request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.run.project import ONE_CASE, TEN_CASES, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply, tool_call_reply

StartServer = Callable[[Script], ScriptedServer]

PERFECT = "--ultra-model=demo/perfect"
LOW_CONCURRENCY = "--ultra-concurrency=2"
REASON = "the budget of 25 requests (--ultra-max-requests) is spent"


def finish(_request: ReceivedRequest) -> tuple[int, str]:
    return 200, text_reply("Done.")


def test_a_spent_budget_skips_the_remaining_cases_and_the_next_run_resumes(
    project: Project, xdist_mode: tuple[str, ...]
) -> None:
    result = project.run(*xdist_mode, PERFECT, TEN_CASES, LOW_CONCURRENCY, "--ultra-max-requests=25", "-rs")
    assert result.ret == project.document()["run"]["exit_status"] == 1
    outcomes = project.outcomes()
    assert set(outcomes) == {"full", "skipped"}
    result.assert_outcomes(passed=outcomes["full"], skipped=outcomes["skipped"])
    result.stdout.fnmatch_lines(
        [f"budget: 25 requests, * tokens spent by this run; {REASON}: the remaining cases are skipped, *"]
    )
    assert f"not finished: {REASON}" in result.stdout.str()
    episodes = project.episodes()
    assert sum(episode["requests"] for episode in episodes) == 25
    skipped = [episode for episode in episodes if episode["outcome"] == "skipped"]
    assert {(e["error"], e["failure_class"]) for e in skipped} == {(f"not finished: {REASON}", None)}
    assert json.loads((project.runs()[-1] / "ended.json").read_text())["cut_off"] == REASON

    again = project.run(*xdist_mode, PERFECT, TEN_CASES)
    again.assert_outcomes(passed=10)
    assert again.ret == 0
    assert sum(episode["reused"] for episode in project.episodes()) == outcomes["full"]


@pytest.mark.parametrize("workers", ["-n0", "-n3"])
def test_a_budget_spent_midway_leaves_complete_pairs(project: Project, workers: str) -> None:
    """All 80 cases could be in flight at once, and none would be finished; the budget covers about half of them.

    The ten cases of the fourth task need 7 requests each where 5 are expected, so up to 72 requests were seen to go to
    cases that are not finished.
    """
    model = ("--ultra-model=demo/perfect?latency=0.02", "--ultra-task-type=simple_task", "--ultra-instances=8")
    project.run(workers, *model, "--ultra-max-requests=200")
    episodes = project.episodes()
    scored = [episode for episode in episodes if episode["outcome"] == "full"]
    pairs = {(e["prompt_type"], e["instance"]) for e in scored}
    flawed = [pair for pair in pairs if pair[0].startswith("flawed")]
    paired = [pair for pair in flawed if ("optimal", pair[1]) in pairs]
    assert len(flawed) >= 10
    assert len(paired) >= 0.75 * len(flawed)
    assert sum(e["requests"] for e in scored) >= 100
    assert sum(e["requests"] for e in episodes) == 200


def test_answers_from_cassettes_do_not_count_against_the_budget(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.run(PERFECT, TEN_CASES, "--ultra-cassette=record").assert_outcomes(passed=10)
    (deleted,) = project.path.glob("cassettes/**/baseline-*.json")
    deleted.unlink()
    result = project.run(
        *xdist_on_off, PERFECT, TEN_CASES, "--ultra-cassette=auto", "--ultra-max-requests=1", "--ultra-fresh"
    )
    result.assert_outcomes(passed=9, skipped=1)


def test_a_sufficient_budget_changes_nothing(project: Project) -> None:
    result = project.run("-n2", PERFECT, TEN_CASES, "--ultra-max-requests=1000", "--ultra-max-cost=1")
    assert result.ret == 0
    requests = sum(episode["requests"] for episode in project.episodes())
    result.stdout.fnmatch_lines([f"budget: {requests} requests, * tokens spent by this run"])
    assert json.loads((project.runs()[-1] / "ended.json").read_text())["cut_off"] is None


def test_a_cost_budget_is_exceeded_by_the_calls_in_flight_at_most(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    server = start_server(finish)
    a_dollar_per_answer = "--ultra-price=m=100000,100000"
    model = ("--ultra-model=m", f"--ultra-base-url={server.url}", a_dollar_per_answer)
    result = project.run(*xdist_on_off, *model, TEN_CASES, "--ultra-max-cost=3", "--ultra-max-in-flight=2")
    assert result.ret == 1
    assert 3 <= len(server.requests) <= 3 + 1
    outcomes = project.outcomes()
    assert outcomes == {"failed": len(server.requests), "skipped": 10 - len(server.requests)}
    costs = [e["cost"] for e in project.episodes() if e["outcome"] == "failed"]
    assert costs == [pytest.approx(1.0)] * len(server.requests)
    result.stdout.fnmatch_lines([f"10 planned: *; ${len(server.requests)}.00"])


def test_tokens_are_counted_as_the_endpoint_reports_them(project: Project, start_server: StartServer) -> None:
    server = start_server(lambda _request: (200, tool_call_reply("utility_logger", '{"message": "on"}')))
    model = ("--ultra-model=m", f"--ultra-base-url={server.url}")
    project.run("-n2", *model, TEN_CASES, "--ultra-max-tokens=50", "--ultra-max-in-flight=1")
    assert len(server.requests) == 5
    assert {episode["cost"] for episode in project.episodes()} == {None}


def test_a_cost_budget_with_an_unknown_price_is_a_usage_error(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = project.run(
        *xdist_on_off, "--ultra-model=m", "--ultra-base-url=http://127.0.0.1:9/v1", "--ultra-max-cost=1"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--ultra-max-cost: the price of 'm' is not known; give it*"])
    assert project.runs() == []


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_a_plan_sends_no_request_and_leaves_no_files(
    project: Project, start_server: StartServer, xdist_mode: tuple[str, ...], quiet: tuple[str, ...]
) -> None:
    server = start_server(finish)
    model = ("--ultra-model=m", f"--ultra-base-url={server.url}")
    result = project.run(*xdist_mode, *model, TEN_CASES, "--ultra-plan", "--ultra-rpm=10", "-k", "not baseline", *quiet)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "ultra: plan: 9 cases; no request is sent",
            "ultra: calls: about * requests to models, * tool calls; at most * requests",
            "ultra: tokens: about * in prompts, * in completions); at most *",
            "ultra: cost: unknown (no price for m in the table of *: give --ultra-price 'm=PROMPT,COMPLETION')",
            "ultra: wall-clock: about * min, bounded by 10 requests a minute",
        ]
    )
    assert "bringing up" not in result.stdout.str()
    assert server.requests == []
    assert not {".ultra", "out.json"} & {path.name for path in project.path.iterdir()}


def test_a_plan_of_a_resumed_run_counts_only_the_remaining_cases(project: Project) -> None:
    args = ("--ultra-model=demo/perfect", TEN_CASES)
    project.run(*args, "-p", "no:xdist", "--ultra-plan").stdout.fnmatch_lines(["ultra: plan: 10 cases; no request *"])
    project.run(*args, "--ultra-max-requests=25")
    scored = project.outcomes()["full"]
    plan = project.run(*args, "--ultra-plan")
    line = f"ultra: plan: 10 cases, {scored} of them reused from earlier runs, {10 - scored} left; no request is sent"
    plan.stdout.fnmatch_lines([line])
    fresh = project.run(*args, "--ultra-plan", "--ultra-fresh")
    fresh.stdout.fnmatch_lines(["ultra: plan: 10 cases; no request is sent"])
    assert planned_requests(plan) < planned_requests(fresh)
    assert len(project.runs()) == 1


def test_a_plan_considers_all_endpoints_of_a_model(project: Project) -> None:
    endpoints = '{key_env = "A"}, {key_env = "B"}, {base_url = "http://127.0.0.1:9/v1", key_env = "A"}'
    table = f'[tool.pytest_ultra.models."pooled"]\nendpoints = [{endpoints}]\n'
    (project.path / "pyproject.toml").write_text(table)
    times = {}
    for model in ("pooled", "single"):
        result = project.run(f"--ultra-model={model}", TEN_CASES, "--ultra-repeats=3", "--ultra-plan", "--ultra-rpm=10")
        (times[model],) = [line for line in result.outlines if "wall-clock" in line]
    assert times["single"].endswith("bounded by 10 requests a minute")
    assert times["pooled"].endswith("bounded by 10 requests a minute at each of 3 endpoints")
    minutes = {model: int(re.findall(r"about (\d+) min", line)[0]) for model, line in times.items()}
    assert minutes["single"] == pytest.approx(3 * minutes["pooled"], abs=2)


def test_a_plan_needs_no_key_and_shows_the_cost_and_whether_the_budget_is_enough(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    result = project.run("-n2", "--ultra-model=gpt-4o", TEN_CASES, "--ultra-plan", "--ultra-max-cost=0.01")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "ultra: cost: about $0.*",
            "ultra: wall-clock: about * s, *if an answer takes 2 s*",
            "ultra: budget: it would not last: the budget of $0.01 (--ultra-max-cost) is spent before the end",
        ]
    )


def planned_requests(result: pytest.RunResult) -> int:
    found = [re.match(r"ultra: calls: about ([\d,]+) requests", line) for line in result.outlines]
    (match,) = filter(None, found)
    return int(match[1].replace(",", ""))


def test_a_plan_of_many_cases_is_estimated_from_a_sample(project: Project) -> None:
    few = project.run(PERFECT, "--ultra-plan", "--ultra-repeats=150", *ONE_CASE, "-q")
    few.stdout.fnmatch_lines(["ultra: plan: 150 cases; no request is sent"])
    many = project.run(PERFECT, "--ultra-plan", "--ultra-repeats=900", *ONE_CASE, "-q")
    many.stdout.fnmatch_lines(["ultra: plan: 900 cases (estimated from 200 of them); no request is sent"])
    assert planned_requests(many) == pytest.approx(6 * planned_requests(few), rel=0.05), "rounded to two digits"


REPORTING = """
    def solve(task):
        task.usage(prompt=900, completion=100, cost=0.4)
        return "NOT DONE: I only report."
"""


@pytest.mark.parametrize(
    ("limit", "reason", "ran"),
    [
        ("--ultra-max-cost=1", "the budget of $1 (--ultra-max-cost) is spent", 3),
        ("--ultra-max-tokens=2000", "the budget of 2,000 tokens (--ultra-max-tokens) is spent", 2),
    ],
)
def test_what_an_agent_reports_counts_against_the_budget(
    project: Project, xdist_on_off: tuple[str, ...], limit: str, reason: str, ran: int
) -> None:
    """With two workers, one more episode can be in flight when the budget is spent."""
    project.pytester.makepyfile(my_agent=REPORTING)
    agent = ("--ultra-agent=my_agent:solve", "--ultra-concurrency=1")
    result = project.run(*xdist_on_off, *agent, TEN_CASES, limit)
    outcomes = project.outcomes()
    assert ran <= outcomes["failed"] <= ran + ("-n2" in xdist_on_off)
    assert outcomes["skipped"] == 10 - outcomes["failed"]
    assert {e["error"] for e in project.episodes() if e["outcome"] == "skipped"} == {f"not finished: {reason}"}
    tokens = f"{1000 * outcomes['failed']:,} tokens"
    result.stdout.fnmatch_lines([f"budget: * {tokens}, * spent by this run; {reason}*"])
