"""What a tool is, and what a call of one comes to."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json


class EarnedCode(StrEnum):
    """Errors that the agent earns; never random."""

    UNKNOWN_TOOL = "UNKNOWN_TOOL"
    NOT_DESCRIBED = "NOT_DESCRIBED"  # with tool discovery: a call of a tool before its description
    MALFORMED_CALL = "MALFORMED_CALL"  # a call in the text protocol that cannot be read
    MALFORMED_ARGUMENTS = "MALFORMED_ARGUMENTS"  # the arguments are not a JSON object
    INVALID_ARGUMENTS = "INVALID_ARGUMENTS"  # they break the tool's schema
    UNKNOWN_HANDLE = "UNKNOWN_HANDLE"  # no earlier output has this handle: an input is missing
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    NOT_FOUND = "NOT_FOUND"  # no such path, address, service, key ...
    WRONG_DATA = "WRONG_DATA"  # the input is of a kind that this tool cannot work on
    UNKNOWN_FIELD = "UNKNOWN_FIELD"


class EarnedError(Exception):
    """Raised inside a tool for an error that the agent earned; `invoke` turns it into a `ToolResult`."""

    def __init__(self, code: EarnedCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Effect(msgspec.Struct, frozen=True):
    """What a successful call does: a new world, and either a value to keep as an artefact or a receipt.

    With `artefact` True, `value` is kept in the world under a new handle and the agent sees a preview of it;
    otherwise `value` (small) is shown as it is.
    """

    world: World
    value: Json
    artefact: bool = True


class Tool(msgspec.Struct, frozen=True):
    """One of the thirty tools.

    `parameters` is a JSON Schema of an object with `additionalProperties: false`. `weight` w makes the
    tool's reliability (tool success rate)^w; 0.5 to 2. `run` is pure and may raise `EarnedError`.
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
