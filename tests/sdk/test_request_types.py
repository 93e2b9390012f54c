"""What we send in each dialect and protocol is what the types of the official SDKs take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import msgspec
import pytest

from pytest_ultra.benchmark.tools import TOOLS, tool_schema
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message
from pytest_ultra.providers.dialects.dialect import Dialect, EmptyContent, Schemas
from pytest_ultra.providers.dialects.provider_dialects import GENERIC, PROVIDER_DIALECTS
from pytest_ultra.providers.sdk import gemini_contents, messages, responses
from pytest_ultra.providers.wire import encode_request
from tests.providers.requests_made import make_request

Fields = dict[str, Any]

TRAITS = {
    "short ids": Dialect(has_short_ids=True),
    "tool names": Dialect(has_tool_names=True),
    "content null": Dialect(empty_content=EmptyContent.NULL),
    "content absent": Dialect(empty_content=EmptyContent.ABSENT),
    "system folded": Dialect(is_system_folded=True),
    "plain schemas": Dialect(schemas=Schemas.PLAIN),
    "bare schemas": Dialect(schemas=Schemas.BARE),
    "tool choice": Dialect(tool_choice="auto"),
    "no limit": Dialect(limit_name=""),
    "other limit": Dialect(limit_name="max_completion_tokens"),
    "omitted": Dialect(omitted=frozenset({"stream", "temperature"})),
    "echoes nothing": Dialect(echoed=frozenset()),
    "dropped": Dialect(dropped=frozenset({"reasoning_content"})),
    "filled": Dialect(filled=frozenset({"reasoning_content"})),
}
DIALECTS = {
    **{name: spoken.dialect for name, spoken in PROVIDER_DIALECTS.items()},
    "generic": GENERIC,
    **TRAITS,
}
every_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)


def call(name: str, tool: str, arguments: str, **extra: object) -> Fields:
    return {"id": name, "type": "function", "function": {"name": tool, "arguments": arguments}, **extra}


CONVERSATION: tuple[Message, ...] = (
    {"role": "system", "content": "Be good."},
    {"role": "user", "content": "Do it."},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [call("call_1", "utility_cache", '{"action": "get"}'), call("b", "no such tool!", "{}")],
        "reasoning_content": "Hm.",
    },
    {"role": "tool", "tool_call_id": "call_1", "content": '{"result": [1, null]}'},
    {"role": "tool", "tool_call_id": "b", "content": '{"error": "unknown_tool", "transient": false, "message": "No."}'},
    {
        "role": "assistant",
        "content": "Next.",
        "tool_calls": [
            call("c", "utility_cache", '{"malformed_arguments": "{"}', extra_content={"google": {"x": "s"}})
        ],
        "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}],
    },
    {"role": "tool", "tool_call_id": "c", "content": "not json"},
    {"role": "assistant", "content": ""},
    {"role": "user", "content": "Go on."},
)


def request() -> ChatRequest:
    tools = tuple(tool_schema(tool) for tool in TOOLS.values())
    made = make_request(temperature=0.5, tools=tools)
    return msgspec.structs.replace(made, messages=CONVERSATION, offered=tuple(TOOLS))


def body_in(dialect: Dialect) -> Fields:
    body: Fields = json.loads(encode_request(request(), "m", dialect))
    return body


def validate(kind: Any, value: object) -> Any:
    """Validate a value to its depth. Raises pydantic's ValidationError."""
    return consume(import_module("pydantic").TypeAdapter(kind).validate_python(value))


def consume(value: Any) -> Any:
    """Return a validated value with lists in place of iterables, whose items pydantic validates when they are read."""
    if isinstance(value, dict):
        return {name: consume(inner) for name, inner in value.items()}
    return [consume(inner) for inner in value] if isinstance(value, Iterable) and not isinstance(value, str) else value


@every_dialect
def test_openais_types_take_chat_completions_in_every_dialect(dialect: Dialect) -> None:
    types = import_module("openai.types.chat.completion_create_params")
    body = body_in(dialect)
    kind = types.CompletionCreateParamsNonStreaming
    checked = validate(kind, body)
    assert len(checked["messages"]) == len(body["messages"])
    assert body.keys() <= kind.__annotations__.keys() | inherited(kind)


@every_dialect
def test_mistrals_model_takes_chat_completions_in_its_dialect(dialect: Dialect) -> None:
    kind = import_module("mistralai.client.models").ChatCompletionRequest
    body = body_in(dialect)
    if dialect.limit_name == "max_completion_tokens":
        assert "max_completion_tokens" not in kind.model_fields, "why Mistral's dialect has max_tokens"
        return
    checked = kind.model_validate(body)
    assert len(checked.messages) == len(body["messages"])
    assert body.keys() <= kind.model_fields.keys()


def test_anthropics_types_take_messages() -> None:
    kind = import_module("anthropic.types.message_create_params").MessageCreateParamsNonStreaming
    for schemas in Schemas:
        body = messages.render_body(request(), "claude", Dialect(limit_name="max_tokens", schemas=schemas))
        body |= body.pop("extra_body")
        checked = validate(kind, body)
        assert len(checked["messages"]) == len(body["messages"])


def test_anthropics_types_take_what_an_answer_contained() -> None:
    kind = import_module("anthropic.types.message_param").MessageParam
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "text", "text": "So."},
        {"type": "tool_use", "id": "a", "name": "read", "input": {}},
    ]
    assert len(validate(kind, {"role": "assistant", "content": blocks})["content"]) == len(blocks)


def test_openais_types_take_responses() -> None:
    kind = import_module("openai.types.responses.response_create_params").ResponseCreateParamsNonStreaming
    reasoning = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"}
    native = {"role": "assistant", "content": "", "native": {"responses": [reasoning]}}
    for schemas in Schemas:
        asked = msgspec.structs.replace(request(), messages=(*CONVERSATION, native))
        body = responses.render_body(asked, "gpt", msgspec.structs.replace(responses.DIALECT, schemas=schemas))
        body |= body.pop("extra_body")
        checked = validate(kind, body)
        assert len(checked["input"]) == len(body["input"])
        assert body["input"][-1] == reasoning


def test_googles_types_take_contents_and_configuration() -> None:
    types = import_module("google.genai.types")
    for schemas in Schemas:
        body = gemini_contents.render_body(request(), Dialect(limit_name="max_output_tokens", schemas=schemas))
        config = types.GenerateContentConfig.model_validate(body["config"])
        assert len(config.tools[0].function_declarations) == len(TOOLS)
        for content in body["contents"]:
            read = types.Content.model_validate_json(json.dumps(content))
            assert len(read.parts) == len(content["parts"])


def test_googles_types_take_the_schemas_of_its_compatible_dialect() -> None:
    """The layer turns them into its own schemas, which have no lists of types."""
    types = import_module("google.genai.types")
    for tool in body_in(PROVIDER_DIALECTS["google"].dialect)["tools"]:
        declared = {**tool["function"]}
        types.FunctionDeclaration.model_validate(declared)


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": [{"role": "tool", "content": "1"}]},
        {"messages": [{"role": "user", "content": 7}]},
        {"tool_choice": 3},
        {"max_tokens": "many"},
    ],
)
def test_the_types_reject_what_is_wrong(wrong: Fields) -> None:
    types = import_module("openai.types.chat.completion_create_params")
    with pytest.raises(import_module("pydantic").ValidationError):
        validate(types.CompletionCreateParamsNonStreaming, body_in(Dialect()) | wrong)


def inherited(kind: Any) -> set[str]:
    return {name for base in getattr(kind, "__orig_bases__", ()) for name in getattr(base, "__annotations__", {})}
