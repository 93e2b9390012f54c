"""Tables in text: JSON and CSV are read into rows, and written back in the same format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

from pytest_ultra.core.json_types import Json, Row

_MIN_COLUMNS = 2

Write = Callable[[list[Row]], Json]


def read_rows(value: Json) -> tuple[list[Row], Write] | None:
    """Return the rows of a value and a function that writes rows as the value was written; None if it has no rows.

    Rows are those of a list of objects, and of text that holds one as JSON or has CSV of several columns.
    """
    if isinstance(value, str):
        return _read_json(value) or _read_csv(value)
    return (value, list) if _is_table(value) else None


def _is_table(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) and row for row in value)


def _read_json(text: str) -> tuple[list[Row], Write] | None:
    if not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    separators = (", ", ": ") if '": ' in text else (",", ":")
    return (value, lambda rows: json.dumps(rows, separators=separators)) if _is_table(value) else None


def _read_csv(text: str) -> tuple[list[Row], Write] | None:
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error:
        return None
    header = lines[0] if lines else []
    is_table = len(lines) > 1 and len(header) >= _MIN_COLUMNS and len(set(header)) == len(header)
    if not is_table or any(len(line) != len(header) for line in lines):
        return None
    rows = [dict(zip(header, map(_read_cell, line), strict=True)) for line in lines[1:]]
    return rows, lambda changed: _write_csv(header, changed)


def _read_cell(text: str) -> Json:
    """Return a number for the text that a number is written as, and any other text as it is."""
    for read in (int, float):
        try:
            number = read(text)
        except ValueError:
            continue
        return number if str(number) == text else text
    return text


def _write_csv(header: list[str], rows: list[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([row[name] for name in header] for row in rows)
    return text.getvalue()
