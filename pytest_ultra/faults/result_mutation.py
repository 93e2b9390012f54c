"""Makes a wrong result from any JSON value: finds a place in it that a mutator can change, and text that holds JSON."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from random import Random

from pytest_ultra.core.json_types import Json
from pytest_ultra.faults.mutators import MUTATORS, Mutator
from pytest_ultra.faults.record_mutators import RECORD_MUTATORS

_MAX_DEPTH = 4
_MAX_PLACES = 200
_MAX_LITERAL = 100_000  # characters; Python's own parser is slow and memory-hungry beyond

_FIELD = "value"

Write = Callable[[Json], Json]
Place = tuple[Json, Write]
"""A value within another, and a function that returns the whole with another value in this place."""

_registered: dict[str, Mutator] = {}


Change = Callable[[Json, Random], Json]


def mutator(name: str, *, gives_away: str) -> Callable[[Change], Change]:
    """Add a way in which results of real tools are wrong, by a decorator.

    The function gets a JSON value and a random generator, and returns the wrong value, or None if the value cannot be
    wrong in this way; it must not change the value in place. It gets a whole result, and the values within it.
    `gives_away` says by what an agent could notice. Raises ValueError for the name of a built-in mutator.
    """
    if name in MUTATORS or name in RECORD_MUTATORS:
        raise ValueError(f"{name!r} is the name of a built-in mutator; give yours another")

    def add(change: Change) -> Change:
        _registered[name] = Mutator(name, gives_away, change)
        return change

    return add


def known_mutators() -> Mapping[str, Mutator]:
    """Return all mutators of real tools by name: the built-in ones, then the user's own."""
    return {**MUTATORS, **RECORD_MUTATORS, **_registered}


def mutate_result(mutator: Mutator, value: Json, seed: int) -> Iterator[Json]:
    """Yield the wrong results that a mutator makes of a value, each by a change in one place.

    Outer places come before inner ones, otherwise their order is drawn from the seed. The value is not changed. The
    same arguments give the same results. A text that holds JSON or a Python literal keeps its layout.
    """
    for number, (found, write) in enumerate(_places(value, Random(f"places|{seed}"))):
        changed = _change(mutator, found, Random(f"{mutator.name}|{seed}|{number}"))
        if changed is not None and changed != found:
            yield write(changed)


def _change(mutator: Mutator, value: Json, chance: Random) -> Json:
    if isinstance(value, str) and read_held(value) is not None:
        return None  # what it holds is changed in its own place
    if isinstance(value, list) and value and not any(isinstance(member, dict | list) for member in value):
        rows = mutator.change([{_FIELD: member} for member in value], chance)  # as a table of one column
        return None if rows is None else [row[_FIELD] for row in rows]
    if isinstance(value, int | float) and not isinstance(value, bool):  # as a record of one field
        record = mutator.change({_FIELD: value}, chance)
        return None if record is None else record[_FIELD]
    return mutator.change(value, chance)


def _places(value: Json, chance: Random) -> Iterator[Place]:
    """Yield the value itself and values within it, level by level."""
    level: list[Place] = [(value, lambda new: new)]
    seen = 0
    for _ in range(_MAX_DEPTH):
        chance.shuffle(level)
        yield from level
        seen += len(level)
        level = [inner for place in level for inner in _members(place)][: _MAX_PLACES - seen]


def _members(place: Place) -> Iterator[Place]:
    value, write = place
    if isinstance(value, str):
        held = read_held(value)
        if held is not None:
            inner, write_text = held
            yield inner, lambda new: write(write_text(new))
    elif isinstance(value, dict):
        for name, member in value.items():
            yield member, partial(_write_field, place, name)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield member, partial(_write_member, place, number)


def _write_field(place: Place, name: str, new: Json) -> Json:
    value, write = place
    return write({**value, name: new})


def _write_member(place: Place, number: int, new: Json) -> Json:
    value, write = place
    return write([*value[:number], new, *value[number + 1 :]])


def read_held(text: str) -> Place | None:
    """Return the object or list that a text holds, and a function that writes one in the same layout; None for none."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    body = text.strip()
    start, end = text[: text.index(body)], text[text.index(body) + len(body) :]
    for read, writers in ((json.loads, _JSON_WRITERS), (_read_literal, (repr,))):
        try:
            value = read(body)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        for write in writers:
            if isinstance(value, dict | list) and write(value) == body:
                return value, lambda new, write=write: f"{start}{write(new)}{end}"
    return None


def _read_literal(text: str) -> Json:
    if len(text) > _MAX_LITERAL:
        raise ValueError("too long")
    return ast.literal_eval(text)


def _json_writer(indent: int | None, comma: str, colon: str, *, is_ascii: bool) -> Callable[[Json], str]:
    return lambda value: json.dumps(value, indent=indent, separators=(comma, colon), ensure_ascii=is_ascii)


_JSON_WRITERS = tuple(
    _json_writer(indent, comma, colon, is_ascii=is_ascii)
    for is_ascii in (True, False)
    for indent, comma, colon in ((None, ", ", ": "), (None, ",", ":"), (2, ",", ": "), (4, ",", ": "), (1, ",", ": "))
)
