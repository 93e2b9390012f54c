"""Wrong values for an argument of a tool of which only the schema is known: siblings of the right value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from math import isfinite

import msgspec

from pytest_ultra.core.json_types import Json

MOST_VALUES = 8
_MAX_NAME_CHARS = 80

_WORD_GROUPS: Sequence[Sequence[str]] = (
    ("first", "last"),
    ("start", "end"),
    ("from", "to"),
    ("min", "max"),
    ("asc", "desc"),
    ("ascending", "descending"),
    ("before", "after"),
    ("open", "closed"),
    ("active", "inactive"),
    ("new", "existing"),
    ("gross", "net"),
    ("source", "target"),
    ("in", "out"),
    ("public", "private"),
    ("read", "write"),
    ("yesterday", "today", "tomorrow"),
    ("hourly", "daily", "weekly", "monthly", "quarterly", "yearly"),
    ("hour", "day", "week", "month", "quarter", "year"),
    ("low", "medium", "high"),
    ("small", "medium", "large"),
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ("north", "south", "east", "west"),
    ("sales", "support", "finance", "operations", "marketing"),
    ("orders", "invoices", "customers", "products", "shipments"),
    ("csv", "json", "xml"),
    ("usd", "eur", "gbp"),
)
"""Words of which each can stand in place of another."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]+")
_SUFFIX = re.compile(r"\.[A-Za-z]{1,5}\Z")
_LETTERS = re.compile(r"[^\W\d_]+")
_DAYS = (1, -1, 7, -7)
_STEPS = (1, -1, 2, 10)


class WrongValue(msgspec.Struct, frozen=True):
    """A wrong value, and in one word how it is wrong."""

    value: Json
    way: str


def wrong_values(
    value: Json, schema: Mapping[str, Json], alike: Iterable[Json], others: Iterable[Json]
) -> list[WrongValue]:
    """Return wrong values, the best ones first and each once.

    `alike` are values of the same argument in other calls, `others` all literals of the plan. Whether the values fit
    the schema is left to the caller.
    """
    found: dict[str, WrongValue] = {}
    for wrong in _propose(value, schema, alike, others):
        if wrong.value != value:
            found.setdefault(json.dumps(wrong.value, sort_keys=True), wrong)
    return list(found.values())[:MOST_VALUES]


def _propose(
    value: Json, schema: Mapping[str, Json], alike: Iterable[Json], others: Iterable[Json]
) -> Iterator[WrongValue]:
    for listed in ("enum", "examples"):
        if isinstance(schema.get(listed), list):
            yield from (WrongValue(other, "other_choice") for other in schema[listed])
    yield from (WrongValue(other, "sibling_value") for other in alike if type(other) is type(value))
    if isinstance(value, bool):
        yield WrongValue(not value, "other_choice")
    elif isinstance(value, int | float):
        yield from (WrongValue(number, "other_number") for number in _numbers(value))
    elif isinstance(value, str):
        same = [other for other in others if isinstance(other, str) and _shape(other) == _shape(value)]
        yield from (WrongValue(other, "sibling_name") for other in (*same, *sibling_texts(value)))
    elif isinstance(value, list):
        yield from (WrongValue(items, "sibling_value") for items in _lists(value))
    elif isinstance(value, dict):
        yield from (WrongValue(fields, "sibling_value") for fields in _objects(value))


def _numbers(value: float) -> Iterator[float]:
    near = [value + 1, value - 1, value * 10, value // 10, value * 2]
    yield from (number for number in near if isinstance(number, int) or isfinite(number))


def sibling_texts(text: str) -> Iterator[str]:
    """Yield texts of the same shape: another day, another number, another word of its group; else a numbered one."""
    made = [*_other_days(text), *_other_numbers(text), *_other_words(text)]
    yield from made
    is_name = text and len(text) <= _MAX_NAME_CHARS and not any(letter.isspace() for letter in text)
    last = list(_LETTERS.finditer(_SUFFIX.sub("", text.partition("@")[0])))
    if not made and is_name and last:
        yield f"{text[: last[-1].end()]}2{text[last[-1].end() :]}"


def _other_days(text: str) -> Iterator[str]:
    match = _DATE.search(text)
    if match is None:
        return
    for days in _DAYS:
        try:
            other = date.fromisoformat(match[0]) + timedelta(days)
        except (ValueError, OverflowError):
            return
        yield f"{text[: match.start()]}{other.isoformat()}{text[match.end() :]}"


def _other_numbers(text: str) -> Iterator[str]:
    """Change the last number by a little; it keeps its width."""
    matches = list(_DIGITS.finditer(text))
    if not matches or _DATE.search(text) or len(matches[-1][0]) > _MAX_NAME_CHARS:
        return
    last = matches[-1]
    for step in _STEPS:
        number = str(int(last[0]) + step).zfill(len(last[0]))
        if len(number) == len(last[0]) and not number.startswith("-"):
            yield f"{text[: last.start()]}{number}{text[last.end() :]}"


def _other_words(text: str) -> Iterator[str]:
    """Change one word for another of its group."""
    for match in _LETTERS.finditer(text):
        for group in _WORD_GROUPS:
            if match[0].lower() in group:
                for other in group:
                    if other != match[0].lower():
                        yield text[: match.start()] + _like(match[0], other) + text[match.end() :]
                break


def _like(model: str, word: str) -> str:
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[0].isupper() else word


def _lists(items: list[Json]) -> Iterator[list[Json]]:
    """Leave the last item out, or change one."""
    if len(items) > 1:
        yield items[:-1]
    for place, item in enumerate(items):
        for other in wrong_values(item, {}, (), ())[:1]:
            yield [*items[:place], other.value, *items[place + 1 :]]


def _objects(fields: dict[str, Json]) -> Iterator[dict[str, Json]]:
    for name, value in fields.items():
        for other in wrong_values(value, {}, (), ())[:2]:
            yield {**fields, name: other.value}


def _shape(text: str) -> str:
    """Return the text without what distinguishes it from others of its sort."""
    return _LETTERS.sub("a", _DIGITS.sub("0", text))
