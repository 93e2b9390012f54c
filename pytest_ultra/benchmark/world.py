"""The small world that a task starts in and that its tools change, as an immutable value."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.json_types import Json


class Resource(msgspec.Struct, frozen=True):
    """Something that can be fetched by URL. `service` names the service one must be authenticated with."""

    content: Json
    service: str | None = None
    latency_ms: int = 50


class Sink(msgspec.Struct, frozen=True):
    """Somewhere payloads can be posted to by URL."""

    service: str | None = None
    payloads: tuple[Json, ...] = ()


class Schedule(msgspec.Struct, frozen=True):
    """A job put on the calendar."""

    at: str
    data: Json = None


class Notification(msgspec.Struct, frozen=True):
    """A message in the outbox."""

    recipient: str
    subject: str
    data: Json = None


class LogEntry(msgspec.Struct, frozen=True):
    """A line of the log."""

    level: str
    message: str
    data: Json = None


class World(msgspec.Struct, frozen=True):
    """All that tools can see and change.

    The dictionaries are never changed in place: a tool makes a new world with `msgspec.structs.replace`.
    `files` hold text as it stands in the file; `credentials` name the services one can authenticate with
    and the account that does it; `datastores` are tables behind `integration_connector`; `topics` are the
    reference tables behind `utility_helper`; `artefacts` are what calls have produced, by handle.
    """

    files: dict[str, str] = {}
    resources: dict[str, Resource] = {}
    sinks: dict[str, Sink] = {}
    credentials: dict[str, str] = {}
    sessions: tuple[str, ...] = ()
    datastores: dict[str, Json] = {}
    topics: dict[str, Json] = {}
    cache: dict[str, Json] = {}
    queues: dict[str, tuple[Json, ...]] = {}
    schedules: dict[str, Schedule] = {}
    outbox: tuple[Notification, ...] = ()
    log: tuple[LogEntry, ...] = ()
    trackers: dict[str, tuple[Json, ...]] = {}
    artefacts: dict[str, Json] = {}
