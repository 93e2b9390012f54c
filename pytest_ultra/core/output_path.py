"""Paths into the outputs of steps, such as `lines[0].id`: how they are written and read, and what they lead to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pytest_ultra.core.json_types import Json

Path = tuple[str | int, ...]
"""Names of fields, and places in lists from 0; empty for the whole value."""

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_DECODER = json.JSONDecoder()


def write_path(path: Path) -> str:
    """Return a path as text; `read_path` is its inverse."""
    text = "".join(map(_write_part, path))
    return text.removeprefix(".")


def read_path(text: str) -> Path | None:
    """Return the path in a text, () for an empty one; None if it is not as `write_path` writes it."""
    try:
        path = tuple(_read_parts(text))
    except ValueError:
        return None
    return path if write_path(path) == text else None


def follow_path(value: Json, path: Path) -> Json:
    """Return what a path leads to in a value; raise LookupError if it leads nowhere."""
    for part in path:
        is_fit = isinstance(value, dict) if isinstance(part, str) else isinstance(value, list)
        if not is_fit:
            raise LookupError(f"there is no {part!r}")
        value = value[part]
    return value


def _write_part(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _NAME.fullmatch(part) else f"[{json.dumps(part)}]"


def _read_parts(text: str) -> Iterator[str | int]:
    place = 0
    while place < len(text):
        if text[place] == "[":
            part, place = _DECODER.raw_decode(text, place + 1)
            if type(part) not in (str, int) or text[place : place + 1] != "]":
                raise ValueError(f"{text!r} has something else in brackets than a name or a place")
            yield part
            place += 1
            continue
        start = place + (text[place] == ".")
        match = _NAME.match(text, start)
        if match is None:
            raise ValueError(f"{text!r} has no name at {start}")
        yield match[0]
        place = match.end()
