"""Datasets: tables of one period at a place in the world, beside others that look alike, and the catalogue of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from pytest_ultra.benchmark.generator.business.records import Table
from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.benchmark.generator.periods import Period
from pytest_ultra.benchmark.generator.setting import CATALOGUE
from pytest_ultra.benchmark.world import Resource
from pytest_ultra.core.json_types import Json, Row


class PlaceKind(StrEnum):
    """Where a dataset is kept."""

    CSV_FILE = "csv_file"
    JSON_FILE = "json_file"
    ADDRESS = "address"
    GUARDED_ADDRESS = "guarded_address"
    DATASTORE = "datastore"
    CACHE = "cache"
    TOPIC = "topic"

    @property
    def steps(self) -> int:
        """How many steps it takes to get a table from there."""
        return 2 if self in (PlaceKind.CSV_FILE, PlaceKind.JSON_FILE, PlaceKind.GUARDED_ADDRESS) else 1


class Dataset(msgspec.Struct, frozen=True):
    """A table at a place: a path, an address, or the name of a datastore, cache entry or topic.

    `set_id` names it in the catalogue; `successor` is the set that has replaced it.
    """

    set_id: str
    table: Table
    period: Period
    kind: PlaceKind
    place: str
    status: str = "current"
    successor: str = ""

    def as_row(self, owner: str) -> dict[str, str]:
        return {
            "set": self.set_id,
            "holds": self.table.plural,
            "period": self.period.code,
            "kept_in": _KEPT_IN[self.kind],
            "place": self.place,
            "owner": owner,
            "status": self.status,
            "successor": self.successor,
        }


_KEPT_IN = {
    PlaceKind.CSV_FILE: "file",
    PlaceKind.JSON_FILE: "file",
    PlaceKind.ADDRESS: "address",
    PlaceKind.GUARDED_ADDRESS: "address",
    PlaceKind.DATASTORE: "datastore",
    PlaceKind.CACHE: "cache",
    PlaceKind.TOPIC: "help topic",
}


def place_dataset(draft: Draft, table: Table, period: Period, kind: PlaceKind, rows: list[Row]) -> Dataset:
    """Put rows at a new place in the world, whose name is like those of all other places of this kind."""
    setting = draft.setting
    code = setting.code()
    set_id = f"{table.name}-{code}"
    if kind in (PlaceKind.CSV_FILE, PlaceKind.JSON_FILE):
        suffix = "csv" if kind is PlaceKind.CSV_FILE else "json"
        place = f"{setting.folder}/{period.code}/{table.name}_{code}.{suffix}"
        hour, minute = draft.rng.randint(6, 21), draft.rng.randint(0, 59)
        draft.add_to_world(
            files={place: as_csv(rows) if suffix == "csv" else as_json(rows)},
            modified={place: f"{period.last.isoformat()}T{hour:02}:{minute:02}"},
        )
    elif kind in (PlaceKind.ADDRESS, PlaceKind.GUARDED_ADDRESS):
        place = f"https://{setting.business.host}.example/{period.code}/{table.name}/{code}"
        service = setting.business.services[table.name] if kind is PlaceKind.GUARDED_ADDRESS else None
        draft.add_to_world(resources={place: Resource(rows, service, draft.rng.randint(20, 400))})
    else:
        name = {PlaceKind.DATASTORE: f"{table.name}_{code}", PlaceKind.CACHE: f"{table.name}:{code}"}
        place = name.get(kind, f"{table.plural} {code}")
        part = {PlaceKind.DATASTORE: "datastores", PlaceKind.CACHE: "cache", PlaceKind.TOPIC: "topics"}[kind]
        draft.add_to_world(**{part: {place: rows}})
    return Dataset(set_id, table, period, kind, place)


def add_catalogue(draft: Draft, datasets: list[Dataset], notes: Mapping[str, str] | None) -> None:
    """Add the catalogue of all datasets to the world, ordered by the names of the sets, with the notes on each."""
    owners = {dataset.table.name: draft.setting.business.teams[0].name for dataset in datasets}
    for number, name in enumerate(owners):
        teams = draft.setting.business.teams
        owners[name] = teams[number % len(teams)].name
    rows: list[Json] = [
        dataset.as_row(owners[dataset.table.name]) | ({"note": notes[dataset.set_id]} if notes else {})
        for dataset in datasets
    ]
    rows.sort(key=lambda row: str(row["set"]))
    draft.add_to_world(topics={CATALOGUE: rows})


def as_csv(rows: list[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return text.getvalue()


def as_json(rows: list[Row]) -> str:
    return json.dumps(rows)
