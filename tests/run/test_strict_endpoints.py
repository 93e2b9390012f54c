"""Endpoints that reject part of a request: the run adapts once, reports it, and does not blame the model."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply, tool_call_reply

StartServer = Callable[[Script], ScriptedServer]
NO_TEMPERATURE = "Unsupported value: 'temperature' does not support 0.5 with this model."


def reject_temperature(request: ReceivedRequest) -> tuple[int, str]:
    if "temperature" in request.body:
        return 400, json.dumps({"error": {"message": NO_TEMPERATURE}})
    return 200, text_reply("Done.")


def test_a_rejected_temperature_is_omitted_from_then_on_and_reported_once(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    server = start_server(reject_temperature)
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", "--ultra-temperature=0.5", "--ultra-concurrency=1")
    result = project.run(*xdist_on_off, *args, TEN_CASES)
    result.assert_outcomes(failed=10)
    rejected = [request for request in server.requests if "temperature" in request.body]
    processes = 2 if "-n2" in xdist_on_off else 1
    assert len(rejected) == processes, "once in each process"
    assert len(server.requests) == 10 + processes
    message = f"model m was asked again without temperature: {NO_TEMPERATURE}"
    assert result.stdout.str().splitlines().count(message) == 1
    attempts = [
        event
        for episode in project.journaled_episodes()
        for event in episode["transcript"]
        if event["type"] == "attempt"
    ]
    problems = [(event["problem"], event["status"]) for event in attempts if event["problem"]]
    assert problems == [("parameter", 400)] * processes


def test_a_request_rejected_even_without_the_parameter_is_an_error(project: Project, start_server: StartServer) -> None:
    server = start_server(lambda _request: (400, '{"error": {"message": "bad temperature"}}'))
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", "--ultra-temperature=0.5", *ONE_CASE)
    project.run(*NO_XDIST, *args).assert_outcomes(errors=1)
    assert ["temperature" in request.body for request in server.requests] == [True, False]


def reject_malformed_history(request: ReceivedRequest) -> tuple[int, str]:
    """Reject a history with arguments that are not a JSON object, as llama.cpp does."""
    answers = [message for message in request.body["messages"] if message["role"] == "assistant"]
    for call in (call for message in answers for call in message.get("tool_calls", ())):
        try:
            is_object = isinstance(json.loads(call["function"]["arguments"]), dict)
        except ValueError:
            is_object = False
        if not is_object:
            return 500, '{"error": {"message": "parse error in tool call arguments"}}'
    offered = request.body["tools"][0]["function"]["name"]
    return 200, text_reply("Done.") if answers else tool_call_reply(offered, '{"path": ')


def test_malformed_arguments_are_a_failure_of_the_model_even_with_a_strict_endpoint(
    project: Project, start_server: StartServer
) -> None:
    server = start_server(reject_malformed_history)
    project.run(*NO_XDIST, f"--ultra-base-url={server.url}", "--ultra-model=m", *ONE_CASE).assert_outcomes(failed=1)
    [episode] = project.episodes()
    assert (episode["failure_class"], episode["requests"]) == ("tool_call_format", 2)
    [reply, _] = [event for event in project.journaled_episodes()[0]["transcript"] if event["type"] == "reply"]
    assert reply["reply"]["tool_calls"][0]["arguments"] == '{"path": ', "the transcript keeps the malformed arguments"
