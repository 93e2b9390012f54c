"""Conversations in each dialect: what is rendered is acceptable, and loses no call, id or result."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.tools import TOOLS, tool_schema
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message
from pytest_ultra.providers.dialects.call_ids import make_call_id, shorten_call_id
from pytest_ultra.providers.dialects.dialect import Dialect, EmptyContent, Schemas
from pytest_ultra.providers.dialects.render import render_messages, render_tools
from pytest_ultra.providers.dialects.schemas import simplify
from tests.providers.requests_made import make_request

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_fields = st.dictionaries(
    st.sampled_from(["reasoning_content", "reasoning_details", "extra_content"]), _texts, max_size=2
)
_calls = st.builds(
    lambda call_id, name, arguments, extra: {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
        **extra,
    },
    _texts.filter(bool),
    _texts,
    _texts | st.just('{"x":1}'),
    _fields,
)
_turns = st.lists(
    st.tuples(st.lists(_calls, min_size=1, max_size=3, unique_by=lambda call: call["id"]), _texts, _fields), max_size=4
)
_dialects = st.builds(
    Dialect,
    has_short_ids=st.booleans(),
    has_tool_names=st.booleans(),
    empty_content=st.sampled_from(EmptyContent),
    is_system_folded=st.booleans(),
    filled=st.sampled_from([frozenset(), frozenset({"reasoning_content"})]),
)


def request_of(turns: list[tuple[list[dict[str, Any]], str, dict[str, Any]]]) -> ChatRequest:
    messages: list[Message] = [{"role": "system", "content": "Be good."}, {"role": "user", "content": "Do it."}]
    for calls, text, extra in turns:
        messages.append({**extra, "role": "assistant", "content": text, "tool_calls": calls})
        messages += [
            {"role": "tool", "tool_call_id": call["id"], "content": f"{number}"} for number, call in enumerate(calls)
        ]
    return msgspec.structs.replace(make_request(), messages=tuple(messages))


@given(_turns, _dialects)
def test_no_dialect_loses_a_call_an_id_a_result_or_an_unknown_field(
    turns: list[tuple[list[dict[str, Any]], str, dict[str, Any]]], dialect: Dialect
) -> None:
    rendered = render_messages(request_of(turns), dialect)
    texts = [message.get("content") or "" for message in rendered if message["role"] in ("system", "user")]
    assert "\n\n".join(texts) == "Be good.\n\nDo it."
    assistants = [message for message in rendered if message["role"] == "assistant"]
    assert [message.get("content") or "" for message in assistants] == [text for _, text, _ in turns]
    results = [message for message in rendered if message["role"] == "tool"]
    made = [call for message in assistants for call in message["tool_calls"]]
    assert [result["tool_call_id"] for result in results] == [call["id"] for call in made]
    asked = [call for calls, _, _ in turns for call in calls]
    for sent, call in zip(made, asked, strict=True):
        assert sent["id"] == (shorten_call_id(call["id"]) if dialect.has_short_ids else call["id"])
        assert sent["function"]["arguments"] == call["function"]["arguments"]
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", sent["function"]["name"])
        assert {name: sent[name] for name in sent.keys() - {"id", "type", "function"}} == {
            name: value for name, value in call.items() if name not in ("id", "type", "function")
        }
    for message, (_, _, extra) in zip(assistants, turns, strict=True):
        assert {name: message.get(name) for name in extra} == extra
        assert dialect.filled <= message.keys()


@given(st.integers(1, 9999), st.integers(1, 129))
def test_ids_that_we_make_are_nine_letters_or_digits(turn: int, number: int) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9]{9}", make_call_id(turn, number))
    assert shorten_call_id(make_call_id(turn, number)) == make_call_id(turn, number)


@pytest.mark.parametrize("call_id", ["", "call_abc", "functions.read:0", "x" * 99])
def test_other_ids_become_nine_letters_or_digits(call_id: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9]{9}", shorten_call_id(call_id))


def first_assistant(dialect: Dialect, *, text: str = "", **extra: Any) -> Message:
    call = {"id": "call_1", "type": "function", "function": {"name": "no tool!", "arguments": "{}"}}
    return render_messages(request_of([([call], text, extra)]), dialect)[2]


@pytest.mark.parametrize(
    ("empty_content", "expected"),
    [(EmptyContent.TEXT, {"content": ""}), (EmptyContent.NULL, {"content": None}), (EmptyContent.ABSENT, {})],
)
def test_the_content_beside_calls_is_what_the_dialect_says(empty_content: EmptyContent, expected: Message) -> None:
    message = first_assistant(Dialect(empty_content=empty_content))
    assert {name: value for name, value in message.items() if name == "content"} == expected
    assert first_assistant(Dialect(empty_content=empty_content), text="Hm.")["content"] == "Hm."


def test_a_name_that_no_endpoint_takes_is_made_acceptable() -> None:
    [call] = first_assistant(Dialect())["tool_calls"]
    assert call["function"]["name"] == "no_tool_"


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (Dialect(), {"reasoning_content": "Hm.", "signature": "x"}),
        (Dialect(echoed=frozenset({"reasoning_content"})), {"reasoning_content": "Hm."}),
        (Dialect(echoed=frozenset()), {}),
        (Dialect(dropped=frozenset({"reasoning_content"})), {"signature": "x"}),
    ],
)
def test_unknown_fields_are_echoed_as_the_dialect_says(dialect: Dialect, expected: Message) -> None:
    message = first_assistant(dialect, reasoning_content="Hm.", signature="x")
    assert {name: message[name] for name in message.keys() - {"role", "content", "tool_calls"}} == expected


def test_tool_messages_carry_the_name_of_the_call_if_the_dialect_wants_it() -> None:
    request = request_of([([{"id": "a", "type": "function", "function": {"name": "read", "arguments": "{}"}}], "", {})])
    assert render_messages(request, Dialect(has_tool_names=True))[-1]["name"] == "read"


def keywords(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(keywords, schema)) if schema else set()
    if not isinstance(schema, dict):
        return set()
    inner = {name: value for name, value in schema.items() if name in ("items", "additionalProperties", "anyOf")}
    named = schema.get("properties", {})
    return schema.keys() | keywords(list(inner.values())) | keywords(list(named.values()))


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("schemas", [Schemas.PLAIN, Schemas.BARE])
def test_simpler_schemas_are_valid_and_have_no_lists_of_types(name: str, schemas: Schemas) -> None:
    simple = simplify(TOOLS[name].parameters, schemas)
    assert jsonschema_rs.meta.is_valid(simple)
    assert '"type":[' not in msgspec.json.encode(simple).decode()
    assert not keywords(simple) & {"minLength", "maxLength", "pattern", "minItems", "uniqueItems", "minProperties"}
    assert simple["properties"].keys() == TOOLS[name].parameters["properties"].keys()


def test_a_list_of_types_becomes_alternatives_and_then_nothing() -> None:
    schema = {"type": ["array", "null"], "items": {"type": ["string", "number"]}, "maxItems": 3}
    assert simplify(schema, Schemas.PLAIN) == {
        "items": {"anyOf": [{"type": "string"}, {"type": "number"}]},
        "anyOf": [{"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "number"}]}}, {"type": "null"}],
    }
    assert simplify(schema, Schemas.BARE) == {"type": "array", "items": {}}


def test_tools_are_sent_as_they_are_where_the_endpoint_takes_all_of_json_schema() -> None:
    tools = tuple(tool_schema(tool) for tool in TOOLS.values())
    assert render_tools(tools, Schemas.FULL) is tools
    assert len(json.loads(msgspec.json.encode(render_tools(tools, Schemas.PLAIN)))) == len(tools)
