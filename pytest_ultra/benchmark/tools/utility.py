"""The utility tools: log, cache, tracker, reference look-up and messages."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pytest_ultra.benchmark.tools.base import Effect, Tool
from pytest_ultra.benchmark.tools.inputs import get_artefact, get_entry, invalid_arguments
from pytest_ultra.benchmark.tools.mirrors import Storage, original_of
from pytest_ultra.benchmark.tools.parameters import choice, handle, parameters, text
from pytest_ultra.benchmark.tools.previews import MOST_LISTED, describe, latest
from pytest_ultra.benchmark.world import LogEntry, Notification, World
from pytest_ultra.core.json_types import Json

_MAX_MESSAGE = 1000


def log(world: World, arguments: dict[str, Any]) -> Effect:
    level = arguments["level"]
    if "message" not in arguments:
        if "data" in arguments:
            raise invalid_arguments("data: it goes with a message; give both, or neither.")
        return _show_log(world, level)
    data = get_artefact(world, arguments) if "data" in arguments else None
    entry = LogEntry(level, arguments["message"], data)
    changed = replace(world, log=(*world.log, entry))
    return Effect(changed, {"logged": entry.level, "entries": len(changed.log)}, artefact=False)


def _show_log(world: World, level: str) -> Effect:
    lines = [entry for entry in world.log if entry.level == level]
    shown = [{"message": entry.message, "data": _describe_any(entry.data)} for entry in lines[-MOST_LISTED:]]
    return Effect(world, {"level": level, "entries": len(lines), "latest": shown}, artefact=False)


def _describe_any(data: Json) -> Json:
    return None if data is None else describe(data)


def cache(world: World, arguments: dict[str, Any]) -> Effect:
    action = arguments["action"]
    for argument in ("key", "data"):
        _require_match(action, argument, is_given=argument in arguments)
    if action == "list":
        return Effect(world, [{"key": key} for key in sorted(world.cache)])
    key = arguments["key"]
    if action == "get":
        stored = key if key in world.cache else original_of(world, Storage.CACHE, key)
        return Effect(world, get_entry(world.cache, stored, "cache entry", "The keys can be listed."))
    changed = replace(world, cache={**world.cache, key: get_artefact(world, arguments)})
    return Effect(changed, {"cached": key}, artefact=False)


_CACHE_ARGUMENTS = {"put": ("key", "data"), "get": ("key",), "list": ()}


def _require_match(action: str, argument: str, *, is_given: bool) -> None:
    """Raise an earned error if the argument is given where the action takes none, or missing where it needs it."""
    is_needed = argument in _CACHE_ARGUMENTS[action]
    if is_needed != is_given:
        verb = "needs this argument" if is_needed else "takes no such argument"
        raise invalid_arguments(f"{argument}: the action {action!r} {verb}.")


def track(world: World, arguments: dict[str, Any]) -> Effect:
    name = arguments["name"]
    if "data" not in arguments:
        records = world.trackers.get(name, ())
        shown = {"tracker": name, "records": len(records), "latest": latest(records)}
        return Effect(world, shown, artefact=False)
    records = (*world.trackers.get(name, ()), get_artefact(world, arguments))
    changed = replace(world, trackers={**world.trackers, name: records})
    return Effect(changed, {"tracker": name, "records": len(records)}, artefact=False)


def look_up(world: World, arguments: dict[str, Any]) -> Effect:
    if "topic" not in arguments:
        return Effect(world, [{"topic": topic} for topic in sorted(world.topics)])
    topics = "Without a topic, the topics are listed."
    topic = original_of(world, Storage.TOPIC, arguments["topic"])
    return Effect(world, get_entry(world.topics, topic, "reference on the topic", topics))


def notify(world: World, arguments: dict[str, Any]) -> Effect:
    recipient, given = arguments["recipient"], arguments.keys() & {"subject", "data"}
    if not given:
        return _show_messages(world, recipient)
    if len(given) == 1:
        missing = "data" if "subject" in given else "subject"
        raise invalid_arguments(f"arguments: {missing!r} is missing; give both 'subject' and 'data', or neither.")
    message = Notification(recipient, arguments["subject"], get_artefact(world, arguments))
    changed = replace(world, outbox=(*world.outbox, message))
    return Effect(changed, {"sent_to": message.recipient}, artefact=False)


def _show_messages(world: World, recipient: str) -> Effect:
    sent = [message for message in world.outbox if message.recipient == recipient]
    shown = [{"subject": message.subject, "data": describe(message.data)} for message in sent[-MOST_LISTED:]]
    return Effect(world, {"recipient": recipient, "messages": len(sent), "latest": shown}, artefact=False)


TOOLS = (
    Tool(
        "utility_logger",
        "Write a line to the log, if wanted with an earlier output attached. Produces no data and tells nobody. "
        "With the level alone, it says how many lines of that level there are, and shows the newest.",
        parameters(
            {
                "level": choice("How grave it is.", "debug", "info", "warning", "error"),
                "message": text("What to log.", _MAX_MESSAGE),
                "data": handle("what to attach"),
            },
            optional=("message", "data"),
        ),
        ("LOG_ROTATING", "BUFFER_FULL"),
        log,
    ),
    Tool(
        "utility_cache",
        "Keep an earlier output under a key (put), produce what is kept under it (get), or list the keys (list).",
        parameters(
            {
                "action": choice("What to do.", "put", "get", "list"),
                "key": text("Key to keep it under; left out for list."),
                "data": handle("what to put; left out for get and list"),
            },
            optional=("key", "data"),
        ),
        ("CACHE_BUSY", "SHARD_MOVING"),
        cache,
        weight=0.5,
    ),
    Tool(
        "utility_tracker",
        "Add an earlier output to the history of something that is tracked over time. Produces no data. Without data, "
        "it says how many records the history has, and shows the newest.",
        parameters({"name": text("Name of what is tracked."), "data": handle("what to add")}, optional=("data",)),
        ("TRACKER_BUSY", "TRY_AGAIN_LATER"),
        track,
    ),
    Tool(
        "utility_helper",
        "Look up reference material on a topic, or list the topics. Produces the reference table of the topic, or a "
        "table of all topics.",
        parameters({"topic": text("Topic to look up; left out, the topics are listed.")}, optional=("topic",)),
        ("INDEX_REBUILDING", "TIMEOUT"),
        look_up,
    ),
    Tool(
        "utility_notifier",
        "Send an earlier output to somebody as a message. Produces no data. With the recipient alone, it says how "
        "many messages were sent to them, and shows the newest.",
        parameters(
            {
                "recipient": text("Who is to get the message."),
                "subject": text("Subject of the message."),
                "data": handle("what to send"),
            },
            optional=("subject", "data"),
        ),
        ("MAIL_SERVER_BUSY", "RATE_LIMITED", "TRY_AGAIN_LATER"),
        notify,
    ),
)
