"""Reads the tools that a plan may name from any of the forms in which tools are described."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.flaws.own_plans.plan_document import NAME_RULE, TOOL_NAME, as_json

FORMS = (
    'give a list of OpenAI\'s function dicts, the listing of an MCP server ({"tools": [{"name": ..., '
    '"inputSchema": ...}]}), or an object of JSON Schemas by the tools\' names'
)
_SCHEMA_KEYS = ("parameters", "inputSchema", "input_schema")


class ToolDescription(msgspec.Struct, frozen=True):
    """One tool: `parameters` is the JSON Schema of its arguments, `output` that of its result, if it is known.

    `is_read_only` is what the listing says of the tool's effects; None if it says nothing.
    """

    name: str
    parameters: dict[str, Any]
    description: str = ""
    output: dict[str, Any] | None = None
    is_read_only: bool | None = None


def read_tools(document: Json, source: str = "the tools") -> dict[str, ToolDescription]:
    """Return the tools of a listing by name, in its order.

    Takes OpenAI's function dicts (of chat completions and of responses), tools of Anthropic's API, the result of
    MCP's `tools/list`, and a mapping of names to JSON Schemas. Raises ConfigurationError, which names the place.
    """
    plain = as_json(document, source)
    found: dict[str, ToolDescription] = {}
    for place, name, entry in _entries(plain, source):
        tool = _read_tool(name, entry, f"{source}: {place}")
        if tool.name in found:
            raise ConfigurationError(
                f"{source}: {place}: there are two tools {tool.name!r}; give each a name of its own"
            )
        found[tool.name] = tool
    if not found:
        raise ConfigurationError(f"{source} has no tool; {FORMS}")
    return found


def _entries(document: Json, source: str) -> Iterator[tuple[str, str | None, Json]]:
    """Yield each tool with its place, and its name if that is not in the entry."""
    if isinstance(document, dict) and isinstance(document.get("result"), dict):
        document = document["result"]  # an answer of JSON-RPC
    if isinstance(document, dict) and isinstance(document.get("tools"), list):
        yield from ((f"tools[{number}]", None, entry) for number, entry in enumerate(document["tools"]))
    elif isinstance(document, list):
        yield from ((f"[{number}]", None, entry) for number, entry in enumerate(document))
    elif isinstance(document, dict):
        yield from ((name, name, {"parameters": schema}) for name, schema in document.items())
    else:
        raise ConfigurationError(f"{source}: a {_type_name(document)} lists no tools; {FORMS}")


def _read_tool(name: str | None, entry: Json, place: str) -> ToolDescription:
    if not isinstance(entry, dict):
        raise ConfigurationError(f"{place}: a {_type_name(entry)} describes no tool; {FORMS}")
    inner = entry.get("function", entry)
    if not isinstance(inner, dict):
        raise ConfigurationError(f"{place}.function: a {_type_name(inner)} describes no function; {FORMS}")
    name = inner.get("name") if name is None else name
    if not isinstance(name, str) or not re.search(TOOL_NAME, name):
        raise ConfigurationError(f"{place}: {name!r} is no name of a tool; {NAME_RULE}")
    parameters = next((inner[key] for key in _SCHEMA_KEYS if key in inner), None)
    parameters = {"type": "object"} if parameters is None else parameters
    output = inner.get("outputSchema")
    annotations = {**_object(entry.get("annotations")), **_object(inner.get("annotations"))}
    hint = annotations.get("readOnlyHint")
    return ToolDescription(
        name,
        _checked_schema(parameters, place),
        description=str(inner.get("description") or ""),
        output=output if isinstance(output, dict) else None,
        is_read_only=hint if isinstance(hint, bool) else None,
    )


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _checked_schema(schema: Json, place: str) -> dict[str, Any]:
    """Return the schema of a tool's arguments, with `properties` and `required`; raise if no call can be checked."""
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise ConfigurationError(f"{place}: the schema of the arguments is not of type object; {FORMS}")
    make_validator(schema, place)
    properties = {name: _as_object(inner) for name, inner in schema.get("properties", {}).items()}
    return {**schema, "properties": properties, "required": list(schema.get("required", ()))}


def _as_object(schema: Json) -> dict[str, Any]:
    """Return the object that says the same as a boolean schema."""
    return schema if isinstance(schema, dict) else {} if schema else {"not": {}}


def make_validator(schema: dict[str, Any], place: str) -> Any:
    """Return a validator of the schema's own draft, which fetches nothing; raise ConfigurationError if it is none."""
    import jsonschema_rs  # noqa: PLC0415 - needed only where plans are checked

    try:
        return jsonschema_rs.validator_for(schema, retriever=_refuse)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        problem = str(getattr(error, "message", error)).partition("\n")[0]
        raise ConfigurationError(f"{place}: no valid JSON Schema: {problem[:300]}; {FORMS}") from None


def _refuse(address: str) -> Any:
    raise ValueError(f"{address} is elsewhere, and nothing is fetched")


def _type_name(value: Json) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
