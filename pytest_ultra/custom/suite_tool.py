"""What a suite knows of a tool, whatever it is made of, and tools that a JSON Schema describes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import jsonschema_rs

from pytest_ultra.core.json_types import Json, ToolSchema

DEFAULT_TRANSIENT = ("TEMPORARY_FAILURE",)
"""The codes of a tool's transient faults if it names none."""

_NAME = re.compile(r"[A-Za-z_][\w-]{0,63}", re.ASCII)


class Tool:
    """A tool: what agents see of it, how it fails at random, and how it is run on a world."""

    def __init__(self, name: str, *, transient: Sequence[str], weight: float, read_only: bool | None) -> None:
        self.name = name
        self.transient = tuple(transient)
        self.weight = weight
        self.read_only = read_only
        if not _NAME.fullmatch(name):
            raise TypeError(f"{name!r} is no name for a tool; models need up to 64 letters, digits, `_` and `-`")
        if not weight > 0:
            raise ValueError(f"the tool {name!r} has the weight {weight!r}; give a number above 0")
        if not self.transient or not all(self.transient):
            raise ValueError(f"the tool {name!r} names no transient error; give codes, as in transient=['TIMEOUT']")

    def __repr__(self) -> str:
        return f"<tool {self.name}>"

    @property
    def parameters(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        raise NotImplementedError

    @property
    def description(self) -> str:
        """What the tool does, in words."""
        raise NotImplementedError

    @property
    def output(self) -> dict[str, Any] | None:
        """The JSON Schema of what the tool returns; None if it is not known."""
        raise NotImplementedError

    def run(self, world: Any, arguments: dict[str, Json]) -> Any:
        """Run the tool. Raises ValueError for arguments that break the schema."""
        raise NotImplementedError

    def violation(self, arguments: dict[str, Json]) -> str | None:
        """Return how arguments break the schema, in words; None if they do not."""
        raise NotImplementedError

    def may_return(self, value: Json) -> bool:
        """Return whether a value is one that the tool could return, as far as its schema says."""
        return self._output_validator is None or bool(self._output_validator.is_valid(value))

    @cached_property
    def _output_validator(self) -> Any:
        try:
            return None if self.output is None else jsonschema_rs.validator_for(self.output)
        except (ValueError, TypeError):  # no valid schema
            return None

    @property
    def schema(self) -> ToolSchema:
        """The tool as an entry of `tools` in OpenAI's chat completions."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}

    def reliability(self, tool_success_rate: float) -> float:
        return float(tool_success_rate**self.weight)


class SchemaTool(Tool):
    """A tool whose arguments a JSON Schema describes. `function` gets the world and the arguments."""

    def __init__(
        self,
        name: str,
        function: Callable[[Any, dict[str, Json]], Any],
        parameters: Mapping[str, Any],
        *,
        description: str = "",
        output: dict[str, Any] | None = None,
        transient: Sequence[str] = DEFAULT_TRANSIENT,
        weight: float = 1.0,
        read_only: bool | None = None,
    ) -> None:
        super().__init__(name, transient=transient, weight=weight, read_only=read_only)
        self._function = function
        self._parameters = {"type": "object", "properties": {}, "required": [], **parameters}
        self._description = description
        self._output = output
        try:
            self._validator = jsonschema_rs.validator_for(self._parameters)
        except (ValueError, TypeError) as error:
            raise ValueError(f"the tool {name!r} has no valid JSON Schema of its arguments: {error}") from None

    @property
    def parameters(self) -> dict[str, Any]:
        return self._parameters

    @property
    def description(self) -> str:
        return self._description

    @property
    def output(self) -> dict[str, Any] | None:
        return self._output

    def run(self, world: Any, arguments: dict[str, Json]) -> Any:
        violation = self.violation(arguments)
        if violation is not None:
            raise ValueError(violation)
        return self._function(world, arguments)

    def violation(self, arguments: dict[str, Json]) -> str | None:
        try:
            self._validator.validate(arguments)
        except jsonschema_rs.ValidationError as error:
            place = ".".join(map(str, error.instance_path))
            return f"{place}: {error.message}" if place else str(error.message)
        return None
