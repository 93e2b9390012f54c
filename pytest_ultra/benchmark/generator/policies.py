"""Policy documents: numbered clauses, some of which decide what a job may contain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import msgspec

from pytest_ultra.benchmark.generator.amounts import amount
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.levels import Policy
from pytest_ultra.benchmark.generator.periods import date_words
from pytest_ultra.benchmark.generator.selection import PolicyRule, exclude_by_policy, keep_by_policy
from pytest_ultra.benchmark.generator.setting import POLICY
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call

LOOK_UP = Call("utility_helper", {"topic": POLICY})


class Clauses(msgspec.Struct):
    """The clauses of a policy in the order of their numbers, and the teams that they name, the job's own first."""

    teams: list[str]
    texts: list[str] = []

    def add(self, text: str) -> int:
        self.texts.append(text[:1].upper() + text[1:])
        return len(self.texts)


def apply_policy(draft: Draft, item: Item, excluded: str | None, limited: str | None) -> Item:
    """Write a policy and carry out what it says of this job; the words say no more than that it applies.

    `excluded` is the category by which it leaves rows out, `limited` the measure of which it wants a least value.
    """
    interacts = draft.level.policy is Policy.INTERACTING
    clauses = Clauses(draft.rng.sample([contact.team.name for contact in draft.setting.contacts], 2), [])
    colour = draft.rng.sample(draft.setting.business.rules, 2)
    clauses.add(colour[0])
    if excluded:
        write = draft.pick(_EXCLUSIONS[interacts])
        item = exclude_by_policy(draft, item, write(draft, item, excluded, clauses))
    clauses.add(colour[1])
    if limited:
        write = draft.pick(_LIMITS[interacts])
        item = keep_by_policy(draft, item, write(draft, item, limited, clauses))
    clauses.add(f"Reports for the {clauses.teams[1]} team are read by a second person.")
    rows: list[Json] = [{"clause": number, "text": text} for number, text in enumerate(clauses.texts, start=1)]
    draft.add_to_world(topics={POLICY: rows})
    draft.say(Kind.RULE, _APPLIES[interacts], policy=POLICY, team=clauses.teams[0], plural=item.plural)
    return item


_APPLIES = {
    False: (
        "The {policy} applies to what may be in it.",
        "Keep to the {policy}.",
        "What the {policy} leaves out of reports is left out here too.",
    ),
    True: (
        "The {policy} applies; this is a report for the {team} team.",
        "The {team} team has asked for this report. Keep to the {policy}.",
        "The report is for the {team} team, and the {policy} holds for it.",
    ),
}


def _exclude(draft: Draft, item: Item, field: str, clauses: Clauses) -> PolicyRule:
    """One clause."""
    value, _ = _two_values(draft, item, field)
    clauses.add(f"{_with(item, field, value)} are left out of every report.")
    return PolicyRule(field, "ne", value, LOOK_UP)


def _exclude_by_team(draft: Draft, item: Item, field: str, clauses: Clauses) -> PolicyRule:
    """A second clause makes an exception for the team that the report is for."""
    value, other = _two_values(draft, item, field)
    number = clauses.add(f"{_with(item, field, other)} are left out of every report.")
    clauses.add(
        f"In reports for the {clauses.teams[0]} team, clause {number} leaves out those with {value} instead of {other}."
    )
    return PolicyRule(field, "ne", value, LOOK_UP, (("ne", other),))


def _exclude_by_date(draft: Draft, item: Item, field: str, clauses: Clauses) -> PolicyRule:
    """A clause changes on a day before or after the period."""
    value, other = _two_values(draft, item, field)
    day, is_before = _draw_day(draft)
    first, second = (value, other) if is_before else (other, value)
    clauses.add(f"in reports on periods that end before {date_words(day)}, {_with(item, field, first)} are left out.")
    clauses.add(f"in reports on later periods, {_with(item, field, second)} are left out instead.")
    return PolicyRule(field, "ne", value, LOOK_UP, (("ne", other),))


def _exclude_unless_taken_back(draft: Draft, item: Item, field: str, clauses: Clauses) -> PolicyRule:
    """A clause takes one of two others back for reports on weeks, or on months."""
    value, other = _two_values(draft, item, field)
    number = clauses.add(f"{_with(item, field, other)} are left out of every report.")
    clauses.add(f"{_with(item, field, value)} are left out, too.")
    kind, is_meant = _draw_kind(draft)
    clauses.add(f"In reports on a single {kind}, clause {number} is not applied.")
    both: Json = [value, other]
    if is_meant:
        return PolicyRule(field, "ne", value, LOOK_UP, (("not_in", both), ("ne", other)))
    return PolicyRule(field, "not_in", both, LOOK_UP, (("ne", value), ("ne", other)))


def _limit(draft: Draft, item: Item, field: str, clauses: Clauses) -> PolicyRule:
    """One clause."""
    _, value = _two_limits(item, field, draft)
    clauses.add(f"{_below(item, field, value)} are left out of every report.")
    return PolicyRule(field, "gte", value, LOOK_UP)


def _limit_by_team(draft: Draft, item: Item, field: str, clauses: Clauses) -> PolicyRule:
    """A second clause sets another limit for the team that the report is for, a third says that one has none."""
    value, wrong = _shuffled_limits(draft, item, field)
    number = clauses.add(f"{_below(item, field, wrong)} are left out of every report.")
    clauses.add(f"For the {clauses.teams[0]} team, the limit in clause {number} is {amount(value, item.units[field])}.")
    clauses.add(f"For the {clauses.teams[1]} team, clause {number} holds without exception.")
    return PolicyRule(field, "gte", value, LOOK_UP, (("gte", wrong),))


def _limit_by_date(draft: Draft, item: Item, field: str, clauses: Clauses) -> PolicyRule:
    """The limit changes on a day before or after the period."""
    value, wrong = _shuffled_limits(draft, item, field)
    day, is_before = _draw_day(draft)
    first, second = (value, wrong) if is_before else (wrong, value)
    number = clauses.add(f"{_below(item, field, first)} are left out of every report.")
    clauses.add(
        f"In reports on periods that begin on {date_words(day)} or later, the limit in clause {number} is "
        f"{amount(second, item.units[field])}."
    )
    return PolicyRule(field, "gte", value, LOOK_UP, (("gte", wrong),))


def _limit_by_term(draft: Draft, item: Item, field: str, clauses: Clauses) -> PolicyRule:
    """A clause defines a term by a figure, which differs for reports on weeks, or on months; another one uses it."""
    value, wrong = _shuffled_limits(draft, item, field)
    kind, is_meant = _draw_kind(draft)
    usual, special = (wrong, value) if is_meant else (value, wrong)
    term = draft.pick(("minor", "marginal", "slight"))
    unit = item.units[field]
    number = clauses.add(f"{_below(item, field, usual)} are called {term}.")
    clauses.add(f"In reports on a single {kind}, the figure in clause {number} is {amount(special, unit)}.")
    clauses.add(f"No report contains {term} {item.plural}.")
    return PolicyRule(field, "gte", value, LOOK_UP, (("gte", wrong),))


Write = Callable[[Draft, Item, str, Clauses], PolicyRule]
_EXCLUSIONS: dict[bool, tuple[Write, ...]] = {
    False: (_exclude, _exclude_by_date),
    True: (_exclude_by_team, _exclude_by_date, _exclude_unless_taken_back),
}
_LIMITS: dict[bool, tuple[Write, ...]] = {
    False: (_limit, _limit_by_date),
    True: (_limit_by_team, _limit_by_date, _limit_by_term),
}
"""The ways to write a rule, for policies whose clauses interact and for others."""


def _two_values(draft: Draft, item: Item, field: str) -> tuple[Json, Json]:
    if len(item.values_of(field)) < 3:
        raise RejectedError("too few values")
    first, second = draft.rng.sample(item.values_of(field), 2)
    return first, second


def _two_limits(item: Item, field: str, draft: Draft) -> tuple[Json, Json]:
    """Draw two limits, the lower one first."""
    values = item.values_of(field)
    if len(values) < 10:
        raise RejectedError("too few values")
    low, high = sorted(draft.rng.sample(values[len(values) // 8 : len(values) // 3], 2))
    return low, high


def _shuffled_limits(draft: Draft, item: Item, field: str) -> tuple[Json, Json]:
    first, second = draft.rng.sample(_two_limits(item, field, draft), 2)
    return first, second


def _draw_day(draft: Draft) -> tuple[dt.date, bool]:
    """Draw a day on which a rule changes, and whether the period ends before it; it begins after it if not."""
    period, is_before = draft.setting.period, draft.rng.random() < 0.5
    days = dt.timedelta(days=draft.rng.randint(2, 40))
    return (period.last + days if is_before else period.first - days), is_before


def _draw_kind(draft: Draft) -> tuple[str, bool]:
    """Draw a kind of period, and whether the job's period is one."""
    is_meant = draft.rng.random() < 0.5
    return ("week" if draft.setting.period.is_week is is_meant else "month"), is_meant


def _with(item: Item, field: str, value: Json) -> str:
    return f"{item.plural} whose {item.phrases[field]} is {value}"


def _below(item: Item, field: str, limit: Json) -> str:
    return f"{item.plural} with the {item.phrases[field]} below {amount(limit, item.units[field])}"
