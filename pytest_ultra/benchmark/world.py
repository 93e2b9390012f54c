"""The simulated world of a task, which its tools read and change, as an immutable value."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.json_types import Json


class Resource(msgspec.Struct, frozen=True):
    """Content that can be fetched by URL. If `service` is set, the agent must be authenticated with it."""

    content: Json
    service: str | None = None
    latency_ms: int = 50


class Sink(msgspec.Struct, frozen=True):
    """A URL that accepts payloads."""

    service: str | None = None
    payloads: tuple[Json, ...] = ()


class Schedule(msgspec.Struct, frozen=True):
    """A scheduled job; `at` is YYYY-MM-DDTHH:MM."""

    at: str
    data: Json = None


class Notification(msgspec.Struct, frozen=True):
    """A sent message."""

    recipient: str
    subject: str
    data: Json = None


class LogEntry(msgspec.Struct, frozen=True):
    """One line of the log."""

    level: str
    message: str
    data: Json = None


class Mirror(msgspec.Struct, frozen=True):
    """A second place for everything of a kind (a value of `tools.mirrors.Storage`) whose name begins with `original`.

    The copy's name begins with `prefix` instead. It has the content of the original at all times.
    """

    storage: str
    prefix: str
    original: str


class World(msgspec.Struct, frozen=True):
    """Everything that tools can read and change.

    The dictionaries are never changed in place: a tool makes a new world with `msgspec.structs.replace`.
    `files` maps a path to the file's text, and `modified` to the time of its last change; `credentials` maps a
    service to the account for it; `datastores` are the tables that `integration_connector` reads; `topics` are the
    reference tables that `utility_helper` reads; `artefacts` maps a handle to the output of an earlier call.
    `mirrors` are places with copies, which take no room of their own.
    """

    files: dict[str, str] = {}
    modified: dict[str, str] = {}
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
    mirrors: tuple[Mirror, ...] = ()
