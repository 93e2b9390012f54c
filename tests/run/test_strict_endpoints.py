"""Endpoints that reject a part of a request: dealt with once, said, and never made the model's or the run's fault."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.run.running import NO_XDIST, ONE, TEN, Project
from tests.run.scripted import Asked, Script, Scripted, calls, says

Start = Callable[[Script], Scripted]
NO_TEMPERATURE = "Unsupported value: 'temperature' does not support 0.5 with this model."


def reasoner(asked: Asked) -> tuple[int, str]:
    if "temperature" in asked.body:
        return 400, json.dumps({"error": {"message": NO_TEMPERATURE}})
    return 200, says("Done.")


def test_a_rejected_temperature_is_left_out_from_then_on_and_said_once(
    project: Project, scripted: Start, extreme: tuple[str, ...]
) -> None:
    server = scripted(reasoner)
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", "--ultra-temperature=0.5", "--ultra-concurrency=1")
    result = project.run(*extreme, *args, TEN)
    result.assert_outcomes(failed=10)
    rejected = [asked for asked in server.asked if "temperature" in asked.body]
    processes = 2 if "-n2" in extreme else 1
    assert len(rejected) == processes, "each process finds out once"
    assert len(server.asked) == 10 + processes
    said = f"model m was asked again without temperature: {NO_TEMPERATURE}"
    assert result.stdout.str().splitlines().count(said) == 1
    attempts = [event for life in project.lives() for event in life["transcript"] if event["type"] == "attempt"]
    problems = [(event["problem"], event["status"]) for event in attempts if event["problem"]]
    assert problems == [("parameter", 400)] * processes


def test_an_endpoint_that_rejects_the_request_also_without_the_parameter_is_an_error(
    project: Project, scripted: Start
) -> None:
    server = scripted(lambda _asked: (400, '{"error": {"message": "bad temperature"}}'))
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", "--ultra-temperature=0.5", *ONE)
    project.run(*NO_XDIST, *args).assert_outcomes(errors=1)
    assert ["temperature" in asked.body for asked in server.asked] == [True, False]


def strict(asked: Asked) -> tuple[int, str]:
    """Take no history with arguments that are no JSON object, as llama.cpp does."""
    answers = [message for message in asked.body["messages"] if message["role"] == "assistant"]
    for call in (call for message in answers for call in message.get("tool_calls", ())):
        try:
            is_object = isinstance(json.loads(call["function"]["arguments"]), dict)
        except ValueError:
            is_object = False
        if not is_object:
            return 500, '{"error": {"message": "parse error in tool call arguments"}}'
    return 200, says("Done.") if answers else calls("file_operations_reader", '{"path": ')


def test_malformed_arguments_are_the_models_failure_also_with_a_strict_endpoint(
    project: Project, scripted: Start
) -> None:
    server = scripted(strict)
    project.run(*NO_XDIST, f"--ultra-base-url={server.url}", "--ultra-model=m", *ONE).assert_outcomes(failed=1)
    [episode] = project.episodes()
    assert (episode["failure_class"], episode["requests"]) == ("tool_call_format", 2)
    [reply, _] = [event for event in project.lives()[0]["transcript"] if event["type"] == "reply"]
    assert reply["reply"]["tool_calls"][0]["arguments"] == '{"path": ', "the evidence is kept"
