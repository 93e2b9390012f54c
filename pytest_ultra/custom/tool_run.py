"""Calls of a user's tools: what an agent's arguments come to, and what the call changed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import ToolResult
from pytest_ultra.custom.episode_world import State, World, find_change, places, to_json
from pytest_ultra.custom.suite_tool import Tool
from pytest_ultra.custom.tool_definition import ToolError
from pytest_ultra.errors import ToolServerError


class CallErrorCode(StrEnum):
    """The codes of errors that an agent earns; a tool can have others of its own (`ToolError`)."""

    UNKNOWN_TOOL = "UNKNOWN_TOOL"
    MALFORMED_ARGUMENTS = "MALFORMED_ARGUMENTS"  # the arguments are not a JSON object
    INVALID_ARGUMENTS = "INVALID_ARGUMENTS"  # they break the tool's schema, or the tool raised ValueError
    NOT_FOUND = "NOT_FOUND"  # the tool raised LookupError
    TOOL_FAILED = "TOOL_FAILED"  # the tool raised another exception


class Stage:
    """The world of one episode, and its tools. `snapshot` reads the state of a world that is no `World`."""

    def __init__(self, world: Any, tools: Mapping[str, Tool], snapshot: Callable[[Any], Any] | None = None) -> None:
        self.world = world
        self._tools = tools
        self._snapshot = snapshot

    @property
    def is_copied(self) -> bool:
        """Whether the world can be copied, so that a call can be made on trial."""
        return self._snapshot is None

    def state(self) -> State:
        """Return the state of the world. Raises TypeError if it is no JSON object."""
        if self._snapshot is None:
            state: State = self.world.state()
            return state
        found = to_json(self._snapshot(self.world), "what snapshot returns", "deterministic")
        if not isinstance(found, dict):
            raise TypeError(f"snapshot returned {type(found).__name__}; return a dict of what the tools can change")
        return found

    def copy(self) -> Stage:
        """Return the same with a copy of the world; a world that cannot be copied is shared."""
        world = copy.deepcopy(self.world) if isinstance(self.world, World) else self.world
        return Stage(world, self._tools, self._snapshot)

    def close(self) -> None:
        """Close a world that can be closed, such as a connection."""
        close = getattr(self.world, "close", None)
        if not self.is_copied and callable(close):
            close()

    def call(self, name: str, arguments: dict[str, Json] | None) -> tuple[Stage, ToolResult]:
        """Call a tool. Return the world after it and what comes of it: an exception is a result, too.

        In a world that can be copied, an error changes nothing. Raises ToolServerError.
        """
        if name not in self._tools:
            return self, _failed(CallErrorCode.UNKNOWN_TOOL, f"You have no tool named {name[:100]!r}.")
        if arguments is None:
            return self, _failed(CallErrorCode.MALFORMED_ARGUMENTS, "The arguments are not a JSON object.")
        before, after = places(self.state()), self.copy()
        try:
            value = to_json(self._tools[name].run(after.world, arguments), f"the result of the tool {name!r}")
        except ToolServerError:
            raise
        except Exception as error:  # noqa: BLE001 - a tool of the user may raise anything
            if self.is_copied:
                return self, _as_result(error)
            return after, _with_change(_as_result(error), before, after)
        return after, _with_change(ToolResult(value=value), before, after)


def _as_result(error: Exception) -> ToolResult:
    if isinstance(error, ToolError):
        return _failed(error.code, error.message)
    if isinstance(error, LookupError):
        return _failed(CallErrorCode.NOT_FOUND, repr(error.args[0]) if error.args else "")
    if isinstance(error, ValueError | msgspec.ValidationError):
        return _failed(CallErrorCode.INVALID_ARGUMENTS, str(error))
    return _failed(CallErrorCode.TOOL_FAILED, f"{type(error).__name__}: {error}".removesuffix(": "))


def _failed(code: str, message: str) -> ToolResult:
    return ToolResult(code=str(code), message=message)


def _with_change(result: ToolResult, before: Any, after: Stage) -> ToolResult:
    change = find_change(before, places(after.state()))
    return msgspec.structs.replace(result, change=change) if change.removed or change.added else result
