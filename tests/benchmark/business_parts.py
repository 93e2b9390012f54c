"""The parts of a business domain, and comparisons of their names, for the rules that it keeps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table

Rule = Callable[[Business], Iterator[str]]
"""A rule yields what breaks it."""

FIELD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
KINDS = ("queue", "sink", "file", "cache", "schedule", "tracker", "log")
"""The kinds of destinations."""
STEM = 4
"""Two words with the same first letters, this many, are taken for forms of one word."""


def tables_of(business: Business) -> tuple[Table, ...]:
    return (business.parent, *business.tables)


def described_fields(*tables: Table) -> list[Category | Measure]:
    """Return the fields that have a phrase: all but keys and dates."""
    categories: list[Category | Measure] = [category for table in tables for category in table.categories]
    return categories + [measure for table in tables for measure in table.measures]


def fields_of(table: Table) -> list[str]:
    described = [field.name for field in described_fields(table)]
    return [table.key, *described, table.date, *([table.parent] if table.parent else [])]


def measures_of(business: Business) -> list[Measure]:
    return [measure for table in tables_of(business) for measure in table.measures]


def categories_of(business: Business) -> list[Category]:
    return [category for table in tables_of(business) for category in table.categories]


def joined(business: Business) -> list[tuple[Table, ...]]:
    """Return the groups of tables whose fields can stand side by side in one table."""
    return [(business.parent, table) if table.parent else (table,) for table in business.tables]


def texts_of(business: Business) -> Iterator[str]:
    yield from (business.name, business.host, *business.services, *business.services.values(), *business.occasions)
    for table in tables_of(business):
        yield from (table.plural, table.singular, table.name, table.prefix, *fields_of(table))
    for category in categories_of(business):
        yield from (category.phrase, *category.values)
    yield from (text for field in measures_of(business) for text in (field.phrase, field.unit, field.other_unit))
    yield from (text for team in business.teams for text in (team.name, team.mailbox, team.duty))
    yield from (text for kind, names in business.destinations.items() for text in (kind, *names))
    yield from business.rules


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def stems(text: str) -> set[str]:
    return {word[:STEM] for word in words(text)}


def contains_words(longer: str, shorter: str) -> bool:
    return f" {' '.join(words(shorter))} " in f" {' '.join(words(longer))} "


def repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
