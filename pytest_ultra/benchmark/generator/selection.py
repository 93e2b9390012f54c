"""Selections: filters, a join with the parent table, and a derived field."""

from __future__ import annotations

import datetime as dt

import msgspec

from pytest_ultra.benchmark.decisions import ArgumentChange, Misreading, Skill
from pytest_ultra.benchmark.generator.amounts import amount
from pytest_ultra.benchmark.generator.business.records import Table
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError, RowStep
from pytest_ultra.benchmark.generator.job_items import MIN_ROWS, Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.periods import date_words
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call

FILTER = "data_processing_filter"


def keep_category(draft: Draft, item: Item, field: str) -> Item:
    """Keep the rows with one value of a category."""
    value = draft.pick(item.values_of(field))
    return _filter(draft, item, (field, "eq", value), _IS, value=value)


def keep_some_categories(draft: Draft, item: Item, field: str) -> Item:
    """Keep the rows with one of two values of a category."""
    values = item.values_of(field)
    if len(values) < 3:
        raise RejectedError("too few values")
    first, second = draft.rng.sample(values, 2)
    return _filter(draft, item, (field, "in", [first, second]), _IS_AMONG, first=first, second=second)


def exclude_category(draft: Draft, item: Item, field: str) -> Item:
    """Leave out the rows with one value of a category."""
    value = draft.pick(item.values_of(field))
    return _filter(draft, item, (field, "ne", value), _IS_NOT, value=value)


def keep_measure(draft: Draft, item: Item, field: str) -> Item:
    """Keep the rows on one side of a threshold that some row meets exactly."""
    values = item.values_of(field)
    if len(values) < MIN_ROWS:
        raise RejectedError("too few values")
    operator = draft.pick(tuple(_COMPARISONS))
    place = draft.rng.randint(len(values) // 4, len(values) * 3 // 4)
    if draft.level.has_notes:  # many rules, so that each of them has to leave much
        quarter = draft.rng.randint(len(values) // 6, len(values) // 3)
        place = quarter if operator.startswith("g") else len(values) - 1 - quarter
    value = values[place]
    words = draft.text.choose(_COMPARISONS[operator])
    threshold = amount(value, item.units[field])
    return _filter(draft, item, (field, operator, value), _COMPARED, comparison=words, threshold=threshold)


_COMPARISONS = {
    "gte": ("at least", "not less than"),
    "gt": ("more than", "above"),
    "lte": ("at most", "not more than"),
    "lt": ("less than", "below"),
}


def keep_dates(draft: Draft, item: Item) -> Item:
    """Keep the rows of some days, the first and the last of which count too."""
    period = draft.setting.period
    start = draft.rng.randint(0, period.days // 2)
    length = draft.rng.randint(period.days // 3, period.days // 2)
    first, last = period.first + dt.timedelta(days=start), period.first + dt.timedelta(days=start + length)
    value = [first.isoformat(), last.isoformat()]
    names = {"first": date_words(first), "last": date_words(last)}
    if draft.level.is_exact:
        names = {"first": value[0], "last": value[1]}
    return _filter(draft, item, (item.date, "between", value), _DATED, **names)


def _filter(draft: Draft, item: Item, test: tuple[str, str, Json], phrasings: tuple[str, ...], **names: Json) -> Item:
    field, operator, limit = test
    call = item.call(FILTER, field=field, operator=operator, value=limit)
    made = draft.make(call, item, row_step=RowStep(frozenset([field])))
    check_selection(made, item)
    subject = {"plural": item.plural, "singular": item.singular, "field": item.phrases[field]}
    draft.say(Kind.RULE, phrasings, **subject, **names)
    return msgspec.structs.replace(made, cut=(*made.cut, field))


def check_selection(made: Item, item: Item) -> None:
    """Reject a selection that keeps everything or too little."""
    if not MIN_ROWS <= len(made.rows) < len(item.rows):
        raise RejectedError("a selection of everything or of too little")


_IS = (
    "Only {plural} whose {field} is {value} count.",
    "Keep only the {plural} whose {field} is {value}.",
    "We need only the {plural} with the {field} {value}.",
    "{plural} with another {field} than {value} are left out.",
)
_IS_NOT = (
    "{plural} whose {field} is {value} are left out.",
    "Leave out the {plural} whose {field} is {value}.",
    "Do not count {plural} with the {field} {value}.",
)
_IS_AMONG = (
    "Only {plural} whose {field} is {first} or {second} count.",
    "Keep only the {plural} whose {field} is {first} or {second}.",
    "We need only the {plural} with the {field} {first} or {second}.",
)
_COMPARED = (
    "The {field} must be {comparison} {threshold}; other {plural} are left out.",
    "Keep only the {plural} with the {field} {comparison} {threshold}.",
    "We need only the {plural} that have the {field} {comparison} {threshold}.",
)
_DATED = (
    "Only {plural} dated from {first} to {last} count, both days included ({field}).",
    "Keep only the {plural} with a date ({field}) from {first} to {last}, both days included.",
    "We need only the {plural} from {first} to {last}, first and last day included ({field}).",
)


def join(draft: Draft, item: Item, parents: Item, table: Table) -> Item:
    """Add to each row the fields of its parent row."""
    arguments: dict[str, Json] = {"operation": "join", "other": parents.data, "field": table.parent}
    if table.parent != parents.key:
        arguments["other_field"] = parents.key
    added = [field for field in parents.phrases if field not in item.phrases]
    phrases = {field: _of_parent(parents, field) for field in added}
    joined = msgspec.structs.replace(
        item,
        categories=(*item.categories, *(field for field in parents.categories if field in phrases)),
        parent_measures=tuple(field for field in parents.measures if field in phrases),
        phrases=item.phrases | phrases,
        units=item.units | {field: parents.units[field] for field in parents.measures if field in phrases},
    )
    row_step = RowStep(frozenset([table.parent]), frozenset(added))
    made = draft.make(item.call("data_processing_transformer", **arguments), joined, row_step=row_step)
    names = {"plural": item.plural, "singular": item.singular, "parent": parents.singular, "parents": parents.plural}
    draft.say(Kind.RULE, _JOINED, **names, field=table.parent)
    return made


def _of_parent(parents: Item, field: str) -> str:
    """Return the words for a field of the parent row."""
    return f"{parents.singular}'s {parents.phrases[field]}"


_JOINED = (
    "Add to each {singular} the fields of its {parent} ({field}); {plural} whose {parent} is not listed are left out.",
    "Join the {parents} to the {plural} by {field}; {plural} of a {parent} that is not listed are left out.",
    (
        "Each {singular} gets the fields of its {parent}, found by {field}. A {singular} whose {parent} is not "
        "listed is "
        "left out."
    ),
)


class PolicyRule(msgspec.Struct, frozen=True):
    """The filter by which a policy leaves rows out of this job.

    `wrongs` are the operators and values that one takes for right who overlooks a clause.
    """

    field: str
    operator: str
    value: Json
    look_up: Call
    wrongs: tuple[tuple[str, Json], ...] = ()


def exclude_by_policy(draft: Draft, item: Item, rule: PolicyRule) -> Item:
    """Leave out the rows with the values that the policy excludes."""
    return _apply_policy(draft, item, rule, f"which {item.plural} the policy excludes")


def keep_by_policy(draft: Draft, item: Item, rule: PolicyRule) -> Item:
    """Keep the rows that reach the policy's limit."""
    return _apply_policy(draft, item, rule, f"which limit the policy sets for the {item.phrases[rule.field]}")


def _apply_policy(draft: Draft, item: Item, rule: PolicyRule, question: str) -> Item:
    call = item.call(FILTER, field=rule.field, operator=rule.operator, value=rule.value)
    made = draft.make(call, item, row_step=RowStep(frozenset([rule.field])))
    check_selection(made, item)
    index = made.number - 1
    misreadings = [
        Misreading(_changes(index, rule, operator, value), is_naive=place == 0)
        for place, (operator, value) in enumerate(rule.wrongs)
    ]
    misreadings.append(Misreading(dropped=(index,), is_naive=not rule.wrongs))
    draft.decide(Skill.APPLY_RULE, question, [rule.look_up], misreadings)
    return msgspec.structs.replace(made, cut=(*made.cut, rule.field))


def _changes(index: int, rule: PolicyRule, operator: str, value: Json) -> tuple[ArgumentChange, ...]:
    changed = ArgumentChange(index, "value", value)
    return (changed,) if operator == rule.operator else (ArgumentChange(index, "operator", operator), changed)
