"""The difference of a delivered value from the wanted one, in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from pytest_ultra.benchmark.canonical import canonical, parse_text
from pytest_ultra.core.json_types import Json


def describe_difference(wanted: Json, delivered: Json) -> str:
    """Return in one line what is different in two lists or two objects; empty for other values, which show it."""
    wanted, delivered = parse_text(wanted), parse_text(delivered)
    if isinstance(wanted, list) and isinstance(delivered, list):
        return "; ".join(_of_lists(wanted, delivered))
    if isinstance(wanted, dict) and isinstance(delivered, dict):
        return "; ".join(_of_objects(wanted, delivered))
    return ""


def _of_lists(wanted: list[Json], delivered: list[Json]) -> Iterator[str]:
    if len(wanted) != len(delivered):
        yield f"{len(delivered):,} items, wanted {len(wanted):,}"
    missing, surplus = _without(wanted, delivered), _without(delivered, wanted)
    if missing:
        yield f"{len(missing):,} missing, first {_short(missing[0])}"
    if surplus:
        yield f"{len(surplus):,} not wanted, first {_short(surplus[0])}"
    if not missing and not surplus:
        yield "the same items in another order"


def _of_objects(wanted: dict[str, Json], delivered: dict[str, Json]) -> Iterator[str]:
    for key in sorted(wanted.keys() | delivered.keys()):
        ours, theirs = wanted.get(key), delivered.get(key)
        if canonical(ours, is_ordered=True) != canonical(theirs, is_ordered=True):
            inner = describe_difference(ours, theirs)
            yield f"{key}: {inner or f'{_short(theirs)}, wanted {_short(ours)}'}"


def _without(items: list[Json], others: list[Json]) -> list[Json]:
    """Return the items that the others lack, in order."""
    left = Counter(canonical(item) for item in others)
    found: list[Json] = []
    for item in items:
        text = canonical(item)
        if left[text] > 0:
            left[text] -= 1
        else:
            found.append(item)
    return found


def _short(value: Json, most: int = 120) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[:most]}..."
