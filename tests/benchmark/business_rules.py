"""The rules that a business domain keeps; each yields what breaks it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations, permutations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table
from pytest_ultra.benchmark.tables import read_cell
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.core.axes import Difficulty, Severity

Rule = Callable[[Business], Iterator[str]]

FIELD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
VALUE = re.compile(r"[A-Za-z]+[A-Za-z0-9]*(-[A-Za-z0-9]+)*")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
PHRASE = re.compile(r"[A-Za-z'-]+( [A-Za-z'-]+)*")
SENTENCE = re.compile(r"[A-Z][A-Za-z ,'-]+\.")

KINDS = ("queue", "sink", "file", "cache", "schedule", "tracker", "log")


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


TOOL_WORDS = frozenset(word for name in TOOLS for word in name.split("_"))
LOG_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
CODES = frozenset(code.lower() for tool in TOOLS.values() for code in (*EarnedCode, *tool.transient_codes))
RESERVED = TOOL_WORDS | CODES | LOG_LEVELS | frozenset([*Difficulty, *Severity])
STATISTICS = frozenset(words("sum mean average median min max lowest highest count total stdev row rows"))
"""Words of results (`sum_amount`) that a field's name would make unclear."""
NOT_VALUES = frozenset(
    words("yes no on off true false y n t f none null nan na nil unknown other any all both missing empty various")
)
TELL_TALES = frozenset(words("old new test sandbox copy backup draft latest retired final legacy temp tmp example"))
FILLER = frozenset(words("a an and at for from in into of on or that the their to what which with by up out"))
CURRENCIES = {
    "EUR": "cents",
    "USD": "cents",
    "GBP": "pence",
    "CHF": "rappen",
    "PLN": "grosz",
    "SEK": "ore",
    "DKK": "ore",
    "NOK": "ore",
}
UNITS: tuple[Mapping[str, Fraction], ...] = (
    {"mg": Fraction(1, 1000), "g": Fraction(1), "kg": Fraction(1000), "t": Fraction(10**6)},
    {"mm": Fraction(1), "cm": Fraction(10), "m": Fraction(1000), "km": Fraction(10**6)},
    {"m2": Fraction(1), "ares": Fraction(100), "ha": Fraction(10**4)},
    {"ml": Fraction(1), "cl": Fraction(10), "l": Fraction(1000), "m3": Fraction(10**6)},
    {
        "seconds": Fraction(1),
        "minutes": Fraction(60),
        "hours": Fraction(3600),
        "days": Fraction(86_400),
        "nights": Fraction(86_400),
        "weeks": Fraction(604_800),
    },
    {"kW": Fraction(1), "MW": Fraction(1000)},
    {"kWh": Fraction(1), "MWh": Fraction(1000)},
    {"MB": Fraction(1), "GB": Fraction(1000), "TB": Fraction(10**6)},
    {"Mbit/s": Fraction(1), "Gbit/s": Fraction(1000)},
    {"ug/l": Fraction(1), "mg/l": Fraction(1000)},
    {"permille": Fraction(1), "percent": Fraction(10)},
    *(
        {minor: Fraction(1), currency: Fraction(100), f"k{currency}": Fraction(10**5)}
        for currency, minor in CURRENCIES.items()
    ),
)
"""By what they measure: the size of each unit, in one that all of the group are compared with."""
INTENSIVE = frozenset({"percent", "permille", "C", "NTU", "brix"})
STEM = 4
"""Two words with the same first letters, this many, are taken for forms of one word."""


def tables_of(business: Business) -> tuple[Table, ...]:
    return (business.parent, *business.tables)


def fields_of(table: Table) -> list[str]:
    measured = [field.name for field in (*table.categories, *table.measures)]
    return [table.key, *measured, table.date, *([table.parent] if table.parent else [])]


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


def stems(text: str) -> set[str]:
    return {word[:STEM] for word in words(text)}


def contains_words(longer: str, shorter: str) -> bool:
    return f" {' '.join(words(shorter))} " in f" {' '.join(words(longer))} "


def repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


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
        fields = [field for table in tables for field in (*table.categories, *table.measures)]
        for field, other in permutations(fields, 2):
            phrase = stems(field.phrase)
            if not PHRASE.fullmatch(field.phrase) or len(phrase & stems(field.name)) <= len(phrase & stems(other.name)):
                yield f"{field.phrase}: {field.name} or {other.name}"


def phrases_are_apart(business: Business) -> Iterator[str]:
    """No phrase is a part of another that it stands beside, and no plural of another plural."""
    for tables in joined(business):
        phrases = [field.phrase for table in tables for field in (*table.categories, *table.measures)]
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


def ranges_are_wide(business: Business) -> Iterator[str]:
    """A measure takes enough values for thresholds; only what is no quantity goes below zero."""
    for measure in measures_of(business):
        is_wide = (measure.high - measure.low) * 10**measure.decimals >= 5
        if not is_wide or not 0 <= measure.decimals <= 3 or (measure.low < 0 and measure.is_additive):
            yield measure.name
    for table in tables_of(business):
        if max((field.high - field.low) * 10**field.decimals for field in table.measures) < 100:
            yield f"{table.name} has no measure with a hundred values"


def some_measures_can_be_summed_and_confused(business: Business) -> Iterator[str]:
    """Each table has a measure whose sum makes sense, and one that another unit could hold."""
    for table in tables_of(business):
        if not any(measure.is_additive for measure in table.measures):
            yield f"{table.name}: no sum makes sense"
        if not any(measure.other_unit for measure in table.measures):
            yield f"{table.name}: no other unit"


def units_convert(business: Business) -> Iterator[str]:
    """Each factor is the one between its units, and a measure without another unit has none."""
    for measure in measures_of(business):
        factor = 1 / Fraction(measure.factor) if measure.is_larger else Fraction(measure.factor)
        if measure.other_unit and conversion_factor(measure.unit, measure.other_unit) != factor:
            yield f"{measure.name}: {measure.unit} to {measure.other_unit}"
        if (measure.factor > 1) != bool(measure.other_unit) or (measure.is_larger and not measure.other_unit):
            yield f"{measure.name}: factor {measure.factor}"


def conversion_factor(unit: str, other_unit: str) -> Fraction | None:
    """Return how many of the other unit make up one unit, None if they measure different things."""
    sizes = next((sizes for sizes in UNITS if unit in sizes and other_unit in sizes), None)
    return sizes[unit] / sizes[other_unit] if sizes and unit != other_unit else None


def sums_make_sense(business: Business) -> Iterator[str]:
    """A share, a rate or a temperature is not additive; a counted or weighed thing may be either."""
    for measure in measures_of(business):
        if measure.is_additive and (measure.unit in INTENSIVE or "/" in measure.unit.removesuffix("bit/s")):
            yield f"{measure.name} in {measure.unit}"


def money_is_of_one_currency(business: Business) -> Iterator[str]:
    units = {measure.unit.removeprefix("k") for measure in measures_of(business)}
    if len(units & CURRENCIES.keys()) != 1:
        yield f"currencies {', '.join(sorted(units & CURRENCIES.keys()))}"


def names_hide_units(business: Business) -> Iterator[str]:
    for measure in measures_of(business):
        units = set(words(f"{measure.unit} {measure.other_unit}")) if measure.other_unit else set()
        if units & set(words(f"{measure.name.replace('_', ' ')} {measure.phrase}")):
            yield measure.name


def services_guard_their_tables(business: Business) -> Iterator[str]:
    if list(business.services) != [table.name for table in tables_of(business)]:
        yield f"services for {', '.join(business.services)}"
    for table in tables_of(business):
        service = business.services.get(table.name, "")
        if not NAME.fullmatch(service) or not stems(service) & stems(table.singular):
            yield f"{table.name}: {service}"
    yield from repeated(business.services.values())


def content_words(duty: str) -> set[str]:
    return set(words(duty)) - FILLER


def duties_are_apart(business: Business) -> Iterator[str]:
    """Two duties share at most half of the content words of the shorter one."""
    for one, other in combinations(business.teams, 2):
        mine, theirs = content_words(one.duty), content_words(other.duty)
        if len(mine & theirs) > min(len(mine), len(theirs)) / 2:
            yield f"{one.duty} / {other.duty}"


def duties_are_phrases(business: Business) -> Iterator[str]:
    """A duty is a verb phrase of enough words that names no other team of the business."""
    for team in business.teams:
        others = [other.name for other in business.teams if other != team]
        is_phrase = re.fullmatch(r"[a-z-]+s( [A-Za-z'-]+,?)+", team.duty) and len(content_words(team.duty)) >= 3
        if not is_phrase or any(contains_words(team.duty, other) for other in others):
            yield team.duty


def teams_are_apart(business: Business) -> Iterator[str]:
    names, mailboxes = [team.name for team in business.teams], [team.mailbox for team in business.teams]
    yield from (name for name in (*names, *mailboxes) if not NAME.fullmatch(name))
    yield from repeated(names)
    yield from (f"{one} / {other}" for one, other in permutations(mailboxes, 2) if one in other)


def destinations_are_apart(business: Business) -> Iterator[str]:
    """Names are unique in the business, no name is a part of another, and none names a table and so its content."""
    if tuple(business.destinations) != KINDS:
        yield f"kinds {', '.join(business.destinations)}"
    names = [(name, kind) for kind, group in business.destinations.items() for name in group]
    for name, kind in names:
        spelled = FIELD if kind == "file" else NAME
        if not spelled.fullmatch(name) or any(contains_words(name, table.plural) for table in tables_of(business)):
            yield f"{kind}: {name}"
    plain = [name.replace("_", "-") for name, _ in names]
    yield from (f"{one} in {other}" for one, other in permutations(plain, 2) if one in other)


def names_have_no_tell_tales(business: Business) -> Iterator[str]:
    names = [name for group in business.destinations.values() for name in group]
    names += [*business.services.values(), *(team.mailbox for team in business.teams)]
    names += [field for table in tables_of(business) for field in (table.name, *fields_of(table))]
    names += [value for category in categories_of(business) for value in category.values]
    yield from (name for name in names if set(words(name.replace("_", " "))) & TELL_TALES)


def prose_reads_well(business: Business) -> Iterator[str]:
    if not re.fullmatch(r"(a|an|the) [a-z ,'-]+", business.name) or not re.fullmatch(r"[a-z]+", business.host):
        yield f"{business.name} at {business.host}"
    yield from (occasion for occasion in business.occasions if not re.fullmatch(r"the [A-Za-z '-]+", occasion))
    yield from (rule for rule in business.rules if not SENTENCE.fullmatch(rule))
    yield from repeated((*business.occasions, *business.rules))


RULES: tuple[Rule, ...] = (
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
    ranges_are_wide,
    some_measures_can_be_summed_and_confused,
    units_convert,
    sums_make_sense,
    money_is_of_one_currency,
    names_hide_units,
    services_guard_their_tables,
    duties_are_apart,
    duties_are_phrases,
    teams_are_apart,
    destinations_are_apart,
    names_have_no_tell_tales,
    prose_reads_well,
)
