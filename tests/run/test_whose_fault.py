"""A perfect model behind an endpoint with one quirk: whose fault its episode is, in whole runs over real HTTP."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.run.plan_model import follow_plan
from tests.run.project import NO_XDIST, ONE_CASE, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer

StartServer = Callable[[Script], ScriptedServer]
Answer = tuple[int, Any]


def rejected(message: str, code: Any = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def ended(finish: str, **message: Any) -> dict[str, Any]:
    return {"choices": [{"finish_reason": finish, "message": {"role": "assistant", "content": None, **message}}]}


TOO_LONG = "This model's maximum context length is 300 tokens. However, your messages resulted in 900 tokens."
MODEL_FAILURES: dict[str, tuple[Answer, str]] = {
    "failed-call": ((400, rejected("Failed to call a function.", "tool_use_failed")), "malformed_generation"),
    "ollama-call": ((500, rejected("error parsing tool call: raw='{'", kind="api_error")), "malformed_generation"),
    "gemini-call": ((200, ended("MALFORMED_FUNCTION_CALL")), "malformed_generation"),
    "announced": ((200, ended("tool_calls")), "malformed_generation"),
    "window": ((400, rejected(TOO_LONG, "context_length_exceeded")), "context_overflow"),
    "window-behind-a-gateway": (
        (500, rejected(f"litellm.BadRequestError: OpenAIException - {TOO_LONG}", "500")),
        "context_overflow",
    ),
    "talkative": ((200, ended("length", content="Let me think about")), "truncated"),
    "filtered": ((400, rejected("The response was filtered.", "content_filter")), "refused"),
    "safety": ((200, ended("SAFETY")), "refused"),
    "refusal": ((200, ended("stop", refusal="I will not.")), "refused"),
}
INSIDE_200 = {
    "choices": [
        {
            "finish_reason": "error",
            "error": {"code": 502, "message": "Provider disconnected"},
            "message": {"content": ""},
        }
    ]
}
PASSING: dict[str, Answer] = {
    "error-in-200": (200, {"error": {"code": 503, "message": "overloaded"}}),
    "error-in-choice": (200, INSIDE_200),
    "at-capacity": (498, rejected("Flex tier capacity exceeded")),
    "overloaded": (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    "early": (425, {}),
}


class OneQuirk:
    """Gives each model's quirk in place of its second reply: for good, or `times` times."""

    def __init__(self, quirks: dict[str, Answer], times: int = 1000) -> None:
        self._quirks = quirks
        self._times = times
        self._seen: Counter[str] = Counter()

    def __call__(self, request: ReceivedRequest) -> tuple[int, str]:
        has_replied = any(message["role"] == "assistant" for message in request.body["messages"])
        if has_replied and self._seen[request.model] < self._times and request.model in self._quirks:
            self._seen[request.model] += 1
            status, body = self._quirks[request.model]
            return status, json.dumps(body)
        return 200, follow_plan(request.body)


def classes(project: Project) -> dict[str, tuple[str, str | None]]:
    return {episode["model"]: (episode["outcome"], episode["failure_class"]) for episode in project.episodes()}


def test_what_the_model_did_itself_is_scored_as_its_own_failure(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    server = start_server(OneQuirk({name: answer for name, (answer, _) in MODEL_FAILURES.items()}))
    models = ",".join(["perfect", *MODEL_FAILURES])
    args = f"--ultra-base-url={server.url}", f"--ultra-model={models}"
    result = project.run(*xdist_on_off, *args, *ONE_CASE, "--ultra-tool-success-rate=1", "-v")
    found = classes(project)
    assert found.pop("perfect") == ("full", None)
    assert {name: name_of for name, (_, name_of) in found.items()} == {
        name: name_of for name, (_, name_of) in MODEL_FAILURES.items()
    }
    assert {outcome for outcome, _ in found.values()} <= {"failed", "partial"}
    requests = Counter(request.model for request in server.requests)
    assert {requests[name] for name in MODEL_FAILURES} == {2}, "nothing is asked again"
    text = " ".join(result.stdout.str().split())
    assert "malformed_generation 4" in text
    assert "The reply was cut by a limit on its length (finish reason 'length')." in text
    assert "model talkative: 1 episode ended with a reply that was cut by a limit on its length" in text


@pytest.mark.usefixtures("short_waits")
def test_an_error_of_the_endpoint_is_tried_again_whatever_its_form(project: Project, start_server: StartServer) -> None:
    server = start_server(OneQuirk(PASSING, times=2))
    args = f"--ultra-base-url={server.url}", f"--ultra-model={','.join(PASSING)}"
    project.run(*NO_XDIST, *args, *ONE_CASE, "--ultra-tool-success-rate=1").assert_outcomes(passed=len(PASSING))


QUOTA = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, rejected(QUOTA, "insufficient_quota", "insufficient_quota")),
        (402, rejected("Insufficient Balance", "invalid_request_error", "unknown_error")),
        (400, rejected("Your credit balance is too low to access the Anthropic API.")),
        (200, {"error": {"code": 402, "message": "This request requires more credits"}}),
    ],
    ids=["openai", "deepseek", "anthropic", "inside a 200"],
)
def test_a_used_up_quota_ends_the_model_within_seconds_with_the_providers_words(
    project: Project, start_server: StartServer, status: int, body: Any
) -> None:
    server = start_server(lambda _request: (status, json.dumps(body)))
    args = f"--ultra-base-url={server.url}", "--ultra-model=poor", "--ultra-concurrency=2"
    started = time.monotonic()
    project.run(*NO_XDIST, *args, "--ultra-prompt-type=optimal,cot").assert_outcomes(errors=10)
    assert time.monotonic() - started < 15
    assert len(server.requests) <= 2
    assert all(body["error"]["message"] in episode["error"] for episode in project.episodes())


def test_a_model_without_tools_ends_with_the_remedy(project: Project, start_server: StartServer) -> None:
    server = start_server(lambda _request: (400, json.dumps(rejected("m does not support tools"))))
    project.run(*NO_XDIST, f"--ultra-base-url={server.url}", "--ultra-model=m", *ONE_CASE).assert_outcomes(errors=1)
    [episode] = project.episodes()
    assert episode["error"].endswith("m does not support tools): use --ultra-tool-protocol text.")


@pytest.mark.usefixtures("short_waits")
def test_a_wait_that_only_the_body_names_is_honoured(project: Project, start_server: StartServer) -> None:
    seen: list[float] = []

    def answer(request: ReceivedRequest) -> tuple[int, str]:
        seen.append(time.monotonic())
        if len(seen) == 1:
            retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}
            error = {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED", "details": [retry]}
            return 429, json.dumps([{"error": error}])
        return 200, follow_plan(request.body)

    server = start_server(answer)
    args = f"--ultra-base-url={server.url}", "--ultra-model=throttled"
    project.run(*NO_XDIST, *args, *ONE_CASE, "--ultra-tool-success-rate=1").assert_outcomes(passed=1)
    assert seen[1] - seen[0] >= 1


def test_one_403_amid_successes_is_an_error_of_its_case_alone(project: Project, start_server: StartServer) -> None:
    count = Counter[str]()

    def answer(request: ReceivedRequest) -> tuple[int, str]:
        count["requests"] += 1
        if count["requests"] == 5:
            return 403, json.dumps(rejected("Your input was flagged by the provider's moderation", 403))
        return 200, follow_plan(request.body)

    server = start_server(answer)
    args = f"--ultra-base-url={server.url}", "--ultra-model=flagged", "--ultra-concurrency=2"
    project.run(*NO_XDIST, *args, "--ultra-prompt-type=optimal", "--ultra-tool-success-rate=1")
    assert project.outcomes() == {"full": 4, "error": 1}


def test_a_gate_is_not_met_by_the_few_cases_that_were_answered(project: Project, start_server: StartServer) -> None:
    jobs: list[str] = []

    def answer(request: ReceivedRequest) -> tuple[int, str]:
        job = request.body["messages"][1]["content"]
        jobs.append(job)
        return (200, follow_plan(request.body)) if job == jobs[0] else (400, json.dumps(rejected("rejected")))

    server = start_server(answer)
    args = f"--ultra-base-url={server.url}", "--ultra-model=few", "--ultra-prompt-type=optimal"
    gates = "--ultra-fail-under=0.9", "--ultra-max-errors=99"
    result = project.run(*NO_XDIST, *args, *gates, "--ultra-tool-success-rate=1")
    counts = project.outcomes()
    assert counts["error"] > counts["full"] > 0
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    line = f"{counts['error']} errors left out (more than were scored), at least 90.0%: MISSED"
    assert line in result.stdout.str()


def test_a_403_before_any_success_ends_the_model(project: Project, start_server: StartServer) -> None:
    server = start_server(lambda _request: (403, json.dumps(rejected("no"))))
    args = f"--ultra-base-url={server.url}", "--ultra-model=forbidden", "--ultra-concurrency=1"
    project.run(*NO_XDIST, *args, "--ultra-prompt-type=optimal").assert_outcomes(errors=5)
    assert len(server.requests) == 1
