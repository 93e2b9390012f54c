"""What endpoints report of tokens, and of the model that answered, with a perfect model behind each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.run.plan_model import follow_plan
from tests.run.project import NO_XDIST, ONE_CASE, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer

StartServer = Callable[[Script], ScriptedServer]
Answer = dict[str, Any]


def run(
    project: Project,
    start_server: StartServer,
    change: Callable[[Answer, int], None],
    *args: str,
    in_own_process: bool = False,
) -> tuple[pytest.RunResult, int]:
    """Run one case against a perfect model whose answers `change` changes; return the result and the requests."""
    requests: list[int] = []

    def script(request: ReceivedRequest) -> tuple[int, str]:
        answer = json.loads(follow_plan(request.body))
        requests.append(len(request.body["messages"]))
        change(answer, len(requests))
        return 200, json.dumps(answer)

    server = start_server(script)
    run_command = project.run_in_own_process if in_own_process else project.run
    result = run_command(*ONE_CASE, "--ultra-model=m", "--ultra-base-url", server.url, *args)
    return result, len(requests)


def test_each_kind_of_token_is_counted_and_paid(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    """Reasoning beside the completion is in the total only; the cache's tokens have prices of their own."""

    def with_details(answer: Answer, _: int) -> None:
        answer["usage"] = {
            "prompt_tokens": 1000,
            "completion_tokens": 20,
            "total_tokens": 4020,
            "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100},
            "completion_tokens_details": {"reasoning_tokens": 3000},
        }

    result, requests = run(project, start_server, with_details, *xdist_on_off, "--ultra-price=m=1,10,0.1,2")

    (episode,) = project.episodes()
    assert episode["outcome"] == "full"
    counted = {name: episode[name] for name in episode if name.endswith("_tokens")}
    assert counted == {
        "prompt_tokens": 1000 * requests,
        "completion_tokens": 3020 * requests,
        "cached_tokens": 600 * requests,
        "cache_written_tokens": 100 * requests,
        "reasoning_tokens": 3000 * requests,
    }
    assert episode["estimated_requests"] == 0
    assert episode["cost"] == pytest.approx(requests * (300 * 1 + 600 * 0.1 + 100 * 2 + 3020 * 10) / 1e6)
    assert "~" not in result.stdout.str()


def without_usage(answer: Answer, _: int) -> None:
    answer["usage"] = None


def test_missing_usage_is_estimated_and_marked(project: Project, start_server: StartServer) -> None:
    result, requests = run(project, start_server, without_usage, *NO_XDIST, "--ultra-price=m=1,1")

    (episode,) = project.episodes()
    assert (episode["outcome"], episode["estimated_requests"]) == ("full", requests)
    assert episode["prompt_tokens"] > 100 * requests
    assert episode["completion_tokens"] >= requests
    result.stdout.fnmatch_lines(
        [
            "*; ~$0.*",
            f"model m: {requests} of {requests} replies came without token counts; their tokens and cost, marked ~, *",
        ]
    )
    assert result.stdout.str().count("came without token counts") == 1


def test_a_budget_counts_estimates_and_says_so_in_the_run_and_at_its_end(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    result, requests = run(project, start_server, without_usage, *xdist_on_off, "--ultra-max-tokens=2000")

    assert requests == 2, "each takes more than 1,000 tokens"
    result.stdout.fnmatch_lines(
        [
            "budget: 2 requests, ~* tokens spent by this run; the budget rests on estimates: *; the budget of 2,000 *",
        ]
    )


def test_the_live_status_says_once_that_a_budget_rests_on_estimates(
    project: Project, start_server: StartServer
) -> None:
    def slowly(answer: Answer, _: int) -> None:
        time.sleep(0.3)
        without_usage(answer, 0)

    result, _ = run(project, start_server, slowly, *NO_XDIST, "--ultra-max-tokens=1000000", in_own_process=True)

    lines = [line for line in result.outlines if line.startswith("ultra: the budget rests on estimates")]
    assert len(lines) == 1


def test_calls_that_are_left_in_the_text_are_counted_and_the_option_is_named(
    project: Project, start_server: StartServer
) -> None:
    def in_text(answer: Answer, _: int) -> None:
        message = answer["choices"][0]["message"]
        for call in message.pop("tool_calls", ()):
            name, arguments = call["function"]["name"], call["function"]["arguments"]
            message["content"] = f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'

    result, _ = run(project, start_server, in_text, *NO_XDIST)

    assert project.episodes()[0]["tool_calls"] == 0, "they are not run"
    result.stdout.fnmatch_lines(
        ["model m: 1 reply held 1 tool call as text, *; use --ultra-tool-protocol text if the endpoint cannot *"]
    )


def test_arguments_that_were_encoded_twice_are_read(project: Project, start_server: StartServer) -> None:
    def twice(answer: Answer, _: int) -> None:
        for call in answer["choices"][0]["message"].get("tool_calls", ()):
            call["function"]["arguments"] = json.dumps(call["function"]["arguments"])

    run(project, start_server, twice, *NO_XDIST)

    (episode,) = project.journaled_episodes()
    assert project.outcomes() == {"full": 1}
    replies = [event for event in episode["transcript"] if event["type"] == "reply"]
    assert replies[0]["forgiven"] == ["arguments_as_text"]
    assert replies[0]["reply"]["tool_calls"][0]["arguments"].startswith('"'), "the evidence is kept"


def test_a_model_that_changes_within_a_run_is_named_once(project: Project, start_server: StartServer) -> None:
    def changing(answer: Answer, number: int) -> None:
        answer["model"] = "m-2026-01" if number == 1 else "m-2026-02"
        answer["system_fingerprint"] = "fp_1"

    result, _ = run(project, start_server, changing, *NO_XDIST)

    result.stdout.fnmatch_lines(["model m: 2 models answered (m-2026-01, m-2026-02) within this run, so that *"])
    (episode,) = project.journaled_episodes()
    reply = next(event["reply"] for event in episode["transcript"] if event["type"] == "reply")
    assert (reply["model"], reply["fingerprint"]) == ("m-2026-01", "fp_1")


def test_a_model_that_stays_the_same_gives_no_notice(project: Project, start_server: StartServer) -> None:
    def same(answer: Answer, _: int) -> None:
        answer |= {"model": "m-2026-01", "system_fingerprint": "fp_1"}

    result, _ = run(project, start_server, same, *NO_XDIST)

    result.stdout.no_fnmatch_line("*answered (*")
