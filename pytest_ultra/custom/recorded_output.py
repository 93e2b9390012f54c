"""The output of a step while a reference workflow is recorded: a value that knows where it comes from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.output_path import Path
from pytest_ultra.core.workflow import reference


class Output:
    """The output of a step, or a part of it. Taking a part of it, as in `who["id"]`, keeps the reference.

    It can be compared, counted and calculated with; what comes of that is a plain value, which stands in the plan as
    it is.
    """

    def __init__(self, value: Json, step: int, path: Path = ()) -> None:
        self._value = value
        self._step = step
        self._path = path

    @property
    def value(self) -> Json:
        """The plain value."""
        return self._value

    @property
    def reference(self) -> str:
        """The argument that stands for the value in a plan."""
        return reference(self._step, self._path)

    @property
    def place(self) -> tuple[int, Path]:
        """The number of the step, and the path into its output."""
        return self._step, self._path

    def __getitem__(self, part: Any) -> Any:
        found = self._value[plain(part)]
        if isinstance(part, slice):
            return found
        place = plain(part)
        if isinstance(place, int) and place < 0:
            place += len(self._value)
        return Output(found, self._step, (*self._path, place))

    def __iter__(self) -> Iterator[Any]:
        return iter(
            [self[place] for place in range(len(self._value))] if isinstance(self._value, list) else self._value
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._value, name)

    def __len__(self) -> int:
        return len(self._value)

    def __contains__(self, item: Any) -> bool:
        return plain(item) in self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __str__(self) -> str:
        return str(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec)

    def __repr__(self) -> str:
        return f"<output of step {self._step}: {self._value!r}>"

    def __hash__(self) -> int:
        return hash(self._value)

    def __int__(self) -> int:
        return int(self._value)

    def __float__(self) -> float:
        return float(self._value)

    def __index__(self) -> int:
        return operator.index(self._value)


def plain(value: Any) -> Any:
    """Return a value with plain values in place of the outputs in it."""
    if isinstance(value, Output):
        return value.value
    if isinstance(value, dict):
        return {plain(name): plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _binary(name: str) -> Callable[[Any, Any], Any]:
    work = getattr(operator, name)
    return lambda one, other: work(plain(one), plain(other))


def _unary(name: str) -> Callable[[Any], Any]:
    work = getattr(operator, name)
    return lambda one: work(plain(one))


def _reversed(name: str) -> Callable[[Any, Any], Any]:
    work = getattr(operator, name)
    return lambda one, other: work(plain(other), plain(one))


for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Output, f"__{_name}__", _binary(_name))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod"):
    setattr(Output, f"__{_name}__", _binary(_name))
    setattr(Output, f"__r{_name}__", _reversed(_name))
for _name in ("neg", "abs"):
    setattr(Output, f"__{_name}__", _unary(_name))
