"""The utility tools: log, cache, tracker, reference look-up and messages."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pytest_ultra.benchmark.tools.base import Effect, Tool
from pytest_ultra.benchmark.tools.inputs import get_artefact, get_entry, invalid_arguments
from pytest_ultra.benchmark.tools.parameters import choice, handle, parameters, text
from pytest_ultra.benchmark.world import LogEntry, Notification, World

_MAX_MESSAGE = 1000


def log(world: World, arguments: dict[str, Any]) -> Effect:
    data = get_artefact(world, arguments) if "data" in arguments else None
    entry = LogEntry(arguments["level"], arguments["message"], data)
    changed = replace(world, log=(*world.log, entry))
    return Effect(changed, {"logged": entry.level, "entries": len(changed.log)}, artefact=False)


def cache(world: World, arguments: dict[str, Any]) -> Effect:
    key = arguments["key"]
    if arguments["action"] == "get":
        if "data" in arguments:
            raise invalid_arguments("data: the action 'get' takes no such argument.")
        return Effect(world, get_entry(world.cache, key, "cache entry"))
    if "data" not in arguments:
        raise invalid_arguments("data: the action 'put' needs this argument.")
    changed = replace(world, cache={**world.cache, key: get_artefact(world, arguments)})
    return Effect(changed, {"cached": key}, artefact=False)


def track(world: World, arguments: dict[str, Any]) -> Effect:
    name = arguments["name"]
    records = (*world.trackers.get(name, ()), get_artefact(world, arguments))
    changed = replace(world, trackers={**world.trackers, name: records})
    return Effect(changed, {"tracker": name, "records": len(records)}, artefact=False)


def look_up(world: World, arguments: dict[str, Any]) -> Effect:
    return Effect(world, get_entry(world.topics, arguments["topic"], "reference on the topic"))


def notify(world: World, arguments: dict[str, Any]) -> Effect:
    message = Notification(arguments["recipient"], arguments["subject"], get_artefact(world, arguments))
    changed = replace(world, outbox=(*world.outbox, message))
    return Effect(changed, {"sent_to": message.recipient}, artefact=False)


TOOLS = (
    Tool(
        "utility_logger",
        "Write a line to the log, if wanted with an earlier output attached. Produces no data and tells nobody.",
        parameters(
            {
                "level": choice("How grave it is.", "debug", "info", "warning", "error"),
                "message": text("What to log.", _MAX_MESSAGE),
                "data": handle("what to attach"),
            },
            optional=("data",),
        ),
        ("LOG_ROTATING", "BUFFER_FULL"),
        log,
    ),
    Tool(
        "utility_cache",
        "Keep an earlier output under a key (put), or produce what is kept under it (get).",
        parameters(
            {
                "action": choice("What to do.", "put", "get"),
                "key": text("Key to keep it under."),
                "data": handle("what to put; left out for get"),
            },
            optional=("data",),
        ),
        ("CACHE_BUSY", "SHARD_MOVED"),
        cache,
        weight=0.5,
    ),
    Tool(
        "utility_tracker",
        "Add an earlier output to the history of something that is tracked over time. Produces no data.",
        parameters({"name": text("Name of what is tracked."), "data": handle("what to add")}),
        ("TRACKER_BUSY", "TIMEOUT"),
        track,
    ),
    Tool(
        "utility_helper",
        "Look up reference material on a topic. Produces the reference table of that topic.",
        parameters({"topic": text("Topic to look up.")}),
        ("INDEX_REBUILDING", "TIMEOUT"),
        look_up,
    ),
    Tool(
        "utility_notifier",
        "Send an earlier output to somebody as a message. Produces no data.",
        parameters(
            {
                "recipient": text("Who is to get the message."),
                "subject": text("Subject of the message."),
                "data": handle("what to send"),
            }
        ),
        ("MAIL_SERVER_BUSY", "DELIVERY_DEFERRED", "TIMEOUT"),
        notify,
    ),
)
