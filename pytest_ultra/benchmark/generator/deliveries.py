"""Deliveries: each is one call that hands a result over, and so changes the world outside the artefacts."""

from __future__ import annotations

from collections.abc import Callable

from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.generator.draft import Draft, Item, RejectedError
from pytest_ultra.benchmark.goal import unwrap
from pytest_ultra.benchmark.world import Sink
from pytest_ultra.core.workflow import Call

WORDS = ("summary", "digest", "briefing", "overview", "extract", "selection", "handover")
TEAMS = ("finance", "operations", "support", "planning", "audit", "sales")


def write_file(draft: Draft, item: Item, kind: str = "json") -> None:
    path = f"reports/{_name(draft)}.{kind}"
    draft.add_sentence(f"Write the result to the file {path}.")
    draft.describe_deliverable(f"Write {item.noun} to the file {path}", f"the file {path} holds {item.noun}")
    call = Call("file_operations_writer", {"path": path, "data": item.data})
    draft.deliver(call, FactKind.FILE, path, is_ordered=item.is_ordered)


def write_without_overwriting(draft: Draft, item: Item) -> None:
    """Ask for a file at a path where one exists that must not be overwritten."""
    name = _name(draft)
    taken, free = f"reports/{name}.json", f"reports/{name}_new.json"
    draft.add_to_world(files={taken: '{"note": "signed off, keep"}'})
    rule = f"the file {taken}, or if that is there already, leave it alone and use {free}"
    draft.add_sentence(f"Write the result to {rule}.")
    draft.describe_deliverable(f"Write {item.noun} to {rule}", f"{item.noun} stands in {rule}")
    call = Call("file_operations_writer", {"path": free, "data": item.data})
    draft.deliver(call, FactKind.FILE, free, is_ordered=item.is_ordered)


def notify_if_many(draft: Draft, item: Item) -> None:
    """Notify of a table only if it has more rows than a limit; otherwise nothing may be sent."""
    rows = len(item.rows)
    limit = rows + draft.pick((-2, -1, 0, 1))
    team, name = draft.pick(TEAMS), _name(draft)
    recipient, subject = f"{team}@example.com", f"{name.replace('_', ' ').capitalize()} alert"
    condition = f"only if it has more than {limit} rows"
    draft.add_sentence(f"Notify {recipient} with the subject '{subject}' and the result as data, but {condition}.")
    draft.describe_deliverable(
        f"Notify {recipient}, with the subject '{subject}', of {item.noun}, but {condition}",
        f"{recipient} has a message '{subject}' with {item.noun}, but {condition}",
    )
    if rows > limit:
        call = Call("utility_notifier", {"recipient": recipient, "subject": subject, "data": item.data})
        draft.deliver(call, FactKind.NOTIFICATION, recipient, is_ordered=item.is_ordered)


def notify(draft: Draft, item: Item) -> None:
    team, name = draft.pick(TEAMS), _name(draft)
    recipient, subject = f"{team}@example.com", f"{name.replace('_', ' ').capitalize()}"
    draft.add_sentence(f"Notify {recipient} with the subject '{subject}' and the result as data.")
    draft.describe_deliverable(
        f"Notify {recipient}, with the subject '{subject}', of {item.noun}",
        f"{recipient} has a message '{subject}' with {item.noun}",
    )
    call = Call("utility_notifier", {"recipient": recipient, "subject": subject, "data": item.data})
    draft.deliver(call, FactKind.NOTIFICATION, recipient, is_ordered=item.is_ordered)


def put_in_cache(draft: Draft, item: Item) -> None:
    key = f"{draft.pick(TEAMS)}:{_name(draft)}"
    draft.add_sentence(f"Put the result into the cache under {key}.")
    draft.describe_deliverable(f"Cache {item.noun} under {key}", f"the cache holds {item.noun} under {key}")
    call = Call("utility_cache", {"action": "put", "key": key, "data": item.data})
    draft.deliver(call, FactKind.CACHE, key, is_ordered=item.is_ordered)


def enqueue(draft: Draft, item: Item) -> None:
    name = f"{draft.pick(TEAMS)}-{draft.pick(('jobs', 'review', 'intake'))}"
    draft.add_to_world(queues={name: (), f"{name}-retired": ()})
    draft.add_sentence(f"Put the result on the queue {name}.")
    draft.describe_deliverable(f"Put {item.noun} on the queue {name}", f"the queue {name} has {item.noun}")
    call = Call("integration_queue", {"name": name, "data": item.data})
    draft.deliver(call, FactKind.QUEUE, name, is_ordered=item.is_ordered)


def schedule(draft: Draft, item: Item) -> None:
    name = f"{draft.pick(TEAMS)}_{_name(draft)}"
    at = f"2027-{draft.rng.randint(1, 12):02}-{draft.rng.randint(1, 28):02}T{draft.rng.randint(6, 20):02}:00"
    draft.add_sentence(f"Schedule it as {name} at {at}, with the result as data.")
    draft.describe_deliverable(
        f"Schedule {item.noun} as {name} at {at}", f"the schedule {name} at {at} carries {item.noun}"
    )
    call = Call("integration_scheduler", {"name": name, "at": at, "data": item.data})
    draft.deliver(call, FactKind.SCHEDULE, name, is_ordered=item.is_ordered)


def track(draft: Draft, item: Item) -> None:
    name = f"{draft.pick(TEAMS)}-{draft.pick(('quarterly', 'monthly', 'weekly'))}"
    draft.add_sentence(f"Record the result under the tracker {name}.")
    draft.describe_deliverable(f"Record {item.noun} under the tracker {name}", f"the tracker {name} has {item.noun}")
    call = Call("utility_tracker", {"name": name, "data": item.data})
    draft.deliver(call, FactKind.TRACKER, name, is_ordered=item.is_ordered)


def log(draft: Draft, item: Item) -> None:
    level = draft.pick(("info", "warning"))
    message = f"{_name(draft).replace('_', ' ')} ready"
    draft.add_sentence(f"Log the message '{message}' at level {level} with the result as data.")
    draft.describe_deliverable(
        f"Log '{message}' at level {level}, with {item.noun} as data",
        f"the log has '{message}' at level {level} with {item.noun}",
    )
    call = Call("utility_logger", {"level": level, "message": message, "data": item.data})
    draft.deliver(call, FactKind.LOG, level, is_ordered=item.is_ordered)


def post(draft: Draft, item: Item, service: str | None = None, session: int | None = None) -> None:
    """Post to a sink, which may need a session with a service."""
    url = _sink(draft, service)
    place = f"{url} (service {service})" if service else url
    draft.add_sentence(f"Post the result to {place}.")
    draft.describe_deliverable(f"Post {item.noun} to {place}", f"{place} has received {item.noun}")
    needs = (session,) if session else ()
    call = Call("network_poster", {"url": url, "data": item.data})
    draft.deliver(call, FactKind.SINK, url, needs=needs, is_ordered=item.is_ordered)


def route(draft: Draft, item: Item, service: str | None = None, session: int | None = None) -> None:
    """Post only the rows of one category to a sink."""
    fields = item.category_fields()
    field = draft.pick(fields)
    value = draft.pick(sorted({row[field] for row in item.rows if row[field]}))
    url = _sink(draft, service)
    place = f"{url} (service {service})" if service else url
    draft.add_sentence(f"Route the rows whose {field} is {value} to {place}, and no others.")
    draft.describe_deliverable(
        f"Route those of {item.noun} whose {field} is {value} to {place}",
        f"{place} has received those of {item.noun} whose {field} is {value}",
    )
    needs = (session,) if session else ()
    call = Call("network_router", {"data": item.data, "field": field, "routes": {value: url}})
    draft.deliver(call, FactKind.SINK, url, needs=needs, is_ordered=item.is_ordered)


def answer(draft: Draft, item: Item) -> None:
    """Ask for the value itself; reject the draw unless `item` is a single value."""
    value = unwrap(item.value)
    if isinstance(value, list | dict):
        raise RejectedError("more than one value")
    draft.add_sentence("Answer with that value.")
    draft.describe_deliverable(f"Answer with {item.noun}", f"your answer is {item.noun}")
    draft.answer(item, value)


ANY_ITEM: tuple[Callable[[Draft, Item], None], ...] = (
    write_file,
    write_without_overwriting,
    notify,
    put_in_cache,
    enqueue,
    schedule,
    track,
    log,
    post,
)
"""Deliveries that accept any item."""


def _name(draft: Draft) -> str:
    return f"{draft.pick(WORDS)}_{draft.rng.randint(10, 99)}"


def _sink(draft: Draft, service: str | None) -> str:
    host = f"https://{draft.pick(TEAMS)}.example"
    url = f"{host}/intake/{draft.rng.randint(100, 999)}"
    draft.add_to_world(sinks={url: Sink(service), f"{host}/sandbox": Sink(service)})
    return url
