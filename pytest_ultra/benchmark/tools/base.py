"""The record of a tool, the effect of a call, and the errors that an agent can earn."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json


class EarnedCode(StrEnum):
    """Codes of errors that the agent earns; never random."""

    UNKNOWN_TOOL = "UNKNOWN_TOOL"
    NOT_DESCRIBED = "NOT_DESCRIBED"  # with tool discovery: the tool was called before it was described
    MALFORMED_CALL = "MALFORMED_CALL"  # text protocol: the call cannot be read
    MALFORMED_ARGUMENTS = "MALFORMED_ARGUMENTS"  # the arguments are not a JSON object
    INVALID_ARGUMENTS = "INVALID_ARGUMENTS"  # the arguments break the tool's schema
    UNKNOWN_HANDLE = "UNKNOWN_HANDLE"  # no earlier output has this handle
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    NOT_FOUND = "NOT_FOUND"  # the path, address, service, key ... does not exist
    WRONG_DATA = "WRONG_DATA"  # the tool cannot process this kind of input
    UNKNOWN_FIELD = "UNKNOWN_FIELD"


class EarnedError(Exception):
    """An error that the agent earned, raised inside a tool; `invoke` turns it into a `ToolResult`."""

    def __init__(self, code: EarnedCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Effect(msgspec.Struct, frozen=True):
    """The effect of a successful call: the new world, and a value that is either an artefact or a receipt.

    An artefact is kept in the world under a new handle, and the agent sees a preview of it. A receipt is small, and
    the agent sees all of it.
    """

    world: World
    value: Json
    artefact: bool = True


class Tool(msgspec.Struct, frozen=True):
    """One of the thirty tools.

    `parameters` is a JSON Schema of an object with `additionalProperties: false`. `weight` w is from 0.5 to 2; the
    tool's reliability is (tool success rate)^w. `run` is pure and may raise `EarnedError`.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    transient_codes: tuple[str, ...]
    run: Callable[[World, dict[str, Any]], Effect]
    weight: float = 1.0

    @property
    def category(self) -> str:
        return self.name.rpartition("_")[0]

    def reliability(self, tool_success_rate: float) -> float:
        return float(tool_success_rate**self.weight)
