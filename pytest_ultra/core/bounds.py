"""Bounds on what a model may send: far beyond any ordinary reply, and small enough to be handled at once."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ultra.core.json_types import Json

MAX_CALLS = 128
"""Tool calls of one turn that are run."""
MAX_DEPTH = 200
"""Levels of nesting in JSON. Well below the interpreter's recursion limit, however deep the stack of a reader is."""


def is_too_deep(value: Json) -> bool:
    """Return whether a JSON value is nested beyond `MAX_DEPTH`. Does not recurse."""
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        level = [inner for one in level for inner in _containers(one.values() if isinstance(one, dict) else one)]
    return bool(level)


def without_lone_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs, which cannot be encoded, and join the pairs whose halves came apart."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _containers(items: Iterable[Json]) -> list[Json]:
    return [item for item in items if isinstance(item, dict | list)]
