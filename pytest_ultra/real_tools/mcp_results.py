"""Results of MCP tools as JSON, and back. Text that repeats the structured content is changed with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import msgspec
from mcp.types import CallToolResult, TextContent

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.json_types import Json
from pytest_ultra.errors import ToolFaultError
from pytest_ultra.faults.result_mutation import read_held


class McpResult:
    """The results of one tool of an MCP server, and the schema that its structured content has to fit."""

    def __init__(self, output_schema: Mapping[str, Json] | None) -> None:
        self._validator = None if output_schema is None else make_validator(output_schema)

    def read(self, result: Any) -> Json:
        """Return the structured content, else the text: several texts as a list."""
        if not isinstance(result, CallToolResult) or result.is_error:
            raise TypeError("an error, or a question to the client, cannot be wrong")
        if result.structured_content is not None:
            return result.structured_content
        texts = _texts(result)
        if not texts:
            raise ValueError("there is no text")
        return texts[0] if len(texts) == 1 else texts

    def write(self, result: CallToolResult, value: Json) -> CallToolResult:
        if result.structured_content is None:
            return _with_texts(result, [value] if isinstance(value, str) else value)
        if self._validator is not None and not self._validator.is_valid(value):
            raise ValueError("the value does not fit the tool's output schema")
        if not isinstance(value, type(result.structured_content)):
            raise TypeError("structured content keeps its type")
        shown = _with_texts(result, _repeat_as_text(_texts(result), result.structured_content, value))
        return shown.model_copy(update={"structured_content": value})

    def store(self, result: Any) -> tuple[Json, bool]:
        stored = result.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return stored, isinstance(result, CallToolResult)

    def load(self, stored: Json) -> CallToolResult:
        return CallToolResult.model_validate(stored)


def make_validator(schema: Mapping[str, Json]) -> Any:
    """Return a validator, None for a schema that is not valid itself."""
    try:
        return jsonschema_rs.validator_for(dict(schema))
    except (ValueError, TypeError):
        return None


def fault_result(error: ToolFaultError) -> CallToolResult:
    """Return an explicit fault as servers report the errors of tools."""
    content = {"error": error.code, "transient": error.kind == FaultKind.TRANSIENT, "message": error.message}
    return error_result(msgspec.json.encode(content).decode())


def error_result(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def result_text(result: CallToolResult) -> str:
    """Return all text of a result."""
    return "\n".join(_texts(result))


def _texts(result: CallToolResult) -> list[str]:
    return [block.text for block in result.content if isinstance(block, TextContent)]


def _with_texts(result: CallToolResult, texts: list[str]) -> CallToolResult:
    """Return the result with other texts in place of its own; their number may change if there is nothing but text."""
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("text stays text")
    old = _texts(result)
    if len(texts) != len(old):
        if len(old) != len(result.content):
            raise ValueError("texts between other blocks keep their number")
        return result.model_copy(update={"content": [TextContent(type="text", text=text) for text in texts]})
    left = iter(texts)
    content = [
        block.model_copy(update={"text": next(left)}) if isinstance(block, TextContent) else block
        for block in result.content
    ]
    return result.model_copy(update={"content": content})


def _repeat_as_text(texts: list[str], old: Json, new: Json) -> list[str]:
    """Return the texts for new structured content, written as they repeat the old one."""
    if not texts:
        return []
    pairs = [(old, new), *_unwrap(old, new)]
    if len(texts) == 1:
        found = next(filter(None, (_write_like(texts[0], *pair) for pair in pairs)), None)
        if found is not None:
            return [found]
    if isinstance(pairs[-1][0], list) and isinstance(pairs[-1][1], list):
        return _repeat_members(texts, *pairs[-1])
    raise ValueError("the text says something else than the structured content, and would give the fault away")


def _unwrap(old: Json, new: Json) -> list[tuple[Json, Json]]:
    """Return the values of an only field: servers wrap a result in one if it is no object."""
    is_wrapped = isinstance(old, dict) and isinstance(new, dict) and len(old) == 1 and list(old) == list(new)
    return list(zip(old.values(), new.values(), strict=True)) if is_wrapped else []


def _repeat_members(texts: list[str], old: list[Json], new: list[Json]) -> list[str]:
    """Return one text for each member of a list, written as the first text writes the first member."""
    written = [_write_like(texts[0], old[0], member) for member in new] if len(texts) == len(old) else [None]
    if None in written or any(_write_like(*both, both[1]) is None for both in zip(texts, old, strict=True)):
        raise ValueError("the texts say something else than the structured content")
    return [text for text in written if text is not None]


def _write_like(text: str, old: Json, new: Json) -> str | None:
    """Return a text for the new value, written as `text` writes the old one; None if that is not how it was written."""
    held = read_held(text)
    if held is not None:
        value, write = held
        return str(write(new)) if value == old else None
    if isinstance(old, str) and isinstance(new, str) and text == old:
        return new
    return next((str(write(new)) for write in (json.dumps, str) if write(old) == text), None)
