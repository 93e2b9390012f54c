"""Endpoints that stream, with a perfect model behind: every episode must be full, asked for a stream or not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.providers.streams.streamed import DONE, event, events_of
from tests.run.plan_model import follow_plan
from tests.run.project import NO_XDIST, ONE_CASE, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer

StartServer = Callable[[Script], ScriptedServer]
FAULTLESS = "--ultra-tool-success-rate=1"
FIVE = ("--ultra-prompt-type=optimal", FAULTLESS)


def follow_plan_streamed(body: dict[str, Any], *, end: bytes = DONE) -> str:
    events = events_of(json.loads(follow_plan(body)), 7)
    return (b": ping\n\n" + b"".join(map(event, events)) + end).decode()


def only_streams(request: ReceivedRequest) -> tuple[int, str]:
    if request.body.get("stream") is not True:
        return 400, json.dumps({"error": {"message": "This model only support stream mode, please enable the stream."}})
    return 200, follow_plan_streamed(request.body)


def refuses_stream_options(request: ReceivedRequest) -> tuple[int, str]:
    if "stream_options" in request.body:
        return 400, json.dumps(
            {"error": {"message": "Unknown parameter: 'stream_options'.", "param": "stream_options"}}
        )
    return 200, follow_plan_streamed(request.body)


def always_streams(request: ReceivedRequest) -> tuple[int, str]:
    return 200, follow_plan_streamed(request.body)


def streams_if_asked(request: ReceivedRequest) -> tuple[int, str]:
    body = request.body
    return 200, follow_plan_streamed(body) if body.get("stream") else follow_plan(body)


def args_of(server: ScriptedServer) -> tuple[str, ...]:
    return f"--ultra-base-url={server.url}", "--ultra-model=m"


def test_replies_are_streamed_on_demand_and_the_first_token_is_timed(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    server = start_server(streams_if_asked)
    project.run(*xdist_on_off, *args_of(server), *FIVE, "--ultra-stream=on").assert_outcomes(passed=5)
    assert all(request.body["stream"] is True for request in server.requests)
    assert all(request.body["stream_options"] == {"include_usage": True} for request in server.requests)
    for episode in project.episodes():
        assert 0 < episode["first_token_s"] <= episode["model_time_s"]
        assert episode["completion_tokens"] == 3 * episode["turns"]
    attempts = [
        event for line in project.journaled_episodes() for event in line["transcript"] if event["type"] == "attempt"
    ]
    assert all(0 < attempt["first_token_s"] <= attempt["duration_s"] for attempt in attempts)
    [report] = project.path.glob(".ultra/runs/*/report.html")
    assert "First token" in report.read_text()


@pytest.mark.parametrize("mode", ["auto", "off"])
def test_a_stream_that_was_not_asked_for_is_read(project: Project, start_server: StartServer, mode: str) -> None:
    server = start_server(always_streams)
    result = project.run(*NO_XDIST, *args_of(server), *FIVE, f"--ultra-stream={mode}")
    result.assert_outcomes(passed=5)
    assert "asked again" not in result.stdout.str()
    assert all(request.body["stream"] is False for request in server.requests)


def test_without_a_stream_no_first_token_is_shown(project: Project, start_server: StartServer) -> None:
    project.run(*NO_XDIST, *args_of(start_server(streams_if_asked)), *ONE_CASE, FAULTLESS).assert_outcomes(passed=1)
    assert project.episodes()[0]["first_token_s"] is None
    [report] = project.path.glob(".ultra/runs/*/report.html")
    assert "First token" not in report.read_text()


@pytest.mark.parametrize(
    ("script", "mode", "change"),
    [(only_streams, "auto", "with streaming"), (refuses_stream_options, "on", "without stream_options")],
)
def test_what_an_endpoint_says_about_streams_is_followed_once_and_said(
    project: Project, start_server: StartServer, script: Script, mode: str, change: str
) -> None:
    server = start_server(script)
    result = project.run(*NO_XDIST, *args_of(server), *FIVE, f"--ultra-stream={mode}", "--ultra-concurrency=1")
    result.assert_outcomes(passed=5)
    lines = [line for line in result.stdout.str().splitlines() if "was asked again" in line]
    assert len(lines) == 1
    assert f"model m was asked again {change}: " in lines[0]


def test_an_endpoint_that_only_streams_is_not_asked_for_a_stream_if_that_is_off(
    project: Project, start_server: StartServer
) -> None:
    server = start_server(only_streams)
    result = project.run(*NO_XDIST, *args_of(server), *ONE_CASE, FAULTLESS, "--ultra-stream=off")
    result.assert_outcomes(errors=1)
    assert "only support stream mode" in project.episodes()[0]["error"]


class FaultyStream:
    """Streams with one fault in each second answer."""

    def __init__(self, spoil: Callable[[str], str]) -> None:
        self._spoil = spoil
        self._count = Counter[str]()

    def __call__(self, request: ReceivedRequest) -> tuple[int, str]:
        self._count["answers"] += 1
        text = follow_plan_streamed(request.body)
        return 200, self._spoil(text) if self._count["answers"] % 2 else text


OVERLOADED = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
FAULTS: dict[str, tuple[Callable[[str], str], bool]] = {
    "error event": (lambda text: text[: text.index("data: ", 200)] + OVERLOADED, True),
    "error object": (lambda text: text[: text.index("data: ", 200)] + 'data: {"error":{"code":503}}\n\n', True),
    "cut": (lambda text: text[:250], True),
    "not JSON": (lambda text: text.replace('"finish_reason": null}', "", 1), True),
    "no [DONE]": (lambda text: text.replace("data: [DONE]\n\n", ""), False),
    "CRLF": (lambda text: text.replace("\n", "\r\n"), False),
    "BOM": (lambda text: "\ufeff" + text, False),
}


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_stream_is_never_the_models(project: Project, start_server: StartServer, fault: str) -> None:
    spoil, is_retried = FAULTS[fault]
    server = start_server(FaultyStream(spoil))
    project.run(*NO_XDIST, *args_of(server), *ONE_CASE, FAULTLESS, "--ultra-stream=on").assert_outcomes(passed=1)
    [episode] = project.episodes()
    assert episode["requests"] == len(server.requests) == episode["turns"] * (2 if is_retried else 1)


@pytest.mark.parametrize(("recorded", "replayed"), [("on", "off"), ("off", "on")])
def test_a_cassette_is_replayed_whatever_the_setting(
    project: Project, start_server: StartServer, recorded: str, replayed: str
) -> None:
    args = (*args_of(start_server(streams_if_asked)), *ONE_CASE, FAULTLESS, "--ultra-fresh")
    project.run(*NO_XDIST, *args, "--ultra-cassette=record", f"--ultra-stream={recorded}").assert_outcomes(passed=1)
    before = project.comparable_episodes()
    project.run(*NO_XDIST, *args, "--ultra-cassette=replay", f"--ultra-stream={replayed}").assert_outcomes(passed=1)
    assert project.comparable_episodes() == before


def test_an_unknown_mode_is_an_error_with_the_valid_ones(project: Project) -> None:
    result = project.run(*NO_XDIST, "--ultra-model=demo", "--ultra-stream=yes")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--ultra-stream: *yes*auto, on, off*"])


def test_the_demo_endpoint_is_never_asked_for_a_stream(project: Project) -> None:
    project.run(*NO_XDIST, "--ultra-model=demo/perfect", *ONE_CASE, FAULTLESS, "--ultra-stream=on").assert_outcomes(
        passed=1
    )
