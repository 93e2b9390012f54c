"""Reference agents recognize a conversation from what a framework shows of it."""

from __future__ import annotations

import json
from typing import Any

from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.benchmark.shown_conversation import read_conversation, recognize
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.reference_agent import ReferenceAgent

PLAN = """Add it up.

1. Call reader with {"path": "a.csv"}
2. Call adder with {"data": "<output of step 1>"}"""
JOB = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"New task:\n{PLAN}"}]
OFFERED = ("reader", "adder", "final_answer")


def as_smolagents_writes(name: str, arguments: dict[str, Any], result: str) -> list[dict[str, str]]:
    call = {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": arguments}}
    return [
        {"role": "assistant", "content": f"I call {name}.\nCalling tools:\n{[call]}"},
        {"role": "user", "content": f"Observation:\n{result}"},
    ]


def test_native_messages_stay_as_they_are() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "reader", "arguments": "{}"}}
    messages: list[dict[str, Any]] = [
        *JOB,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": ""},
    ]
    assert read_conversation(messages) == messages


def test_calls_and_results_in_texts_are_read() -> None:
    written = as_smolagents_writes("reader", {"path": "it's"}, '{"handle": "data_1"}')
    assert read_conversation([*JOB, *written])[2:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "call_reader",
                    "type": "function",
                    "function": {"name": "reader", "arguments": '{"path":"it\'s"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_reader", "content": '{"handle": "data_1"}'},
    ]


def test_calls_that_cannot_be_read_are_none() -> None:
    broken = [{"role": "assistant", "content": "Calling tools:\n[{'id': 1"}, {"role": "user", "content": "Error:\n?"}]
    assert read_conversation([*JOB, *broken])[2:] == [
        {"role": "assistant", "content": "", "tool_calls": []},
        *as_read("rejected_3", "?"),
    ]


def as_read(call_id: str, result: str) -> list[dict[str, Any]]:
    call = {"id": call_id, "type": "function", "function": {"name": "", "arguments": "{}"}}
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": result},
    ]


def test_calls_that_the_framework_rejects_are_seen_by_their_errors() -> None:
    retry = "Error:\nNo such argument.\nNow let's retry: take care."
    result = as_smolagents_writes("reader", {}, "{}")
    result[1]["content"] += f"\n{retry}\n{retry}"
    read = read_conversation([*JOB, {"role": "user", "content": retry}, *result])
    results = [message["content"].partition("\n")[0] for message in read if message["role"] == "tool"]
    assert results == ["No such argument.", "{}", "No such argument.", "No such argument."]
    assert [message["role"] for message in read[2:]] == ["assistant", "tool"] * 4


def test_a_follower_needs_nothing_but_the_conversation() -> None:
    messages = list(JOB)
    made = []
    for result in ('{"handle": "data_1"}', '{"handle": "data_2", "value": 3}'):
        knowledge = recognize(ReferenceAgent.FOLLOWER, messages, OFFERED)
        assert knowledge is not None
        (call,) = act(ReferenceAgent.FOLLOWER, messages, knowledge).tool_calls
        made.append((call.name, json.loads(call.arguments)))
        messages += as_smolagents_writes(call.name, json.loads(call.arguments), result)
    assert made == [("reader", {"path": "a.csv"}), ("adder", {"data": "data_1"})]
    knowledge = recognize(ReferenceAgent.FOLLOWER, messages, OFFERED)
    assert knowledge is not None
    (last,) = act(ReferenceAgent.FOLLOWER, messages, knowledge).tool_calls
    assert (last.name, json.loads(last.arguments)["answer"].partition("\n")[0]) == ("final_answer", "Done.")


def test_an_agent_that_knows_the_solution_cannot_be_played_without_it() -> None:
    assert recognize(ReferenceAgent.PERFECT, JOB, OFFERED) is None
    knowledge = recognize(ReferenceAgent.NULL, JOB[:1], ())
    assert knowledge is not None
    assert (knowledge.prompt_type, knowledge.turn, knowledge.reference.steps) == (PromptType.BASELINE, 1, ())


def test_a_tool_is_called_by_the_name_that_the_client_gives_it() -> None:
    def call(*offered: str) -> str:
        knowledge = recognize(ReferenceAgent.FOLLOWER, JOB, offered)
        assert knowledge is not None
        (made,) = act(ReferenceAgent.FOLLOWER, JOB, knowledge).tool_calls
        return made.name

    assert call("bash", "mcp__tools__reader", "mcp__tools__adder") == "mcp__tools__reader"
    assert call("other_reader", "reader") == "reader"
    assert call("proofreader", "tools.reader") == "tools.reader"
    assert call("proofreader") == "reader"
