"""Tools of the user's own: functions whose signatures and docstrings are their schemas."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Sequence
from functools import cached_property, partial, update_wrapper
from typing import Any, get_type_hints, overload

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.custom.suite_tool import DEFAULT_TRANSIENT, Tool

_EXAMPLE = "as in `def orders(shop: Shop, customer_id: str) -> list[dict]: ...`"
_NAME = re.compile(r"[A-Za-z]\w{0,63}", re.ASCII)
_SECTION = re.compile(r"^(?:Args|Arguments|Parameters):\n", re.MULTILINE)
_ARGUMENT = re.compile(r"^ +(\w+)(?: *\([^)]*\))?: *(.*)$")


class ToolError(Exception):
    """An error that a tool returns to the agent, which has earned it: a code such as `NOT_FOUND`, and a message."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class FunctionTool(Tool):
    """A function of the world and of the arguments that agents give. It can still be called as a function."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        transient: Sequence[str] = DEFAULT_TRANSIENT,
        weight: float = 1.0,
        read_only: bool | None = None,
    ) -> None:
        update_wrapper(self, function)
        self.function = function
        super().__init__(name or function.__name__, transient=transient, weight=weight, read_only=read_only)
        self._check()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    @cached_property
    def arguments(self) -> type[msgspec.Struct]:
        """The record of the arguments, which checks and converts what an agent sends."""
        hints = self._hints()
        fields: list[Any] = []
        for parameter in self._parameters:
            hint = hints[parameter.name]
            is_required = parameter.default is inspect.Parameter.empty
            fields.append((parameter.name, hint) if is_required else (parameter.name, hint, _default(parameter)))
        return msgspec.defstruct(self.name, fields, kw_only=True, forbid_unknown_fields=True)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        try:
            whole = msgspec.json.schema(self.arguments)
        except TypeError as error:
            raise TypeError(f"the tool {self.name!r} has an argument that no JSON Schema describes: {error}") from None
        definitions = dict(whole["$defs"])
        schema = definitions.pop(self.name)
        described = _described_arguments(inspect.getdoc(self.function) or "")
        properties = {
            name: ({"description": described[name]} if name in described else {}) | value
            for name, value in schema["properties"].items()
        }
        kept = {"type": "object", "properties": properties, "required": schema["required"]}
        return kept | {"additionalProperties": False} | ({"$defs": definitions} if definitions else {})

    @property
    def description(self) -> str:
        """The docstring up to its arguments."""
        text = inspect.getdoc(self.function) or ""
        return " ".join(
            re.split(r"^(?:Args|Arguments|Parameters|Returns|Raises):", text, flags=re.MULTILINE)[0].split()
        )

    @cached_property
    def output(self) -> dict[str, Any] | None:
        """The JSON Schema of what the tool returns; None if its annotation does not say."""
        returned = self._hints().get("return", Any)
        try:
            return None if returned is Any else msgspec.json.schema(returned)
        except TypeError:
            return None

    def run(self, world: Any, arguments: dict[str, Json]) -> Any:
        """Call the function. Raises `msgspec.ValidationError` for arguments that break the schema."""
        given = msgspec.convert(arguments, self.arguments)
        return self.function(world, **{name: getattr(given, name) for name in given.__struct_fields__})

    def violation(self, arguments: dict[str, Json]) -> str | None:
        """Return how arguments break the schema, in words; None if they do not."""
        try:
            msgspec.convert(arguments, self.arguments)
        except msgspec.ValidationError as error:
            return str(error)
        return None

    @property
    def _parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.function).parameters.values())[1:]

    def _hints(self) -> dict[str, Any]:
        try:
            return get_type_hints(self.function, include_extras=True)
        except NameError as error:
            raise TypeError(
                f"the annotations of the tool {self.name!r} cannot be read: {error}; import their types where the "
                "module is imported, not under TYPE_CHECKING or in a function"
            ) from None

    def _check(self) -> None:
        if inspect.iscoroutinefunction(self.function):
            raise TypeError(f"the tool {self.name!r} is a coroutine function; give a plain one, {_EXAMPLE}")
        if not _NAME.fullmatch(self.name):
            raise TypeError(f"{self.name!r} is no name for a tool; models need up to 64 letters, digits and `_`")
        parameters = list(inspect.signature(self.function).parameters.values())
        if not parameters:
            raise TypeError(f"the tool {self.name!r} takes no world; its first argument is the world, {_EXAMPLE}")
        for parameter in parameters[1:]:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise TypeError(
                    f"the argument {parameter.name!r} of the tool {self.name!r} cannot be given by its name, as agents "
                    f"do; name each argument, {_EXAMPLE}"
                )
            if parameter.annotation is parameter.empty:
                raise TypeError(
                    f"the argument {parameter.name!r} of the tool {self.name!r} has no type; annotate it, {_EXAMPLE}"
                )


def _default(parameter: inspect.Parameter) -> Any:
    """Return the default of a record's field; msgspec makes a new list or object from a function."""
    default = parameter.default
    is_mutable = isinstance(default, list | dict | set)
    return msgspec.field(default_factory=partial(copy.copy, default)) if is_mutable else default


def _described_arguments(text: str) -> dict[str, str]:
    """Return the descriptions of the arguments in a docstring of Google's style."""
    section = _SECTION.split(text)[1:2]
    lines = [line for line in section[0].splitlines() if line.strip()] if section else []
    indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        match = _ARGUMENT.match(line)
        depth = len(line) - len(line.lstrip())
        if depth < indent:
            break
        if match and depth == indent:
            name = match[1]
            found[name] = match[2].strip()
        elif name:
            found[name] += f" {line.strip()}"
    return found


@overload
def tool(function: Callable[..., Any], /) -> FunctionTool: ...


@overload
def tool(
    *,
    name: str | None = None,
    transient: Sequence[str] = DEFAULT_TRANSIENT,
    weight: float = 1.0,
    read_only: bool | None = None,
) -> Callable[[Callable[..., Any]], FunctionTool]: ...


def tool(
    function: Callable[..., Any] | None = None, /, **options: Any
) -> FunctionTool | Callable[[Callable[..., Any]], FunctionTool]:
    """Make a tool of a function: its first argument is the world, the others are what agents give.

    `transient` are the codes of its transient faults. Its reliability is (tool success rate)^`weight`. `read_only` says
    that it changes nothing; without it, that is found out by calling it. Raises TypeError for a function that cannot be
    a tool.
    """
    return partial(FunctionTool, **options) if function is None else FunctionTool(function)
