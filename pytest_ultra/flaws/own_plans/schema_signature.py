"""What can be known of a tool from its description alone; see `flaws.tool_signature.ToolSignature`."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.output_path import Path
from pytest_ultra.core.workflow import Call, referenced_step
from pytest_ultra.flaws.own_plans.output_schema import find_part, is_misfit
from pytest_ultra.flaws.own_plans.tool_listing import ToolDescription, make_validator
from pytest_ultra.flaws.tool_signature import DataKind, ToolSignature

_LOOKING = re.compile(
    "check|compare|count|describe|download|exists|fetch|find|get|inspect|list|load|lookup|look|query|read|retrieve|"
    "returns?|search|select|show|stat|status|view"
)
_DOING = re.compile(
    "add|append|apply|approve|assign|book|call|cancel|charge|close|commit|convert|copy|create|delete|deploy|drop|edit|"
    "execute|insert|kill|merge|modify|move|notify|open|order|pay|place|post|publish|push|put|refund|remove|rename|"
    "replace|reset|restart|run|save|schedule|send|set|start|stop|store|submit|transfer|update|upload|upsert|write"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_COMBINATORS = ("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas")
_MAX_VALUE_CHARS = 80


class SchemaSignature:
    """See `flaws.tool_signature.ToolSignature`. Any argument can be an earlier output.

    `informs_reader` says that the plan at hand may leave the tool's output unused.
    """

    def __init__(self, tool: ToolDescription, *, informs_reader: bool = False) -> None:
        self.tool = tool
        self.parameters: dict[str, Any] = tool.parameters
        self.category = next(iter(_words(tool.name)), tool.name)
        self.takes: Collection[DataKind] = frozenset(DataKind)
        self.handles: Collection[str] = ()
        self.open_arguments: Collection[str] = tuple(tool.parameters["properties"])
        self.is_read_only = is_read_only(tool)
        self._informs_reader = informs_reader
        self._validators: dict[tuple[str, ...], tuple[Any, Json]] = {}

    def makes(self, _call: Call, /) -> DataKind | None:
        has_no_output = self.tool.output is not None and self.tool.output.get("type") == "null"
        return None if has_no_output else DataKind.UNKNOWN

    def unfit(self, argument: str, source: ToolSignature, path: Path) -> str | None:
        """Compare the types that the schemas name. A tool whose output is not described may return anything."""
        output = source.tool.output if isinstance(source, SchemaSignature) else None
        if output is None:
            return None
        try:
            part = find_part(output, path)
        except LookupError as error:
            return f"has no such part: {error.args[0]}"
        wanted = self.parameters["properties"].get(argument, {})
        return f"is of type {part['type']}" if is_misfit(part, wanted) else None

    def has_effect(self, _call: Call, /) -> bool:
        return not self.is_read_only

    def informs(self, call: Call) -> bool:
        return self._informs_reader or self.has_effect(call)

    def place(self, _call: Call, /) -> str | None:
        return None

    def fields(self, _call: Call, /) -> Collection[str]:
        return ()

    def columns(self, _call: Call, _before: Collection[str] | None, /) -> Collection[str] | None:
        return None

    def reads_as(self, _call: Call, /) -> str | None:
        return None

    def writes_as(self, _call: Call, /) -> str | None:
        return None

    def violation(self, call: Call) -> str | None:
        """Return how the call breaks the schema, outputs of steps fitting anywhere; None if it does not."""
        properties = self.parameters["properties"]
        has_combinators = any(key in self.parameters for key in _COMBINATORS)
        is_closed = bool(properties) and not has_combinators and "patternProperties" not in self.parameters
        unknown = [name for name in call.arguments if name not in properties]
        if is_closed and unknown and self.parameters.get("additionalProperties", False) is False:
            return f"there is no argument {unknown[0]!r}"
        references = tuple(sorted(name for name in call.arguments if referenced_step(call.arguments[name]) is not None))
        if references and has_combinators:
            return None
        validator, schema = self._validator(references)
        return _describe_first(validator, schema, call.arguments)

    def _validator(self, references: tuple[str, ...]) -> tuple[Any, Json]:
        if references not in self._validators:
            properties = {**self.parameters["properties"], **dict.fromkeys(references, True)}
            schema = {**self.parameters, "properties": properties}
            self._validators[references] = make_validator(schema, self.tool.name), schema
        return self._validators[references]


def _describe_first(validator: Any, schema: Json, arguments: dict[str, Json]) -> str | None:
    """Return the first violation, in words that do not depend on the validator's version; None if there is none."""
    if validator.is_valid(arguments):
        return None
    places = [(error.schema_path, error.instance_path) for error in validator.iter_errors(arguments)]
    schema_path, instance_path = min(places, key=lambda place: [list(map(str, path)) for path in place])
    rule, constraint, given = schema_path[-1], _follow(schema, schema_path), _follow(arguments, instance_path)
    where = "".join(f"{part}: " for part in [".".join(map(str, instance_path))] if part)
    if rule == "required" and isinstance(constraint, list):
        return f"{where}{next(name for name in constraint if name not in given)!r} is missing"
    limit = f" {_short(constraint)}" if constraint is not None else ""
    return f"{where}{_short(given)} breaks the rule {rule}{limit}"


def _follow(value: Json, path: Iterable[str | int]) -> Json:
    """Return what a path leads to; None if it passes a reference to another part of a schema."""
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return None
    return value


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_VALUE_CHARS else f"{text[:_MAX_VALUE_CHARS]}..."


def is_read_only(tool: ToolDescription) -> bool:
    """Return whether the tool only looks: as its listing says, else as its name or its description begins."""
    if tool.is_read_only is not None:
        return tool.is_read_only
    for word in (*_words(tool.name), *_words(tool.description)[:1]):
        if _LOOKING.fullmatch(word) or _DOING.fullmatch(word):
            return _LOOKING.fullmatch(word) is not None
    return False


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
