"""Mirrors: second places for what is stored, under the same names but for their beginning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import product

from pytest_ultra.benchmark.world import World
from pytest_ultra.core.workflow import Call


class Storage(StrEnum):
    """What a mirror holds copies of."""

    FILE = "file"
    ADDRESS = "address"
    DATASTORE = "datastore"
    CACHE = "cache entry"
    TOPIC = "help topic"


_READERS: Mapping[str, tuple[Storage, str]] = {
    "file_operations_reader": (Storage.FILE, "path"),
    "network_fetcher": (Storage.ADDRESS, "url"),
    "integration_connector": (Storage.DATASTORE, "datastore"),
    "utility_cache": (Storage.CACHE, "key"),
    "utility_helper": (Storage.TOPIC, "topic"),
}
"""The tools that get what is stored, and their arguments that name it."""


def read_place(call: Call) -> tuple[Storage, str] | None:
    """Return what a call gets, as its kind of storage and its name; None if it gets nothing that is stored."""
    storage, argument = _READERS.get(call.tool, (Storage.FILE, ""))
    is_other = "data" in call.arguments or argument not in call.arguments
    return None if is_other else (storage, str(call.arguments[argument]))


def mirrored_calls(world: World, call: Call) -> Iterator[Call]:
    """Yield the calls that get the same from a mirror."""
    place = read_place(call)
    if place is not None:
        for name in mirrored_names(world, place[0], [place[1]]):
            yield Call(call.tool, {**call.arguments, _READERS[call.tool][1]: name})


def original_of(world: World, storage: Storage, name: str) -> str:
    """Return the name of what a mirrored name stands for; any other name stands for itself."""
    for mirror in world.mirrors:
        if mirror.storage == storage and name.startswith(mirror.prefix):
            return mirror.original + name.removeprefix(mirror.prefix)
    return name


def mirrored_names(world: World, storage: Storage, names: Iterable[str]) -> Iterator[str]:
    """Yield the names under which mirrors have what has these names."""
    for mirror, name in product(world.mirrors, names):
        if mirror.storage == storage and name.startswith(mirror.original):
            yield mirror.prefix + name.removeprefix(mirror.original)
