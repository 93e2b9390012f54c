"""Deliveries: each is a call that hands a result over, at a place that the words name or describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from pytest_ultra.benchmark.decisions import ArgumentChange, Misreading, Skill
from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.levels import Naming
from pytest_ultra.benchmark.generator.periods import date_words
from pytest_ultra.benchmark.generator.setting import DIRECTORY, SUBJECTS, Contact
from pytest_ultra.benchmark.world import Sink
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call


class Place(msgspec.Struct, frozen=True):
    """A place for a result. `request` is what the words say to do, without the final stop.

    `look_alikes` are places that the words could be taken for without a look at the world. `arguments` are those of
    the call beside the data; `argument` is the one that names the place.
    """

    tool: str
    argument: str
    arguments: dict[str, Json]
    kind: FactKind
    request: str
    where: str = ""
    question: str = ""
    look_ups: tuple[Call, ...] = ()
    look_alikes: tuple[str, ...] = ()
    service: str = ""

    @property
    def name(self) -> str:
        return str(self.arguments[self.argument])

    @property
    def key(self) -> str:
        return str(self.arguments["level"]) if self.kind is FactKind.LOG else self.name


def hand_over(draft: Draft, item: Item, place: Place) -> int:
    """Add the call that delivers the item at the place; return its milestone's number."""
    needs = (draft.authenticate(place.service),) if place.service else ()
    call = Call(place.tool, {**place.arguments, "data": item.data})
    number = draft.deliver(call, place.kind, place.key, needs=needs, is_ordered=item.is_ordered)
    if place.look_alikes:
        misreadings = [
            Misreading((ArgumentChange(number - 1, place.argument, other),), is_naive=position == 0)
            for position, other in enumerate(place.look_alikes)
        ]
        draft.decide(Skill.LOOK_UP, place.question, place.look_ups, misreadings)
    return number


def can_route(item: Item) -> bool:
    return bool(_route_fields(item))


def _route_fields(item: Item) -> list[str]:
    return [name for name in item.categories if len(item.values_of(name)) > 1 and name not in item.cut]


def route(draft: Draft, item: Item, service: str) -> None:
    """Post only the rows with one value of a category."""
    fields = _route_fields(item)
    field = draft.pick(item.prefer_focus(fields))
    value = draft.pick(item.values_of(field))
    place = _draw_exclusive_intake(draft, service)
    names = {"plural": item.plural, "field": item.phrases[field], "value": value, "where": place.where}
    draft.say(Kind.DELIVERY, _ROUTED, **names)
    needs = (draft.authenticate(service),) if service else ()
    call = Call("network_router", {"data": item.data, "field": field, "routes": {str(value): place.name}})
    number = draft.deliver(call, FactKind.SINK, place.name, needs=needs, is_ordered=item.is_ordered)
    if not draft.level.is_exact:
        draft.extra_tools.add("network_poster")
    if place.look_alikes:
        misreadings = [
            Misreading((ArgumentChange(number - 1, "routes", {str(value): other}),), is_naive=position == 0)
            for position, other in enumerate(place.look_alikes)
        ]
        draft.decide(Skill.LOOK_UP, place.question, place.look_ups, misreadings)


def _draw_exclusive_intake(draft: Draft, service: str) -> Place:
    """Draw an intake address that no other part of the job names, since nothing else is to be sent there."""
    place = draw_places(draft, "intake", 1, service=service)[0]
    said = [sentence.text for part in draft.text.parts for sentence in part]
    if any(place.where in text for text in said):
        raise RejectedError("another result goes to the same address")
    draft.setting.free_contacts = [other for other in draft.setting.free_contacts if other.intake != place.name]
    return place


_ROUTED = (
    "Post the {plural} whose {field} is {value} to {where}, and none of the others.",
    "Of these, only the {plural} with the {field} {value} go by post request to {where}; the others are not sent.",
)


def draw_places(draft: Draft, kind: str, count: int, *, service: str = "") -> list[Place]:
    """Draw different places of one kind."""
    if kind in _TEAM_PLACES:
        return _draw_team_places(draft, kind, count, service)
    names = draft.rng.sample(draft.setting.business.destinations[kind.removeprefix("csv_")], count)
    return [_OWN_PLACES[kind](draft, name) for name in names]


def _file(draft: Draft, name: str) -> Place:
    path = f"reports/{draft.setting.period.code}/{name}_{draft.setting.code()}.json"
    request = draft.text.choose(("write the result to {path} as JSON", "save the result as JSON in the file {path}"))
    return Place("file_operations_writer", "path", {"path": path}, FactKind.FILE, request.format(path=path))


def _csv_file(draft: Draft, name: str) -> Place:
    path = f"reports/{draft.setting.period.code}/{name}_{draft.setting.code()}.csv"
    request = draft.text.choose(("write the result to {path} as CSV", "save the result as CSV in the file {path}"))
    return Place("file_operations_writer", "path", {"path": path}, FactKind.FILE, request.format(path=path))


def _cache(draft: Draft, name: str) -> Place:
    key = f"{name}:{draft.setting.code()}"
    request = draft.text.choose(("keep the result in the cache under {key}", "put the result into the cache as {key}"))
    arguments: dict[str, Json] = {"action": "put", "key": key}
    return Place("utility_cache", "key", arguments, FactKind.CACHE, request.format(key=key))


def _schedule(draft: Draft, name: str) -> Place:
    day, hour = draft.setting.period.last, draft.rng.randint(6, 20)
    month, minute = min(day.month + 1, 12), draft.pick(("00", "15", "30"))
    at = f"{day.year}-{month:02}-{draft.rng.randint(1, 28):02}T{hour:02}:{minute}"
    job = f"{name}-{draft.setting.code()}"
    request = f"schedule the job {job} for {at}, with the result as its data"
    arguments: dict[str, Json] = {"name": job, "at": at}
    return Place("integration_scheduler", "name", arguments, FactKind.SCHEDULE, request)


def _tracker(draft: Draft, name: str) -> Place:
    request = draft.text.choose(("add the result to the tracker {name}", "record the result in the tracker {name}"))
    return Place("utility_tracker", "name", {"name": name}, FactKind.TRACKER, request.format(name=name))


def _log(draft: Draft, name: str) -> Place:
    level = draft.pick(("info", "warning"))
    message = f"{name} {draft.setting.code()} ready"
    request = f"log '{message}' at the level {level}, with the result attached"
    arguments: dict[str, Json] = {"level": level, "message": message}
    return Place("utility_logger", "message", arguments, FactKind.LOG, request)


_OWN_PLACES: Mapping[str, Callable[[Draft, str], Place]] = {
    "file": _file,
    "csv_file": _csv_file,
    "cache": _cache,
    "schedule": _schedule,
    "tracker": _tracker,
    "log": _log,
}


def _draw_team_places(draft: Draft, kind: str, count: int, service: str) -> list[Place]:
    contacts = draft.rng.sample(draft.setting.free_contacts, count)
    add_directory(draft)
    return [_team_place(draft, kind, contact, service) for contact in contacts]


def add_directory(draft: Draft) -> None:
    """Add the directory and the places of all teams to the world."""
    contacts = draft.setting.contacts
    if not draft.level.is_exact:
        rows: list[Json] = [contact.as_row() for contact in contacts]
        draft.add_to_world(topics={DIRECTORY: rows})
    draft.add_to_world(
        queues={contact.queue: () for contact in contacts},
        sinks={contact.intake: Sink(draft.setting.sink_service or None) for contact in contacts},
    )


def _team_place(draft: Draft, kind: str, contact: Contact, service: str) -> Place:
    tool, argument, fact_kind, requests, noun = _TEAM_PLACES[kind]
    name = getattr(contact, kind)
    arguments: dict[str, Json] = {argument: name}
    subject = f"{draft.pick(SUBJECTS)} {draft.setting.period.code}"
    if kind == "mailbox":
        arguments["subject"] = subject
    where, wrong = _describe(draft, contact, name, noun)
    if draft.level.is_exact and service:
        where += f" (service {service})"
    others = [other for other in draft.setting.contacts if getattr(other, kind) != name]
    look_alikes = [getattr(other, kind) for other in wrong or draft.rng.sample(others, 2)]
    is_open = not draft.level.is_exact
    request = draft.text.choose(requests).format(where=where, subject=subject)
    return Place(
        tool,
        argument,
        arguments,
        fact_kind,
        request,
        where=where,
        question=f"which {noun} is meant by {where}",
        look_ups=(Call("utility_helper", {"topic": DIRECTORY}),) if is_open else (),
        look_alikes=tuple(look_alikes) if is_open else (),
        service=service,
    )


def _describe(draft: Draft, contact: Contact, name: str, noun: str) -> tuple[str, list[Contact]]:
    """Return the words for a team's place, and the teams that one could take for it where work has moved."""
    naming, setting = draft.level.naming, draft.setting
    if naming is Naming.EXACT:
        return (name if noun == "mailbox" else f"the {noun} {name}" if noun == "queue" else name), []
    if naming is Naming.DESCRIBED:
        return f"the {noun} of the {contact.team.name} team", []
    chain = setting.moved_to(contact)
    if naming is Naming.SEVERAL_LOOK_UPS and chain:
        day = date_words(setting.period.last)
        words = f"the {noun} of the team that does the work of the {chain[0].team.name} team on {day}"
        return words, [*chain, *setting.moves_later(contact)]
    return f"the {noun} of the team that {contact.team.duty}", []


_TEAM_PLACES = {
    "queue": (
        "integration_queue",
        "name",
        FactKind.QUEUE,
        ("put the result on {where}", "place the result on {where}"),
        "queue",
    ),
    "mailbox": (
        "utility_notifier",
        "recipient",
        FactKind.NOTIFICATION,
        (
            "send the result to {where} with the subject '{subject}'",
            "mail the result to {where}, with '{subject}' as the subject",
        ),
        "mailbox",
    ),
    "intake": (
        "network_poster",
        "url",
        FactKind.SINK,
        ("post the result to {where}", "deliver the result by posting it to {where}"),
        "intake address",
    ),
}
TEAM_KINDS = tuple(_TEAM_PLACES)
OWN_KINDS = tuple(_OWN_PLACES)
