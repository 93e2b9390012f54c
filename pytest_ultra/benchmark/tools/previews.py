"""Previews of artefacts: what the agent sees of an output."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.benchmark.tables import columns
from pytest_ultra.benchmark.tools.inputs import kind_of
from pytest_ultra.core.json_types import Json

MAX_WHOLE = 1500  # characters of JSON
_FIRST_ROWS = 5
_FIRST_FIELDS = 20
_MAX_CELL = 200
_MAX_BEGINNING = 500

MOST_LISTED = 3
"""How many of the values at a place are shown."""

_encode = msgspec.json.Encoder().encode


def preview(handle: str, value: Json) -> dict[str, Json]:
    """Return the preview of an artefact: all of it if it is small, else its shape and its beginning."""
    shown: dict[str, Json] = {"handle": handle, "kind": kind_of(value)}
    if shown["kind"] == "table":
        shown |= {"rows": len(value), "fields": columns(value)[:_FIRST_FIELDS]}
    if len(_encode(value)) <= MAX_WHOLE:
        return shown | {"value": value}
    if shown["kind"] == "table":
        return shown | {"first_rows": [_truncate_record(row) for row in value[:_FIRST_ROWS]]}
    if shown["kind"] == "record":
        return shown | {"fields": list(value)[:_FIRST_FIELDS], "cut": _truncate_record(value)}
    text = value if shown["kind"] == "text" else _encode(value).decode()
    return shown | {"characters": len(text), "beginning": text[:_MAX_BEGINNING]}


def latest(values: Sequence[Json]) -> list[Json]:
    """Return previews of the newest values, the oldest of them first."""
    return [describe(value) for value in values[-MOST_LISTED:]]


def describe(value: Json) -> dict[str, Json]:
    """Return the preview of a value without a handle."""
    return {name: shown for name, shown in preview("", value).items() if name != "handle"}


def _truncate_record(record: dict[str, Json]) -> dict[str, Json]:
    return {field: _truncate(cell) for field, cell in list(record.items())[:_FIRST_FIELDS]}


def _truncate(cell: Json) -> Json:
    if cell is None or isinstance(cell, int | float):
        return cell
    text = cell if isinstance(cell, str) else _encode(cell).decode()
    return cell if len(text) <= _MAX_CELL else text[:_MAX_CELL] + f"... ({len(text)} characters)"
