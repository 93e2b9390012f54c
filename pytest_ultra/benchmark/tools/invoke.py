"""Calling a tool by name, as an agent does: errors come back as results, never as exceptions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.base import EarnedCode, EarnedError, Effect, ToolResult
from pytest_ultra.benchmark.tools.inputs import quote
from pytest_ultra.benchmark.tools.previews import preview
from pytest_ultra.benchmark.world import World

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_LONGEST_REASON = 200


def parse_arguments(text: str) -> dict[str, Any] | None:
    """Read a call's arguments; None when the text is not one JSON object."""
    try:
        arguments = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def invoke(
    world: World, name: str, arguments: dict[str, Any] | None, fault: str | None = None
) -> tuple[World, ToolResult]:
    """Call a tool in a world. Only a success changes the world.

    `fault` is the transient error code that the call is to meet; an error that the agent earns comes before it.
    """
    try:
        effect = _run(world, name, arguments)
    except EarnedError as error:
        return world, ToolResult(code=error.code.value, message=error.message)
    if fault is not None:
        message = f"The call failed with the temporary error {fault}; nothing was changed."
        return world, ToolResult(code=fault, message=message, is_random=True)
    if not effect.artefact:
        return effect.world, ToolResult(value=effect.value)
    handle = f"data_{len(effect.world.artefacts) + 1}"
    kept = replace(effect.world, artefacts={**effect.world.artefacts, handle: effect.value})
    return kept, ToolResult(handle=handle, value=preview(handle, effect.value))


def _run(world: World, name: str, arguments: dict[str, Any] | None) -> Effect:
    tool = TOOLS.get(name)
    if tool is None:
        raise EarnedError(EarnedCode.UNKNOWN_TOOL, f"There is no tool named {quote(name)}.")
    if arguments is None:
        raise EarnedError(EarnedCode.MALFORMED_ARGUMENTS, "The arguments are not a JSON object.")
    if not _validator(name).is_valid(arguments):
        raise EarnedError(EarnedCode.INVALID_ARGUMENTS, _say_what_is_wrong(name, arguments))
    return tool.run(world, arguments)


def _say_what_is_wrong(name: str, arguments: dict[str, Any]) -> str:
    error = next(_validator(name).iter_errors(arguments))
    where = ".".join(map(str, error.instance_path)) or "arguments"
    reason = error.message
    return f"{where}: {reason if len(reason) <= _LONGEST_REASON else reason[:_LONGEST_REASON] + '...'}"


@cache
def _validator(name: str) -> Draft202012Validator:
    import jsonschema_rs  # noqa: PLC0415 - needed only where tools are called, not where they are listed

    return jsonschema_rs.Draft202012Validator(TOOLS[name].parameters)
