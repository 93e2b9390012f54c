"""Policy documents: numbered clauses, some of which decide what a job may contain."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.generator.amounts import amount
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.levels import Policy
from pytest_ultra.benchmark.generator.selection import PolicyRule, exclude_by_policy, keep_by_policy
from pytest_ultra.benchmark.generator.setting import POLICY
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call

LOOK_UP = Call("utility_helper", {"topic": POLICY})


class Clauses(msgspec.Struct):
    """The clauses of a policy in the order of their numbers."""

    texts: list[str] = []

    def add(self, text: str) -> int:
        self.texts.append(text)
        return len(self.texts)


def apply_policy(draft: Draft, item: Item, excluded: str | None, limited: str | None) -> Item:
    """Write a policy and carry out what it says of this job; the words say no more than that it applies.

    `excluded` is the category by which it leaves rows out, `limited` the measure of which it wants a least value.
    """
    interacts = draft.level.policy is Policy.INTERACTING
    clauses = Clauses([])
    colour = draft.rng.sample(draft.setting.business.rules, 2)
    clauses.add(colour[0])
    teams = draft.rng.sample([contact.team.name for contact in draft.setting.contacts], 2)
    if excluded:
        item = _exclude(draft, item, excluded, clauses, teams, interacts=interacts)
    clauses.add(colour[1])
    if limited:
        item = _limit(draft, item, limited, clauses, teams, interacts=interacts)
    clauses.add(f"Reports for the {teams[1]} team name the person who checked them.")
    rows: list[Json] = [{"clause": number, "text": text} for number, text in enumerate(clauses.texts, start=1)]
    draft.add_to_world(topics={POLICY: rows})
    draft.say(Kind.RULE, _APPLIES[interacts], policy=POLICY, team=teams[0], plural=item.plural)
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


def _exclude(draft: Draft, item: Item, field: str, clauses: Clauses, teams: list[str], *, interacts: bool) -> Item:
    if len(item.values_of(field)) < 3:
        raise RejectedError("too few values")
    value, other = draft.rng.sample(item.values_of(field), 2)
    subject = f"{item.plural} whose {item.phrases[field]} is"
    if not interacts:
        clauses.add(_capital(f"{subject} {value} are left out of every report."))
        return exclude_by_policy(draft, item, PolicyRule(field, value, None, LOOK_UP))
    number = clauses.add(_capital(f"{subject} {other} are left out of every report."))
    clauses.add(
        f"In reports for the {teams[0]} team, clause {number} leaves out those with {value} instead of {other}."
    )
    return exclude_by_policy(draft, item, PolicyRule(field, value, other, LOOK_UP))


def _limit(draft: Draft, item: Item, field: str, clauses: Clauses, teams: list[str], *, interacts: bool) -> Item:
    if len(item.values_of(field)) < 10:
        raise RejectedError("too few values")
    values = item.values_of(field)
    low, high = sorted(draft.rng.sample(values[len(values) // 5 : len(values) // 2], 2))
    if low == high:
        raise RejectedError("one limit only")
    value, wrong = draft.rng.sample([low, high], 2) if interacts else (high, None)
    unit = item.units[field]
    subject = f"{item.plural} whose {item.phrases[field]} is less than"
    stated = value if wrong is None else wrong
    number = clauses.add(_capital(f"{subject} {amount(stated, unit)} are left out of every report."))
    if wrong is not None:
        clauses.add(f"For the {teams[0]} team, the limit in clause {number} is {amount(value, unit)}.")
        clauses.add(f"For the {teams[1]} team, clause {number} holds without exception.")
    return keep_by_policy(draft, item, PolicyRule(field, value, wrong, LOOK_UP))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
