"""The records of a business domain: what its tables, people and places are called, and what fits together."""

from __future__ import annotations

import msgspec


class Category(msgspec.Struct, frozen=True):
    """A field of few values: 3 to 8 words, lower case or capitalised, none a part of another.

    `phrase` is what a person calls the field: "payment status" for `payment_state`.
    """

    name: str
    phrase: str
    values: tuple[str, ...]


class Measure(msgspec.Struct, frozen=True):
    """A numeric field: values from `low` to `high`, in `unit`, with `decimals` digits after the point.

    `other_unit` is a unit in which a careless system stores the same, "" if there is none. One `unit` is `factor`
    times one `other_unit`; if `is_larger`, one `other_unit` is `factor` times one `unit`. If `is_additive`, a sum over
    rows makes sense, as it does for an amount and does not for a temperature.
    """

    name: str
    phrase: str
    low: int
    high: int
    decimals: int
    unit: str
    other_unit: str = ""
    factor: int = 1
    is_larger: bool = False
    is_additive: bool = True


class Table(msgspec.Struct, frozen=True):
    """A dataset: its key, 2 to 4 categories, 2 to 4 measures and a date field.

    `name` is the dataset's name and the stem of its files, `prefix` starts each key ("ORD-1204"). `parent` is the field
    that holds the key of a row of the business's parent table, "" if there is none.
    """

    name: str
    plural: str
    singular: str
    key: str
    prefix: str
    categories: tuple[Category, ...]
    measures: tuple[Measure, ...]
    date: str
    parent: str = ""


class Team(msgspec.Struct, frozen=True):
    """A team. Its duty, a phrase after "the team that", is unlike those of the others of its business."""

    name: str
    mailbox: str
    duty: str


class Business(msgspec.Struct, frozen=True):
    """A business whose parts fit together.

    `host` is the first part of its addresses (`https://HOST.example`). `services` maps each table, the parent included,
    to the service that guards it. `destinations` maps each kind (queue, sink, file, cache, schedule, tracker, log) to
    names or stems, none of which names its content. `rules` are sentences of its policies that decide no task.
    """

    name: str
    host: str
    parent: Table
    tables: tuple[Table, ...]
    services: dict[str, str]
    teams: tuple[Team, ...]
    occasions: tuple[str, ...]
    destinations: dict[str, tuple[str, ...]]
    rules: tuple[str, ...]
