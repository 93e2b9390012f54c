"""Checks of tool inputs, and the errors that the agent earns when an input is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from pytest_ultra.benchmark.tables import columns, read_number, write_cell, write_json
from pytest_ultra.benchmark.tools.base import EarnedCode, EarnedError
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json, Row

T = TypeVar("T")
Number = int | float

LARGEST_NUMBER = 10**15  # below 2**53, so that floats represent every integer exactly
_MAX_QUOTE = 60
_MAX_FIELDS_NAMED = 20
_MAX_HANDLES_NAMED = 20
_LAST_HANDLES_NAMED = 10


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


def get_artefact(world: World, arguments: dict[str, Any], name: str = "data") -> Json:
    """Return the artefact whose handle is the argument `name`."""
    handle = arguments[name]
    if handle not in world.artefacts:
        message = f"There is no earlier output with the handle {quote(handle)}; {_name_handles(world)}."
        raise EarnedError(EarnedCode.UNKNOWN_HANDLE, message)
    return world.artefacts[handle]


def _name_handles(world: World) -> str:
    handles = list(world.artefacts)
    if not handles:
        return "there is no output yet"
    listed = handles if len(handles) <= _MAX_HANDLES_NAMED else [handles[0], "...", *handles[-_LAST_HANDLES_NAMED:]]
    return f"the handles are: {', '.join(listed)}"


def get_rows(world: World, arguments: dict[str, Any], name: str = "data") -> list[Row]:
    value = get_artefact(world, arguments, name)
    kind = kind_of(value)
    if kind != "table":
        raise wrong_data(f"A table is needed, but {arguments[name]} is a {kind}.")
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


def get_entry(entries: Mapping[str, T], key: str, what: str, how_to_list: str = "") -> T:
    """Return the entry of a key. `how_to_list` says in the error how to find out what exists."""
    if key not in entries:
        message = f"There is no {what} {quote(key)}." + (f" {how_to_list}" if how_to_list else "")
        raise EarnedError(EarnedCode.NOT_FOUND, message)
    return entries[key]


def get_page(items: list[T], arguments: dict[str, Any]) -> list[T]:
    """Return the items that the optional arguments `offset` (0 if left out) and `limit` (all) ask for."""
    offset = int(arguments.get("offset", 0))
    return items[offset : offset + int(arguments["limit"])] if "limit" in arguments else items[offset:]


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


def is_equal(cell: Json, value: Json) -> bool:
    """Compare a cell with an argument, which may write a number as text."""
    if is_number(cell):
        return bool(cell == number_in(value))
    return write_cell(cell) == write_cell(value)


def number_in(value: Json) -> Number | None:
    if isinstance(value, str):
        return read_number(value)
    return value if is_number(value) else None
