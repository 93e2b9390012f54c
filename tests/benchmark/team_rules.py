"""Rules for the services, teams, destinations and prose of a business domain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, permutations

from pytest_ultra.benchmark.generator.business.records import Business
from tests.benchmark.business_parts import (
    FIELD,
    KINDS,
    NAME,
    Rule,
    categories_of,
    contains_words,
    fields_of,
    repeated,
    stems,
    tables_of,
    words,
)

SENTENCE = re.compile(r"[A-Z][A-Za-z ,'-]+\.")
TELL_TALES = frozenset(words("old new test sandbox copy backup draft latest retired final legacy temp tmp example"))
FILLER = frozenset(words("a an and at for from in into of on or that the their to what which with by up out"))


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


TEAM_RULES: tuple[Rule, ...] = (
    services_guard_their_tables,
    duties_are_apart,
    duties_are_phrases,
    teams_are_apart,
    destinations_are_apart,
    names_have_no_tell_tales,
    prose_reads_well,
)
