"""Strict readers and writers of tables as text: CSV, JSON, lines and key-value blocks."""

from __future__ import annotations

import csv
import io
import re

import msgspec

from pytest_ultra.core.bounds import decode_json
from pytest_ultra.core.json_types import Json, Row

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

_LONGEST_NUMBER = 18  # characters; longer ones are identifiers, and `int` has a limit of its own
_QUOTED = re.compile(r'[,"\r\n]')
_PAIR = re.compile(r"\s*([^:=]+?)\s*[:=]\s*(.*?)\s*")


class UnreadableTextError(ValueError):
    """The text does not have the expected format; the message says where and why, and models see it."""


def read_cell(text: str) -> Json:
    """Return the value of a cell's text: None, a boolean, a number, or the text itself."""
    if text == "":
        return None
    if text in ("true", "false"):
        return text == "true"
    number = read_number(text)
    return text if number is None else number


def write_cell(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return write_json(value)


def read_number(text: str) -> int | float | None:
    if len(text) > _LONGEST_NUMBER or NUMBER.fullmatch(text) is None:
        return None
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def columns(rows: list[Row]) -> list[str]:
    """Return the fields of all rows in order of first appearance."""
    fields: dict[str, None] = {}
    for row in rows:
        if row.keys() != fields.keys():
            fields |= dict.fromkeys(row)
    return list(fields)


def read_csv_cells(text: str) -> list[dict[str, str]]:
    """Read CSV with a header line; cells stay text. Raises `UnreadableTextError`."""
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise UnreadableTextError(f"not CSV: {error}") from None
    if not lines:
        raise UnreadableTextError("no header line")
    header = lines[0]
    if len(set(header)) < len(header) or "" in header:
        raise UnreadableTextError("the header has empty or repeated names")
    for number, line in enumerate(lines, start=1):
        if len(line) != len(header):
            raise UnreadableTextError(f"record {number} has {len(line)} cells, the header {len(header)}")
    return [dict(zip(header, line, strict=True)) for line in lines[1:]]


def read_csv(text: str) -> list[Row]:
    return [{field: read_cell(cell) for field, cell in row.items()} for row in read_csv_cells(text)]


def write_csv(rows: list[Row]) -> str:
    header = columns(rows)
    lines = [header, *([write_cell(row.get(field)) for field in header] for row in rows)]
    return "".join(",".join(map(_quote, line)) + "\n" for line in lines) if header else ""


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if cell == "" or _QUOTED.search(cell) else cell


def read_json(text: str) -> list[Row]:
    """Read a JSON list of objects, or one object as a table of one row. Raises `UnreadableTextError`."""
    try:
        value = decode_json(text)
    except msgspec.DecodeError as error:
        raise UnreadableTextError(str(error)) from None
    rows = value if isinstance(value, list) else [value]
    if not all(isinstance(row, dict) for row in rows):
        raise UnreadableTextError("the JSON is neither an object nor a list of objects")
    return rows


def write_json(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def read_lines(text: str) -> list[Row]:
    return [{"line": number, "text": line} for number, line in enumerate(text.splitlines(), start=1)]


def write_lines(rows: list[Row]) -> str:
    """Write each row as one line: `field: value; field: value`."""
    return "".join("; ".join(f"{field}: {write_cell(cell)}" for field, cell in row.items()) + "\n" for row in rows)


def read_key_values(text: str) -> list[Row]:
    """Read `key: value` or `key = value` lines; an empty line starts the next row."""
    rows: list[Row] = [{}]
    for number, line in enumerate(text.splitlines(), start=1):
        pair = _PAIR.fullmatch(line)
        if pair:
            rows[-1][pair[1]] = read_cell(pair[2])
        elif line.strip():
            raise UnreadableTextError(f"line {number} is no 'key: value' or 'key = value'")
        elif rows[-1]:
            rows.append({})
    return [row for row in rows if row]


READERS = {"csv": read_csv, "json": read_json, "lines": read_lines, "key_value": read_key_values}
WRITERS = {"csv": write_csv, "json": write_json, "lines": write_lines}
