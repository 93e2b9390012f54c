"""Checks of tool inputs, and the errors that the agent earns when an input is wrong."""

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

LARGEST_NUMBER = 10**15  # below 2**53, so that floats represent every integer exactly
_MAX_QUOTE = 60
_MAX_FIELDS_NAMED = 20


def format_value(cell: Json) -> str:
    return truncate(write_json(cell))


def quote(text: str) -> str:
    return repr(truncate(text))


def truncate(text: str) -> str:
    return text if len(text) <= _MAX_QUOTE else text[:_MAX_QUOTE] + "..."


def invalid_arguments(message: str) -> EarnedError:
    return EarnedError(EarnedCode.INVALID_ARGUMENTS, message)


def wrong_data(message: str) -> EarnedError:
    return EarnedError(EarnedCode.WRONG_DATA, message)


def get_artefact(world: World, arguments: dict[str, Any]) -> Json:
    """Return the artefact whose handle is the argument `data`."""
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
    """Return `text`, `table` (a list of rows, possibly empty), `record`, or `value` for anything else."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict):
        return "record"
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return "table"
    return "value"


def get_entry(entries: Mapping[str, T], key: str, what: str) -> T:
    if key not in entries:
        raise EarnedError(EarnedCode.NOT_FOUND, f"There is no {what} {quote(key)}.")
    return entries[key]


def require_session(world: World, service: str | None) -> None:
    if service is not None and service not in world.sessions:
        message = f"This address needs an open session with the service {quote(service)}."
        raise EarnedError(EarnedCode.NOT_AUTHENTICATED, message)


def require_fields(rows: list[Row], *fields: str) -> None:
    """Raise an earned error for a field that no row has. A table without rows has every field."""
    for field in fields:
        if rows and not any(field in row for row in rows):
            names = columns(rows)
            listed = ", ".join(names[:_MAX_FIELDS_NAMED]) + (", ..." if len(names) > _MAX_FIELDS_NAMED else "")
            message = f"There is no field {quote(field)}; the fields are: {listed}."
            raise EarnedError(EarnedCode.UNKNOWN_FIELD, message)


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def get_numbers(rows: list[Row], field: str) -> list[Number]:
    """Return the numbers of a column. A cell that is no number is an earned error, never skipped."""
    require_fields(rows, field)
    cells: list[Any] = [row.get(field) for row in rows]
    for number, cell in enumerate(cells, start=1):
        if not is_number(cell) or not -LARGEST_NUMBER <= cell <= LARGEST_NUMBER:
            raise wrong_data(f"Row {number} has {format_value(cell)} in {quote(field)}, which cannot be computed with.")
    return cells


def add(numbers: list[Number]) -> Number:
    """Return the exact sum, independent of the order."""
    return sum(numbers) if all(isinstance(number, int) for number in numbers) else math.fsum(numbers)


def round_number(number: Number) -> Number:
    """Round a computed number to six decimals, the same on every machine; return an int if it is integral."""
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise wrong_data("The result is too large to be computed with.")
    rounded = round(number, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def identity(cell: Json) -> object:
    """Return a hashable key that is equal for equal cells; True and 1 are different."""
    return cell if isinstance(cell, str) or is_number(cell) else (write_json(cell),)
