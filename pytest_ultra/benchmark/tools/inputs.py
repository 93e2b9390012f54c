"""What tools ask of their inputs, and the errors that the agent earns when they do not get it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from pytest_ultra.benchmark.tables import columns, write_json
from pytest_ultra.benchmark.tools.base import EarnedCode, EarnedError
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json, Row

T = TypeVar("T")
Number = int | float

LARGEST_NUMBER = 10**15  # beyond it floats can no longer tell neighbouring integers apart
_LONGEST_QUOTE = 60
_MOST_FIELDS_NAMED = 20


def show(cell: Json) -> str:
    return cut(write_json(cell))


def quote(text: str) -> str:
    return repr(cut(text))


def cut(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "..."


def invalid_arguments(message: str) -> EarnedError:
    return EarnedError(EarnedCode.INVALID_ARGUMENTS, message)


def wrong_data(message: str) -> EarnedError:
    return EarnedError(EarnedCode.WRONG_DATA, message)


def get_artefact(world: World, arguments: dict[str, Any]) -> Json:
    """Return the artefact that the argument `data` names."""
    handle = arguments["data"]
    if handle not in world.artefacts:
        raise EarnedError(EarnedCode.UNKNOWN_HANDLE, f"There is no earlier output with the handle {quote(handle)}.")
    return world.artefacts[handle]


def get_rows(world: World, arguments: dict[str, Any]) -> list[Row]:
    value = get_artefact(world, arguments)
    kind = kind_of(value)
    if kind != "table":
        raise wrong_data(f"A table is needed, but {arguments['data']} is a {kind}.")
    rows: list[Row] = value
    return rows


def get_text(world: World, arguments: dict[str, Any]) -> str:
    value = get_artefact(world, arguments)
    if not isinstance(value, str):
        raise wrong_data(f"Text is needed, but {arguments['data']} is a {kind_of(value)}.")
    return value


def kind_of(value: Json) -> str:
    """Return `text`, `table` (rows, or none), `record`, or `value` for anything else."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict):
        return "record"
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return "table"
    return "value"


def find(entries: Mapping[str, T], key: str, what: str) -> T:
    if key not in entries:
        raise EarnedError(EarnedCode.NOT_FOUND, f"There is no {what} {quote(key)}.")
    return entries[key]


def require_session(world: World, service: str | None) -> None:
    if service is not None and service not in world.sessions:
        message = f"This address needs an open session with the service {quote(service)}."
        raise EarnedError(EarnedCode.NOT_AUTHENTICATED, message)


def require_fields(rows: list[Row], *fields: str) -> None:
    """Refuse fields that no row has; a table without rows has whatever field one asks for."""
    for field in fields:
        if rows and not any(field in row for row in rows):
            names = columns(rows)
            listed = ", ".join(names[:_MOST_FIELDS_NAMED]) + (", ..." if len(names) > _MOST_FIELDS_NAMED else "")
            message = f"There is no field {quote(field)}; the fields are: {listed}."
            raise EarnedError(EarnedCode.UNKNOWN_FIELD, message)


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def get_numbers(rows: list[Row], field: str) -> list[Number]:
    """Return the numbers of a column; a cell that holds none is refused, never passed over."""
    require_fields(rows, field)
    cells: list[Any] = [row.get(field) for row in rows]
    for number, cell in enumerate(cells, start=1):
        if not is_number(cell) or not -LARGEST_NUMBER <= cell <= LARGEST_NUMBER:
            raise wrong_data(f"Row {number} has {show(cell)} in {quote(field)}, which cannot be computed with.")
    return cells


def add(numbers: list[Number]) -> Number:
    """Add exactly, whatever the order."""
    return sum(numbers) if all(isinstance(number, int) for number in numbers) else math.fsum(numbers)


def tidy(number: Number) -> Number:
    """Round a computed number so that it is the same on every machine; integers lose their point."""
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise wrong_data("The result is too large to be computed with.")
    rounded = round(number, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def identity(cell: Json) -> object:
    """Return something hashable that is equal for equal cells; True is not 1 here."""
    return cell if isinstance(cell, str) or is_number(cell) else (write_json(cell),)
