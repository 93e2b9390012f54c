"""Data sources: each puts tables into the world, says which one is meant, and adds the calls that get it."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import msgspec

from pytest_ultra.benchmark.decisions import ArgumentChange, Misreading, Skill
from pytest_ultra.benchmark.generator.business.records import Table
from pytest_ultra.benchmark.generator.datasets import Dataset, PlaceKind, place_dataset
from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.levels import Naming
from pytest_ultra.benchmark.generator.periods import Period, neighbours
from pytest_ultra.benchmark.generator.rows import draw_rows, revise
from pytest_ultra.benchmark.generator.setting import CATALOGUE
from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call


class Source(msgspec.Struct, frozen=True):
    """A table that the job works on: the true dataset and those that look like it.

    With `is_latest_meant`, the true one is the file that was changed last, whatever the catalogue calls it.
    """

    dataset: Dataset
    siblings: tuple[Dataset, ...]
    is_latest_meant: bool = False

    @property
    def all(self) -> list[Dataset]:
        return [self.dataset, *self.siblings]


def place_source(
    draft: Draft, table: Table, kind: PlaceKind, rows: list[Row], parents: list[Json], *, change: float = 0.35
) -> Source:
    """Put the true dataset and its look-alikes into the world.

    They are other periods' data; from `hard` on, also other versions of the same period's data, which
    differ in the share `change` of the rows.
    """
    period, naming = draft.setting.period, draft.level.naming
    places: list[tuple[Period, list[Row]]] = [(period, rows)]
    if naming in (Naming.ONE_LOOK_UP, Naming.SEVERAL_LOOK_UPS):
        versions = draft.rng.randint(1, 2) if naming is Naming.ONE_LOOK_UP else draft.rng.randint(2, 3)
        places += [(period, revise(rows, table, draft.rng, change)) for _ in range(versions)]
    others = neighbours(period)
    for other in others if naming is Naming.EXACT or draft.rng.random() < 0.5 else others[:1]:
        places.append((other, draw_rows(table, draft.rng, max(6, len(rows) - draft.rng.randint(0, 3)), other, parents)))
    order = list(range(len(places)))
    draft.rng.shuffle(order)
    placed = {number: place_dataset(draft, table, places[number][0], kind, places[number][1]) for number in order}
    return _link(draft, [placed[number] for number in range(len(places))])


def _link(draft: Draft, datasets: list[Dataset]) -> Source:
    """Give the datasets of one period their status and successors; the first one is the one that is meant.

    Where a line of successors leads to it, another one that is marked as current stands outside the line.
    """
    current, *others = datasets
    versions = [dataset for dataset in others if dataset.period == current.period]
    rest = tuple(dataset for dataset in others if dataset.period != current.period)
    naming = draft.level.naming
    if naming is Naming.SEVERAL_LOOK_UPS:
        *line, outsider = versions
        linked = [_replaced_by(*pair) for pair in pairwise([*line, current])]
        return Source(current, (*linked, outsider, *rest))
    if naming is not Naming.ONE_LOOK_UP:
        return Source(current, (*versions, *rest))
    is_latest_meant = current.place in draft.world.files and draft.rng.random() < 0.5
    _date_files(draft, [current, *versions], is_in_order=is_latest_meant)
    others_statuses = ("superseded", "draft", "under review")
    if is_latest_meant:  # the time decides, so no status may say otherwise
        statuses = ["not recorded"] * (len(versions) + 1)
    else:
        statuses = ["current", *draft.rng.sample(others_statuses, len(versions))]
    marked = [
        msgspec.structs.replace(dataset, status=status)
        for dataset, status in zip([current, *versions], statuses, strict=True)
    ]
    return Source(marked[0], (*marked[1:], *rest), is_latest_meant)


def _date_files(draft: Draft, datasets: list[Dataset], *, is_in_order: bool) -> None:
    """Give files the times of their last change: the first one has the latest, or any."""
    days = list(range(len(datasets), 0, -1))
    if not is_in_order:
        draft.rng.shuffle(days)
    for number, dataset in zip(days, datasets, strict=True):
        if dataset.place in draft.world.files:
            day = dataset.period.last + dt.timedelta(days=number)
            time = f"{draft.rng.randint(6, 21):02}:{draft.rng.randint(0, 59):02}"
            draft.add_to_world(modified={dataset.place: f"{day.isoformat()}T{time}"})


def _replaced_by(dataset: Dataset, successor: Dataset) -> Dataset:
    return msgspec.structs.replace(dataset, status="replaced", successor=successor.set_id)


def open_source(draft: Draft, source: Source, item: Item) -> Item:
    """Add the calls that get the source's table, and the sentences that say which one is meant."""
    dataset = source.dataset
    _say_source(draft, source, item)
    call = get_call(dataset)
    if dataset.kind in (PlaceKind.CSV_FILE, PlaceKind.JSON_FILE):
        text = draft.make(call, item)
        format_ = "csv" if dataset.kind is PlaceKind.CSV_FILE else "json"
        draft.say(Kind.MECHANICAL, ("Parse it as {format}.",), format=format_.upper())
        table = draft.make(Call("data_processing_parser", {"data": text.data, "format": format_}), item)
        _decide(draft, source, text.number, call)
        return table
    needs: tuple[int, ...] = ()
    if dataset.kind is PlaceKind.GUARDED_ADDRESS:
        needs = (draft.authenticate(draft.setting.business.services[dataset.table.name]),)
    table = draft.make(call, item, needs=needs)
    _decide(draft, source, table.number, call)
    return table


def get_call(dataset: Dataset) -> Call:
    """Return the call that gets the content of a dataset."""
    tool, argument = _GETTERS[dataset.kind]
    action: dict[str, Json] = {"action": "get"} if dataset.kind is PlaceKind.CACHE else {}
    return Call(tool, {**action, argument: dataset.place})


_GETTERS = {
    PlaceKind.CSV_FILE: ("file_operations_reader", "path"),
    PlaceKind.JSON_FILE: ("file_operations_reader", "path"),
    PlaceKind.ADDRESS: ("network_fetcher", "url"),
    PlaceKind.GUARDED_ADDRESS: ("network_fetcher", "url"),
    PlaceKind.DATASTORE: ("integration_connector", "datastore"),
    PlaceKind.CACHE: ("utility_cache", "key"),
    PlaceKind.TOPIC: ("utility_helper", "topic"),
}


def _decide(draft: Draft, source: Source, number: int, call: Call) -> None:
    if draft.level.is_exact:
        return
    argument = _GETTERS[source.dataset.kind][1]
    siblings = [sibling for sibling in source.siblings if sibling.period == source.dataset.period] or source.siblings
    misreadings = [
        Misreading((ArgumentChange(number - 1, argument, sibling.place),), is_naive=place == 0)
        for place, sibling in enumerate(siblings)
    ]
    question = f"which {source.dataset.table.plural} of {source.dataset.period.words} are meant"
    look_up = Call("utility_helper", {"topic": CATALOGUE})
    if source.is_latest_meant:
        folder = source.dataset.place.rpartition("/")[0]
        look_up = Call("file_operations_scanner", {"pattern": f"{folder}/*"})
    draft.decide(Skill.LOOK_UP, question, [look_up], misreadings)
    draft.extra_tools |= {call.tool, "file_operations_scanner", "utility_helper"}


def _say_source(draft: Draft, source: Source, item: Item) -> None:
    dataset, naming = source.dataset, draft.level.naming
    if naming is Naming.EXACT:
        if dataset.kind is PlaceKind.GUARDED_ADDRESS:
            service = draft.setting.business.services[dataset.table.name]
            draft.say(Kind.MECHANICAL, ("Authenticate with the service {service}.",), service=service)
            draft.say(Kind.SOURCE, _GUARDED, place=dataset.place, service=service)
        else:
            draft.say(Kind.SOURCE, _EXACT[dataset.kind], place=dataset.place)
        return
    names = {"plural": item.plural, "period": dataset.period.words, "catalogue": CATALOGUE}
    if naming is Naming.DESCRIBED:
        draft.say(Kind.SOURCE, _DESCRIBED, **names)
    elif naming is Naming.ONE_LOOK_UP:
        folder = dataset.place.rpartition("/")[0]
        phrasings = _LATEST if source.is_latest_meant else _CURRENT
        draft.say(Kind.SOURCE, phrasings, folder=folder, stem=dataset.table.name, **names)
    else:
        first = next(sibling for sibling in source.siblings if sibling.successor)
        draft.say(Kind.SOURCE, _REPLACED, set=first.set_id, **names)


_GUARDED = ("Fetch {place}, which takes a session with the service {service}.",)
_EXACT = {
    PlaceKind.CSV_FILE: ("Read the file {place}.", "Open the file {place}."),
    PlaceKind.JSON_FILE: ("Read the file {place}.", "Open the file {place}."),
    PlaceKind.ADDRESS: ("Fetch {place}.", "Get the table at {place}."),
    PlaceKind.DATASTORE: ("Take the table of the datastore {place}.", "Get everything in the datastore {place}."),
    PlaceKind.CACHE: ("Get the entry {place} from the cache.", "Take what the cache holds under {place}."),
    PlaceKind.TOPIC: ("Look up the help topic '{place}'.",),
}
_DESCRIBED = (
    "It is about the {plural} of {period}; the {catalogue} says where they are.",
    "Take the {plural} of {period}, which are listed in the {catalogue}.",
    "The {plural} of {period} are to be used; look in the {catalogue} for their place.",
    "Use the {plural} of {period}, as listed in the {catalogue}.",
)
_CURRENT = (
    "It is about the {plural} of {period}, in the version that the {catalogue} calls current.",
    "Take the current version of the {plural} of {period}; the {catalogue} says which one that is.",
    (
        "Use the {plural} of {period}. There are several versions, and only the one marked current in the "
        "{catalogue} counts."
    ),
    "The {plural} of {period} are to be used, in that version of them that the {catalogue} marks as current.",
)
_LATEST = (
    (
        "It is about the {plural} of {period}. The folder {folder} has several files of them ({stem}); the one "
        "that was "
        "changed last counts."
    ),
    "Take the {plural} of {period} from that {stem} file in {folder} which was changed last.",
    "Use the {plural} of {period}: of the {stem} files in the folder {folder}, the one with the latest change.",
)
_REPLACED = (
    (
        "We agreed on the set {set} of the {plural}; if the {catalogue} names a successor, use that, or its own "
        "successor if it has one, and so on to the end."
    ),
    (
        "Take the set {set} of the {plural}, or whatever has replaced it by now: follow the successors in the "
        "{catalogue} "
        "to the last one."
    ),
    (
        "Use the {plural} that started out as the set {set}. Sets get replaced, so go by the {catalogue} and take the "
        "newest one in that line."
    ),
)
