"""The records that describe a business: its tables, teams, services and names."""

from __future__ import annotations

import msgspec


class Category(msgspec.Struct, frozen=True):
    """A field with a few recurring values. `phrase` is what a person calls it."""

    name: str
    phrase: str
    values: tuple[str, ...]


class Measure(msgspec.Struct, frozen=True):
    """A field with numbers.

    `other_unit` is a unit in which a careless system stores the same: one `unit` is `factor` of them, or one of
    them is `factor` units if `is_larger`. A total makes sense only if it `is_additive`.
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
    """A kind of table. `date` is its date field, `parent` the field with the key of a row of the parent table."""

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
    """A team; its duty reads as "the team that ..."."""

    name: str
    mailbox: str
    duty: str


class Business(msgspec.Struct, frozen=True):
    """A business. `services` maps a table's name to the service that guards it."""

    name: str
    host: str
    parent: Table
    tables: tuple[Table, ...]
    services: dict[str, str]
    teams: tuple[Team, ...]
    occasions: tuple[str, ...]
    destinations: dict[str, tuple[str, ...]]
    rules: tuple[str, ...]
