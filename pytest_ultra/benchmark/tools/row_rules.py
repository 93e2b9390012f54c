"""The validator's rules, which decide which rows pass."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from pytest_ultra.benchmark.tools.inputs import identity, is_number
from pytest_ultra.core.json_types import Json, Row

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _passing(is_good: Callable[[Json], bool]) -> Callable[[list[Row], str], list[Row]]:
    return lambda rows, field: [row for row in rows if is_good(row.get(field))]


def _is_filled(cell: Json) -> bool:
    return cell is not None and not (isinstance(cell, str) and not cell.strip())


def _is_email(cell: Json) -> bool:
    return isinstance(cell, str) and _EMAIL.fullmatch(cell) is not None


def _is_date(cell: Json) -> bool:
    if not isinstance(cell, str) or _DATE.fullmatch(cell) is None:
        return False
    try:
        dt.date.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _unique(rows: list[Row], field: str) -> list[Row]:
    firsts: dict[object, Row] = {}
    for row in rows:
        firsts.setdefault(identity(row.get(field)), row)
    return list(firsts.values())


RULES: dict[str, Callable[[list[Row], str], list[Row]]] = {
    "required": _passing(_is_filled),
    "numeric": _passing(is_number),
    "positive": _passing(lambda cell: is_number(cell) and cell > 0),
    "email": _passing(_is_email),
    "date": _passing(_is_date),
    "unique": _unique,
}
