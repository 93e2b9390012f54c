"""The network tools, which check addresses, fetch from them and post to them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pytest_ultra.benchmark.tables import UnreadableTextError, read_csv_cells, write_cell
from pytest_ultra.benchmark.tools.base import Effect, Tool
from pytest_ultra.benchmark.tools.inputs import (
    get_artefact,
    get_entry,
    get_rows,
    kind_of,
    require_fields,
    require_session,
)
from pytest_ultra.benchmark.tools.mirrors import Storage, original_of
from pytest_ultra.benchmark.tools.parameters import handle, parameters, string_list, string_map, text
from pytest_ultra.benchmark.tools.previews import latest
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json, Row


def fetch(world: World, arguments: dict[str, Any]) -> Effect:
    resource = get_entry(world.resources, original_of(world, Storage.ADDRESS, arguments["url"]), "resource at")
    require_session(world, resource.service)
    return Effect(world, resource.content)


def validate(world: World, arguments: dict[str, Any]) -> Effect:
    url = arguments["url"]
    facts: dict[str, Json] = {"url": url, "exists": True, "service": None, "kind": None, "rows": None}
    stored = original_of(world, Storage.ADDRESS, url)
    if stored in world.resources:
        resource = world.resources[stored]
        facts |= {"service": resource.service, "kind": kind_of(resource.content), "rows": _count(resource.content)}
    elif url in world.sinks:
        facts |= {"service": world.sinks[url].service, "kind": "sink"}
        facts["payloads"] = len(world.sinks[url].payloads)
    else:
        facts["exists"] = False
    return Effect(world, facts)


def _count(content: Json) -> int | None:
    """Return the number of rows of a table, or of text that is CSV of several columns; None for anything else."""
    if kind_of(content) == "table":
        return len(content)
    try:
        rows = read_csv_cells(content) if isinstance(content, str) else []
    except UnreadableTextError:
        return None
    return len(rows) if rows and len(rows[0]) > 1 else None


def post(world: World, arguments: dict[str, Any]) -> Effect:
    url = arguments["url"]
    _require_sink(world, url)
    if "data" not in arguments:
        return Effect(world, _received(world, url), artefact=False)
    changed = _deliver(world, url, get_artefact(world, arguments))
    return Effect(changed, {"posted_to": url, "payloads": len(changed.sinks[url].payloads)}, artefact=False)


def _received(world: World, url: str) -> dict[str, Json]:
    payloads = world.sinks[url].payloads
    return {"url": url, "payloads": len(payloads), "latest": latest(payloads)}


def _require_sink(world: World, url: str) -> None:
    require_session(world, get_entry(world.sinks, url, "address to post to at").service)


def _deliver(world: World, url: str, payload: Json) -> World:
    sink = world.sinks[url]
    return replace(world, sinks={**world.sinks, url: replace(sink, payloads=(*sink.payloads, payload))})


def monitor(world: World, arguments: dict[str, Any]) -> Effect:
    return Effect(world, [_check(world, url) for url in arguments["urls"]])


def _check(world: World, url: str) -> Row:
    resource = get_entry(world.resources, original_of(world, Storage.ADDRESS, url), "resource at")
    is_open = resource.service is None or resource.service in world.sessions
    return {"url": url, "latency_ms": resource.latency_ms, "status": "ok" if is_open else "unauthorized"}


def route(world: World, arguments: dict[str, Any]) -> Effect:
    field, routes = arguments["field"], arguments["routes"]
    rows = get_rows(world, arguments) if "data" in arguments else []
    require_fields(rows, field)
    for url in routes.values():
        _require_sink(world, url)
    if "data" not in arguments:
        received = [_received(world, url) for url in dict.fromkeys(routes.values())]
        return Effect(world, {"addresses": received}, artefact=False)
    parts: dict[str, list[Row]] = {value: [] for value in routes}
    for row in rows:
        parts.get(write_cell(row.get(field)), []).append(row)
    for value, part in parts.items():
        if part:
            world = _deliver(world, routes[value], part)
    posted = {value: len(part) for value, part in parts.items()}
    return Effect(world, {"rows_posted": posted, "rows_left": len(rows) - sum(posted.values())}, artefact=False)


_URL = "Full URL of the "

TOOLS = (
    Tool(
        "network_fetcher",
        "Fetch a resource over HTTP. Produces its content: text, a table or a record, as the address serves it.",
        parameters({"url": text(_URL + "resource.")}),
        ("TIMEOUT", "BAD_GATEWAY", "CONNECTION_RESET", "TOO_MANY_REQUESTS"),
        fetch,
        weight=1.5,
    ),
    Tool(
        "network_validator",
        "Check an address without fetching from it. Produces a record that tells whether it exists, which service it "
        "needs a session with, the kind of its content and the number of rows, or of payloads that were posted to it.",
        parameters({"url": text(_URL + "address to check.")}),
        ("TIMEOUT", "DNS_SERVER_BUSY"),
        validate,
    ),
    Tool(
        "network_poster",
        "Post an earlier output to an address as one payload. Needs an open session if the address belongs to a "
        "service. Without data, it says how many payloads the address has received, and shows the newest.",
        parameters({"url": text(_URL + "address to post to."), "data": handle("what to post")}, optional=("data",)),
        ("RATE_LIMITED", "SERVICE_OVERLOADED", "TRY_AGAIN_LATER"),
        post,
    ),
    Tool(
        "network_monitor",
        "Measure how addresses respond, without their content. Produces a table with the url, latency_ms and status "
        "of each.",
        parameters({"urls": string_list("Full URLs of the resources to measure.")}),
        ("PROBE_BUSY", "TIMEOUT"),
        monitor,
    ),
    Tool(
        "network_router",
        "Split a table by the values of a field and post each part to the address given for its value. Rows whose "
        "value has no address stay unposted. Without data, it shows what the addresses have received.",
        parameters(
            {
                "data": handle("the table to split"),
                "field": text("Field to split by."),
                "routes": string_map("For each value of the field, the full URL to post its rows to.", 10),
            },
            optional=("data",),
        ),
        ("ROUTE_CONGESTED", "RATE_LIMITED", "TRY_AGAIN_LATER"),
        route,
        weight=2.0,
    ),
)
