"""Rules for the tables of a business domain: their fields, phrases and values, and how they join."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations

from pytest_ultra.benchmark.generator.business.records import Business
from pytest_ultra.benchmark.tables import read_cell
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.core.axes import Difficulty, Severity
from tests.benchmark.business_parts import (
    FIELD,
    KINDS,
    Rule,
    categories_of,
    contains_words,
    described_fields,
    fields_of,
    joined,
    repeated,
    stems,
    tables_of,
    texts_of,
    words,
)

VALUE = re.compile(r"[A-Za-z]+[A-Za-z0-9]*(-[A-Za-z0-9]+)*")
PHRASE = re.compile(r"[A-Za-z'-]+( [A-Za-z'-]+)*")

TOOL_WORDS = frozenset(word for name in TOOLS for word in name.split("_"))
LOG_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
CODES = frozenset(code.lower() for tool in TOOLS.values() for code in (*EarnedCode, *tool.transient_codes))
RESERVED = TOOL_WORDS | CODES | LOG_LEVELS | frozenset([*Difficulty, *Severity])
STATISTICS = frozenset(words("sum mean average median min max lowest highest count total stdev row rows"))
"""Words of results (`sum_amount`) that a field's name would make unclear."""
NOT_VALUES = frozenset(
    words("yes no on off true false y n t f none null nan na nil unknown other any all both missing empty various")
)


def text_is_plain(business: Business) -> Iterator[str]:
    """ASCII, without spaces at an end, control characters or quotation marks that would need escapes."""
    yield from (text for text in texts_of(business) if not re.fullmatch(r"[!-~]+( [!-~]+)*|", text) or '"' in text)


def sizes_are_kept(business: Business) -> Iterator[str]:
    sizes = [
        ("tables", 2, 3, business.tables),
        ("teams", 4, 6, business.teams),
        ("occasions", 4, 8, business.occasions),
        ("rules", 4, 8, business.rules),
        *((f"names of a {kind}", 4, 8, business.destinations.get(kind, ())) for kind in KINDS),
        *((f"categories of {table.name}", 2, 4, table.categories) for table in tables_of(business)),
        *((f"measures of {table.name}", 2, 4, table.measures) for table in tables_of(business)),
        *((f"values of {category.name}", 3, 8, category.values) for category in categories_of(business)),
    ]
    yield from (f"{len(found)} {name}" for name, least, most, found in sizes if not least <= len(found) <= most)


def tables_join(business: Business) -> Iterator[str]:
    if business.parent.parent:
        yield f"{business.parent.name} has a parent"
    if not any(table.parent for table in business.tables):
        yield "no table has a parent"
    yield from (
        f"{table.name}: {table.parent}" for table in business.tables if table.parent not in ("", business.parent.key)
    )


def joined_fields_differ(business: Business) -> Iterator[str]:
    for tables in joined(business):
        yield from repeated([field for table in tables for field in fields_of(table) if field != table.parent])


def fields_are_spelled_right(business: Business) -> Iterator[str]:
    for table in tables_of(business):
        yield from (field for field in (table.name, *fields_of(table)) if not FIELD.fullmatch(field))
        if not re.fullmatch(r"[A-Z]{2,4}", table.prefix):
            yield table.prefix
        yield from (text for text in (table.plural, table.singular) if not re.fullmatch(r"[a-z-]+( [a-z-]+)*", text))


def fields_are_not_reserved(business: Business) -> Iterator[str]:
    for table in tables_of(business):
        for field in fields_of(table):
            if field in RESERVED or set(field.split("_")) & (TOOL_WORDS | STATISTICS):
                yield field


def phrases_fit_their_fields(business: Business) -> Iterator[str]:
    """Each phrase has more words in common with its own field than with any other that stands beside it."""
    for tables in joined(business):
        for field, other in permutations(described_fields(*tables), 2):
            phrase = stems(field.phrase)
            if not PHRASE.fullmatch(field.phrase) or len(phrase & stems(field.name)) <= len(phrase & stems(other.name)):
                yield f"{field.phrase}: {field.name} or {other.name}"


def phrases_are_apart(business: Business) -> Iterator[str]:
    """No phrase is a part of another that it stands beside, and no plural of another plural."""
    for tables in joined(business):
        phrases = [field.phrase for field in described_fields(*tables)]
        yield from (
            f"{shorter} in {longer}" for longer, shorter in permutations(phrases, 2) if contains_words(longer, shorter)
        )
    plurals = [table.plural for table in tables_of(business)]
    yield from (
        f"{shorter} in {longer}" for longer, shorter in permutations(plurals, 2) if contains_words(longer, shorter)
    )


def values_are_words(business: Business) -> Iterator[str]:
    for category in categories_of(business):
        for value in category.values:
            is_text = VALUE.fullmatch(value) and read_cell(value) == value
            if not is_text or value.lower() in NOT_VALUES | RESERVED | STATISTICS:
                yield f"{category.name}: {value}"


def values_are_apart(business: Business) -> Iterator[str]:
    """No value is a part of another of its field; no value belongs to two fields of a business."""
    for category in categories_of(business):
        for longer, shorter in permutations(category.values, 2):
            if shorter.lower() in longer.lower():
                yield f"{category.name}: {shorter} in {longer}"
    yield from repeated(value.lower() for category in categories_of(business) for value in category.values)


TABLE_RULES: tuple[Rule, ...] = (
    text_is_plain,
    sizes_are_kept,
    tables_join,
    joined_fields_differ,
    fields_are_spelled_right,
    fields_are_not_reserved,
    phrases_fit_their_fields,
    phrases_are_apart,
    values_are_words,
    values_are_apart,
)
