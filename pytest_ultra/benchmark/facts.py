"""Facts: values at places in the world, compared by their canonical text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Self

import msgspec

from pytest_ultra.benchmark.canonical import canonical
from pytest_ultra.benchmark.value_comparison import ValueComparison
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json

_LONGEST_TEXT = 400
_MOST_ROWS = 10


class FactKind(StrEnum):
    """The kind of place in the world where a fact is found."""

    ARTEFACT = "artefact"
    SESSION = "session"
    FILE = "file"
    SINK = "sink"
    NOTIFICATION = "notification"
    CACHE = "cache"
    QUEUE = "queue"
    SCHEDULE = "schedule"
    LOG = "log"
    TRACKER = "tracker"
    ANSWER = "answer"


class Fact(msgspec.Struct, frozen=True):
    """A value at a key (a path, URL, recipient, queue ...) of the world.

    `is_ordered`: the order of a list's items matters; otherwise lists compare as multisets.
    `text` is the value's canonical text, or a digest of it, cached because it is compared thousands of times. Of an
    artefact, `value` is the beginning.
    `precision` is the number of decimals that the job asks for in numbers, None if it asks for none.
    """

    kind: FactKind
    key: str
    value: Json
    is_ordered: bool
    text: str
    precision: int | None = None

    @classmethod
    def of(
        cls, kind: FactKind, key: str, value: Json, *, is_ordered: bool = False, precision: int | None = None
    ) -> Self:
        text = fact_text(kind, key, value, is_ordered=is_ordered)
        shown = _excerpt(value) if kind is FactKind.ARTEFACT else value
        return cls(kind, key, shown, is_ordered, text, precision)

    def is_met_by(self, value: Json, words: str = "") -> bool:
        """Return whether a value at the fact's place is the wanted one; `words` name the units that may be written.

        Artefacts are compared exactly: they are the tools' own results.
        """
        if fact_text(self.kind, self.key, value, is_ordered=self.is_ordered) == self.text:
            return True
        if self.kind is FactKind.ARTEFACT or (self.kind is FactKind.FILE and not _has_format(self.key, value)):
            return False
        return ValueComparison(self.is_ordered, self.precision, words).is_same(self.value, value)

    def values_in(self, world: World) -> list[Json]:
        """Return what stands at the fact's place in a world; all artefacts are at one place."""
        return [value for key, value in entries(world, self.kind) if key == self.key]


def fact_text(kind: FactKind, key: str, value: Json, *, is_ordered: bool) -> str:
    """Return the text for comparing a value with others at the same place.

    A file is read in the format of its name: JSON in a `.csv` file is not CSV. An artefact that is text stays
    unparsed, because parsing it is part of the agent's job.
    """
    if kind is FactKind.FILE:
        return _file_text(key, value, is_ordered=is_ordered)
    if kind is FactKind.ARTEFACT:
        return _artefact_texts.find(value, is_ordered=is_ordered)
    if kind in _KEPT_AS_GIVEN:
        return _event_texts.find(value, is_ordered=is_ordered)
    return canonical(value, is_ordered=is_ordered)


_KEPT_AS_GIVEN = (FactKind.SINK, FactKind.QUEUE, FactKind.TRACKER)
"""Places that keep the very values that they are given."""


class _KnownTexts:
    """Texts by the identity of the value, which is kept so that no other gets its id.

    Tools never change a value, and the goal checks of a task's episodes compare the same ones.
    """

    def __init__(self, write: Callable[[Json, bool], str], most: int) -> None:
        self._write = write
        self._most = most
        self._known: dict[tuple[int, bool], tuple[Json, str]] = {}

    def find(self, value: Json, *, is_ordered: bool) -> str:
        known = self._known.get((id(value), is_ordered))
        if known is None:
            known = (value, self._write(value, is_ordered))
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[id(value), is_ordered] = known
        return known[1]


def _artefact_text(value: Json, is_ordered: bool) -> str:  # noqa: FBT001 - as `_KnownTexts` calls it
    return _shorten(f"text {value}" if isinstance(value, str) else canonical(value, is_ordered=is_ordered))


_artefact_texts = _KnownTexts(_artefact_text, 64)
_event_texts = _KnownTexts(lambda value, is_ordered: canonical(value, is_ordered=is_ordered), 256)


def _shorten(text: str) -> str:
    """Return a long text's digest: a task has many artefacts, and they are only compared."""
    return text if len(text) <= _LONGEST_TEXT else hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _excerpt(value: Json) -> Json:
    """Return the beginning of a long artefact, to show it in reports."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else value[:_LONGEST_TEXT] + "..."
    return value[:_MOST_ROWS] if isinstance(value, list) else value


def _file_text(path: str, content: str, *, is_ordered: bool) -> str:
    if _has_format(path, content):
        return canonical(content, is_ordered=is_ordered)
    return f"text {content.strip()}"


def _has_format(path: str, content: Json) -> bool:
    """Return whether a file's content is data in the format of its name."""
    is_json = isinstance(content, str) and content.lstrip()[:1] in ("[", "{")
    return path.endswith((".json", ".csv")) and is_json == path.endswith(".json")


def entries(world: World, kind: FactKind) -> Iterator[tuple[str, Json]]:
    """Yield (key, value) for everything of this kind in the world; the world contains no answers."""
    return iter(_READERS[kind](world))


def _events(lists: dict[str, tuple[Json, ...]]) -> list[tuple[str, Json]]:
    return [(key, value) for key, values in lists.items() for value in values]


_READERS: dict[FactKind, Callable[[World], Iterable[tuple[str, Json]]]] = {
    FactKind.ARTEFACT: lambda world: (("", value) for value in world.artefacts.values()),
    FactKind.SESSION: lambda world: ((service, True) for service in world.sessions),
    FactKind.FILE: lambda world: world.files.items(),
    FactKind.CACHE: lambda world: world.cache.items(),
    FactKind.SCHEDULE: lambda world: (
        (name, {"at": item.at, "data": item.data}) for name, item in world.schedules.items()
    ),
    FactKind.SINK: lambda world: _events({url: sink.payloads for url, sink in world.sinks.items()}),
    FactKind.QUEUE: lambda world: _events(world.queues),
    FactKind.TRACKER: lambda world: _events(world.trackers),
    FactKind.NOTIFICATION: lambda world: (
        (note.recipient, {"subject": note.subject, "data": note.data}) for note in world.outbox
    ),
    FactKind.LOG: lambda world: ((entry.level, {"message": entry.message, "data": entry.data}) for entry in world.log),
    FactKind.ANSWER: lambda world: (),  # noqa: ARG005 - an answer is in the reply, not in the world
}
