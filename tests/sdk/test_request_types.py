"""What we send in each dialect and protocol is what the types of the official SDKs take."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import msgspec
import pytest
import typing_extensions

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
    return import_module("pydantic").TypeAdapter(with_lists(kind, {})).validate_python(value)


def with_lists(kind: Any, seen: dict[Any, Any]) -> Any:
    """Return a type with lists in place of iterables, whose items pydantic would validate only when they are read.

    A TypedDict inside itself is taken for anything.
    """
    if typing.is_typeddict(kind) or typing_extensions.is_typeddict(kind):
        if kind not in seen:
            seen[kind] = Any
            hints = typing_extensions.get_type_hints(kind, include_extras=True)
            fields = {name: _field(kind, name, hint, seen) for name, hint in hints.items()}
            seen[kind] = typing_extensions.TypedDict(kind.__name__, fields)  # type: ignore[operator]
        return seen[kind]
    origin, arguments = typing.get_origin(kind), tuple(with_lists(each, seen) for each in typing.get_args(kind))
    if origin is typing.IO:
        return Any
    if origin is Iterable:
        return list[arguments[0]]  # type: ignore[valid-type]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[arguments]  # noqa: UP007 - of a tuple
    return origin[arguments] if origin in (list, dict) else kind


def _field(kind: Any, name: str, hint: Any, seen: dict[Any, Any]) -> Any:
    """Return a field's type; text annotations hide from `__required_keys__` which are marked as required."""
    origin = typing.get_origin(hint)
    is_marked = origin in (typing_extensions.Required, typing_extensions.NotRequired)
    inner = with_lists(typing.get_args(hint)[0] if is_marked else hint, seen)
    is_required = origin is typing_extensions.Required if is_marked else name in kind.__required_keys__
    return inner if is_required else typing_extensions.NotRequired[inner]


@every_dialect
def test_openais_types_take_chat_completions_in_every_dialect(dialect: Dialect) -> None:
    params = import_module("openai.types.chat.completion_create_params")
    body = body_in(dialect)
    kind = params.CompletionCreateParamsNonStreaming
    checked = validate(kind, body)
    assert len(checked["messages"]) == len(body["messages"])
    assert body.keys() <= kind.__annotations__.keys() | fields_of_bases(kind)


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
    genai = import_module("google.genai.types")
    for schemas in Schemas:
        body = gemini_contents.render_body(request(), Dialect(limit_name="max_output_tokens", schemas=schemas))
        config = genai.GenerateContentConfig.model_validate(body["config"])
        assert len(config.tools[0].function_declarations) == len(TOOLS)
        for content in body["contents"]:
            read = genai.Content.model_validate_json(json.dumps(content))
            assert len(read.parts) == len(content["parts"])


def test_googles_types_take_the_schemas_of_its_compatible_dialect() -> None:
    """The layer turns them into its own schemas, which have no lists of types."""
    genai = import_module("google.genai.types")
    for tool in body_in(PROVIDER_DIALECTS["google"].dialect)["tools"]:
        declared = {**tool["function"]}
        genai.FunctionDeclaration.model_validate(declared)


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
    params = import_module("openai.types.chat.completion_create_params")
    with pytest.raises(import_module("pydantic").ValidationError):
        validate(params.CompletionCreateParamsNonStreaming, body_in(Dialect()) | wrong)


def fields_of_bases(kind: Any) -> set[str]:
    return {name for base in getattr(kind, "__orig_bases__", ()) for name in getattr(base, "__annotations__", {})}
