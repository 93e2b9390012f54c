"""The integration tools, which connect to other systems."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pytest_ultra.benchmark.tools.base import Effect, Tool
from pytest_ultra.benchmark.tools.inputs import (
    get_artefact,
    get_entry,
    get_page,
    get_rows,
    invalid_arguments,
    is_equal,
    kind_of,
    require_fields,
    wrong_data,
)
from pytest_ultra.benchmark.tools.mirrors import Storage, original_of
from pytest_ultra.benchmark.tools.parameters import handle, page, parameters, scalar, string_map, text
from pytest_ultra.benchmark.tools.previews import describe, latest
from pytest_ultra.benchmark.world import Schedule, World
from pytest_ultra.core.json_types import Row


def authenticate(world: World, arguments: dict[str, Any]) -> Effect:
    service = arguments["service"]
    account = get_entry(world.credentials, service, "account for the service")
    if service not in world.sessions:
        world = replace(world, sessions=(*world.sessions, service))
    return Effect(world, {"session": service, "account": account}, artefact=False)


def map_fields(world: World, arguments: dict[str, Any]) -> Effect:
    mapping = arguments["mapping"]
    if len(set(mapping.values())) < len(mapping):
        raise invalid_arguments("mapping: two fields would get the same name.")
    rows = get_rows(world, arguments)
    require_fields(rows, *mapping)
    return Effect(world, [{new: row.get(old) for old, new in mapping.items()} for row in rows])


def enqueue(world: World, arguments: dict[str, Any]) -> Effect:
    name = arguments["name"]
    if "data" not in arguments:
        items = world.queues.get(name, ())
        return Effect(world, {"queue": name, "items": len(items), "latest": latest(items)}, artefact=False)
    item = get_artefact(world, arguments)
    items = (*world.queues.get(name, ()), item)
    return Effect(
        replace(world, queues={**world.queues, name: items}), {"queue": name, "items": len(items)}, artefact=False
    )


def schedule(world: World, arguments: dict[str, Any]) -> Effect:
    name, at = arguments["name"], arguments.get("at")
    if at is None and "data" not in arguments:
        return _show_schedule(world, name)
    if at is None or "data" not in arguments:
        missing = "at" if at is None else "data"
        raise invalid_arguments(f"arguments: {missing!r} is missing; give both 'at' and 'data', or neither.")
    entry = Schedule(at, get_artefact(world, arguments))
    changed = replace(world, schedules={**world.schedules, name: entry})
    return Effect(changed, {"scheduled": name, "at": at}, artefact=False)


def _show_schedule(world: World, name: str) -> Effect:
    entry = world.schedules.get(name)
    shown = None if entry is None else {"at": entry.at, "data": describe(entry.data)}
    return Effect(world, {"name": name, "job": shown}, artefact=False)


def connect(world: World, arguments: dict[str, Any]) -> Effect:
    name = original_of(world, Storage.DATASTORE, arguments["datastore"])
    content = get_entry(world.datastores, name, "datastore", "Catalogues name the datastores.")
    if not arguments.keys() & {"field", "value", "offset", "limit"}:
        return Effect(world, content)
    if kind_of(content) != "table":
        raise wrong_data("Only a table can be queried or taken in parts.")
    return Effect(world, get_page(_query(content, arguments), arguments))


def _query(rows: list[Row], arguments: dict[str, Any]) -> list[Row]:
    """Return the rows in which the argument `field` has the argument `value`; all without both."""
    if "field" not in arguments and "value" not in arguments:
        return rows
    if "field" not in arguments or "value" not in arguments:
        raise invalid_arguments("field, value: one needs the other.")
    require_fields(rows, arguments["field"])
    return [row for row in rows if is_equal(row.get(arguments["field"]), arguments["value"])]


_AT = text("When, as YYYY-MM-DDTHH:MM.")
_AT["pattern"] = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]$"

TOOLS = (
    Tool(
        "integration_authenticator",
        "Open a session with a service by the credentials that are on file. Produces no data.",
        parameters({"service": text("Name of the service.")}),
        ("AUTH_SERVER_BUSY", "RATE_LIMITED"),
        authenticate,
    ),
    Tool(
        "integration_mapper",
        "Rename the fields of a table for another system. Produces a table with the mapped fields and no others.",
        parameters(
            {
                "data": handle("the table to map"),
                "mapping": string_map("For each field to keep, its new name; the same name keeps it as it is."),
            }
        ),
        ("MAPPER_BUSY", "TRY_AGAIN_LATER"),
        map_fields,
        weight=0.5,
    ),
    Tool(
        "integration_queue",
        "Put an earlier output at the end of a message queue, for others to take. Produces no data. Without data, it "
        "says how many items the queue has, and shows the newest.",
        parameters(
            {"name": text("Name of the queue."), "data": handle("what to put into the queue")}, optional=("data",)
        ),
        ("BROKER_RESTARTING", "QUEUE_BUSY", "RATE_LIMITED"),
        enqueue,
    ),
    Tool(
        "integration_scheduler",
        "Put a job on the calendar, with an earlier output to work on, replacing a job of the same name. "
        "Produces no data. With the name alone, it shows the job of that name.",
        parameters(
            {"name": text("Name of the job."), "at": _AT, "data": handle("what the job is to work on")},
            optional=("at", "data"),
        ),
        ("CALENDAR_LOCKED", "TRY_AGAIN_LATER"),
        schedule,
    ),
    Tool(
        "integration_connector",
        "Connect to a datastore and take everything out of it, or the rows that a query finds, or some of them. "
        "Produces its content, as a rule a table.",
        parameters(
            {
                "datastore": text("Name of the datastore."),
                "field": text("For a query: the field that must have the value."),
                "value": scalar("For a query: the value that the field must have."),
                **page("row"),
            },
            optional=("field", "value", "offset", "limit"),
        ),
        ("DATASTORE_BUSY", "POOL_EXHAUSTED", "TIMEOUT"),
        connect,
    ),
)
