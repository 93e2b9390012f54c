"""Call a tool by name, as an agent does: errors are results, never exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.base import EarnedCode, EarnedError, Effect
from pytest_ultra.benchmark.tools.inputs import format_value, quote
from pytest_ultra.benchmark.tools.previews import preview
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import ToolResult

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator


def invoke(world: World, name: str, arguments: dict[str, Any] | None) -> tuple[World, ToolResult]:
    """Call a tool in a world, without faults. Only a successful call changes the world."""
    try:
        effect = _run(world, name, arguments)
    except EarnedError as error:
        return world, ToolResult(code=error.code.value, message=error.message)
    if not effect.artefact:
        return effect.world, ToolResult(value=effect.value)
    handle = f"data_{len(effect.world.artefacts) + 1}"
    kept = replace(effect.world, artefacts={**effect.world.artefacts, handle: effect.value})
    return kept, ToolResult(handle=handle, value=preview(handle, effect.value))


def replace_artefact(world: World, result: ToolResult, value: Json) -> tuple[World, ToolResult]:
    """Give the artefact of a successful call another value; a result without an artefact stays as it is."""
    handle = result.handle
    if handle is None:
        return world, result
    changed = replace(world, artefacts={**world.artefacts, handle: value})
    return changed, replace(result, value=preview(handle, value))


def _run(world: World, name: str, arguments: dict[str, Any] | None) -> Effect:
    tool = TOOLS.get(name)
    if tool is None:
        raise EarnedError(EarnedCode.UNKNOWN_TOOL, f"There is no tool named {quote(name)}.")
    if arguments is None:
        raise EarnedError(EarnedCode.MALFORMED_ARGUMENTS, "The arguments are not a JSON object.")
    if not _validator(name).is_valid(arguments):
        raise EarnedError(EarnedCode.INVALID_ARGUMENTS, _describe_violation(name, arguments))
    return tool.run(world, arguments)


def find_violation(name: str, arguments: dict[str, Any]) -> str | None:
    """Return how arguments break the schema of a tool, as a call would say it; None if they do not."""
    return None if _validator(name).is_valid(arguments) else _describe_violation(name, arguments)


def _describe_violation(name: str, arguments: dict[str, Any]) -> str:
    """Describe the first violation of the schema, in words that do not depend on the validator's version."""
    places = ((error.instance_path, error.schema_path) for error in _validator(name).iter_errors(arguments))
    instance_path, schema_path = min(places, key=lambda place: [str(part) for part in place[1]])
    rule = schema_path[-1]
    constraint, given = _follow(schema_path, TOOLS[name].parameters), _follow(instance_path, arguments)
    where = ".".join(str(part) for part in instance_path) or "arguments"
    if rule == "required":
        return f"{where}: {', '.join(repr(key) for key in constraint if key not in given)} is missing."
    if rule == "additionalProperties":
        unknown = next(key for key in given if key not in TOOLS[name].parameters["properties"])
        return f"{where}: there is no argument {quote(unknown)}."
    if rule in ("enum", "type"):
        possible = constraint if isinstance(constraint, str) else ", ".join(constraint)
        return f"{where}: {format_value(given)} is not {'of type' if rule == 'type' else 'one of'} {possible}."
    return f"{where}: {format_value(given)} breaks the rule {rule} {constraint}."


def _follow(path: Iterable[str | int], value: Any) -> Any:
    for part in path:
        value = value[part]
    return value


@cache
def _validator(name: str) -> Draft202012Validator:
    import jsonschema_rs  # noqa: PLC0415 - needed only where tools are called, not where they are listed

    return jsonschema_rs.Draft202012Validator(TOOLS[name].parameters)
