"""Tools as Python functions whose signatures and docstrings say what their schemas say."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Literal

from pytest_ultra.core.json_types import Json, ToolSchema

_TYPES: Mapping[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None}

SyncCall = Callable[[str, dict[str, Json]], str]
AsyncCall = Callable[[str, dict[str, Json]], Awaitable[str]]


def make_function(schema: ToolSchema, call: SyncCall) -> Callable[..., str]:
    """Return a function that calls a tool; `schema` is an entry of `tools` in OpenAI's chat completions.

    Arguments that may be left out have the default None, and are not passed on with it.
    """
    name, signature = schema["function"]["name"], _signature(schema)

    def function(*args: Any, **kwargs: Any) -> str:
        return call(name, _bind(signature, args, kwargs))

    return _dress(function, schema, signature)


def make_async_function(schema: ToolSchema, call: AsyncCall) -> Callable[..., Awaitable[str]]:
    """Return a coroutine function that calls a tool, like `make_function`."""
    name, signature = schema["function"]["name"], _signature(schema)

    async def function(*args: Any, **kwargs: Any) -> str:
        return await call(name, _bind(signature, args, kwargs))

    return _dress(function, schema, signature)


def _bind(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Json]:
    """Return the arguments by name. A tool judges them itself, so that unknown ones are passed on."""
    names = list(signature.parameters)
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return {name: value for name, value in given.items() if not (value is None and _is_optional(signature, name))}


def _is_optional(signature: inspect.Signature, name: str) -> bool:
    return name in signature.parameters and signature.parameters[name].default is None


def _dress(function: Callable[..., Any], schema: ToolSchema, signature: inspect.Signature) -> Callable[..., Any]:
    described = schema["function"]
    function.__name__ = function.__qualname__ = described["name"]
    function.__doc__ = _docstring(schema)
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()} | {"return": str}
    return function


def _signature(schema: ToolSchema) -> inspect.Signature:
    parameters = schema["function"].get("parameters", {})
    required = parameters.get("required", ())
    names = sorted(_names(parameters), key=lambda name: name not in required)  # those without a default come first
    return inspect.Signature(
        [_parameter(name, parameters["properties"][name], is_required=name in required) for name in names],
        return_annotation=str,
    )


def _names(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that Python can have; others can be passed as keywords alone."""
    for name in parameters.get("properties", {}):
        if name.isidentifier() and not keyword.iskeyword(name):
            yield name


def _parameter(name: str, schema: Mapping[str, Any], *, is_required: bool) -> inspect.Parameter:
    annotation = _annotation(schema)
    if is_required:
        return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=_union([annotation, None])
    )


def _annotation(schema: Mapping[str, Any]) -> Any:
    """Return the Python type of a JSON Schema."""
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    kinds = schema.get("type", ())
    if isinstance(kinds, str):
        return _of_kind(kinds, schema)
    return _union([_of_kind(kind, schema) for kind in kinds]) if kinds else Any


def _of_kind(kind: str, schema: Mapping[str, Any]) -> Any:
    if kind == "array":
        return list[_annotation(schema.get("items", {}))]  # type: ignore[misc]
    if kind == "object":
        values = schema.get("additionalProperties")
        return dict[str, _annotation(values) if isinstance(values, dict) else Any]  # type: ignore[misc]
    return _TYPES.get(kind, Any)


def _union(types: list[Any]) -> Any:
    if Any in types:
        return Any
    united = types[0]
    for other in types[1:]:
        united = united | other
    return united


def _docstring(schema: ToolSchema) -> str:
    """Return the description, and those of the arguments in Google's style, which frameworks read."""
    described = schema["function"]
    properties = described.get("parameters", {}).get("properties", {})
    lines = [f"    {name}: {one['description']}" for name, one in properties.items() if one.get("description")]
    return "\n".join([described.get("description", ""), *(["", "Args:", *lines] if lines else [])])
