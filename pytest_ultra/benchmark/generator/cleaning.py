"""Rules on the state of the data: each adds the call that removes one kind of dirt, and the sentence for it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.benchmark.decisions import ArgumentChange, Misreading, Skill
from pytest_ultra.benchmark.generator.business.records import Measure
from pytest_ultra.benchmark.generator.draft import Draft, RowStep
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.setting import CATALOGUE, DICTIONARY
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call

FILTER = "data_processing_filter"


def normalize(draft: Draft, item: Item, field: str) -> Item:
    """Write a category in lower case, without spaces around it."""
    call = item.call("data_processing_transformer", operation="normalize", field=field)
    focused = msgspec.structs.replace(item, focus=(*item.focus, field))
    made = draft.make(call, focused, row_step=RowStep(frozenset([field]), frozenset([field])))
    draft.say(Kind.RULE, _NORMALIZED, field=item.phrases[field], singular=item.singular, plural=item.plural)
    look_up = item.call("data_processing_aggregator", function="count", field=item.key, group_by=field)
    _decide(draft, made, f"is the {item.phrases[field]} spelled in one way", look_up)
    return made


def deduplicate(draft: Draft, item: Item) -> Item:
    """Keep the first row of each key."""
    call = item.call("data_processing_validator", field=item.key, rule="unique")
    made = draft.make(call, item, row_step=RowStep(frozenset([item.key])))
    draft.say(Kind.RULE, _UNIQUE, singular=item.singular, plural=item.plural, key=item.phrases[item.key])
    _decide(draft, made, f"are some {item.plural} listed twice", call)
    return made


def require(draft: Draft, item: Item, field: str) -> Item:
    """Leave out rows without a value in a field."""
    call = item.call("data_processing_validator", field=field, rule="required")
    made = draft.make(call, item, row_step=RowStep(frozenset([field]), is_of_entry=True))
    draft.say(Kind.RULE, _REQUIRED, singular=item.singular, plural=item.plural, field=field)
    _decide(draft, made, f"has the field {field} a value in all {item.plural}", call)
    return msgspec.structs.replace(made, cut=(*made.cut, field))


def drop_marked(draft: Draft, item: Item, field: str, mark: Json, *, is_said: bool) -> Item:
    """Leave out rows in which a mark stands for a missing value; the data dictionary says so."""
    call = item.call(FILTER, field=field, operator="ne", value=mark)
    made = draft.make(call, item, row_step=RowStep(frozenset([field]), is_of_entry=True))
    if not is_said:
        draft.say(Kind.RULE, _REQUIRED, singular=item.singular, plural=item.plural, field=field)
    _decide_by_note(draft, made, f"what stands for a missing value in the field {field}", DICTIONARY)
    return msgspec.structs.replace(made, cut=(*made.cut, field))


def drop_state(draft: Draft, item: Item, field: str, state: str, other: str) -> Item:
    """Leave out entries in a state that does not count, as the catalogue notes; those in the other state count."""
    call = item.call(FILTER, field=field, operator="ne", value=state)
    made = draft.make(call, item, row_step=RowStep(frozenset([field]), is_of_entry=True))
    index = made.number - 1
    both = (ArgumentChange(index, "operator", "not_in"), ArgumentChange(index, "value", [state, other]))
    others = [Misreading((ArgumentChange(index, "value", other),)), Misreading(both)]
    _decide_by_note(draft, made, f"in which state {item.plural} do not count", CATALOGUE, others)
    return made


def drop_strays(draft: Draft, item: Item) -> Item:
    """Leave out entries of the days before the period; the catalogue notes that there are some."""
    first = draft.setting.period.first.isoformat()
    call = item.call(FILTER, field=item.date, operator="gte", value=first)
    made = draft.make(call, item, row_step=RowStep(frozenset([item.date]), is_of_entry=True))
    _decide_by_note(draft, made, f"are there {item.plural} of other days", CATALOGUE)
    return made


def drop_total(draft: Draft, item: Item, name: str) -> Item:
    """Leave out the last row, which is the total of the others, as the catalogue notes."""
    call = item.call(FILTER, field=item.key, operator="ne", value=name)
    made = draft.make(call, item)
    _decide_by_note(draft, made, "is every row an entry", CATALOGUE)
    return made


def keep_latest(draft: Draft, item: Item, field: str) -> Item:
    """Keep the latest revision of each key: the rows have to be sorted before the first ones are kept."""
    call = item.call("data_processing_transformer", operation="sort", field=field, order="descending")
    ordered = draft.make(call, item, is_ordered=True)
    draft.say(Kind.RULE, _LATEST, singular=item.singular, plural=item.plural, key=item.key, field=field)
    look_up = item.call("data_processing_validator", field=item.key, rule="unique")
    _decide(draft, ordered, f"do the latest {item.plural} come first", look_up)
    made = draft.make(
        ordered.call("data_processing_validator", field=item.key, rule="unique"), ordered, is_ordered=False
    )
    _decide(draft, made, f"are some {item.plural} listed twice", look_up)
    return msgspec.structs.replace(made, is_reordered=True)


def trim_key(draft: Draft, item: Item, field: str) -> Item:
    """Take the spaces around the parent's key away, without which the join loses rows; the data dictionary says so."""
    call = item.call("data_processing_transformer", operation="trim", field=field)
    made = draft.make(call, item, row_step=RowStep(frozenset([field]), frozenset([field])))
    _decide_by_note(draft, made, f"are there spaces around the {field}", DICTIONARY)
    return made


def say_typed_by_hand(draft: Draft, item: Item) -> None:
    """Say how fields that were typed by hand are to be written; the data dictionary says which ones these are."""
    draft.say(Kind.RULE, _TYPED, plural=item.plural, dictionary=DICTIONARY)


def normalize_as_noted(draft: Draft, item: Item, field: str) -> Item:
    """Write a category in lower case, without spaces around it, since it was typed by hand."""
    call = item.call("data_processing_transformer", operation="normalize", field=field)
    focused = msgspec.structs.replace(item, focus=(*item.focus, field))
    made = draft.make(call, focused, row_step=RowStep(frozenset([field]), frozenset([field])))
    _decide_by_note(draft, made, f"was the field {field} typed by hand", DICTIONARY)
    return made


def convert_unit(draft: Draft, item: Item, measure: Measure) -> Item:
    """Bring a measure to its usual unit; the data dictionary says that the data are in another one."""
    field = measure.name
    operator = "*" if measure.is_larger else "/"
    call = item.call(
        "computation_calculator", left_field=field, operator=operator, right=measure.factor, result_field=field
    )
    focused = msgspec.structs.replace(item, focus=(*item.focus, field))
    made = draft.make(call, focused, row_step=RowStep(frozenset([field]), frozenset([field])))
    look_up = Call("utility_helper", {"topic": DICTIONARY})
    question = f"in which unit is the {measure.phrase} stored"
    misreading = Misreading(dropped=(made.number - 1,), is_naive=True)
    draft.decide(Skill.LOOK_UP, question, [look_up], [misreading])
    return made


def say_unit(draft: Draft, item: Item, measure: Measure) -> None:
    """Say in which unit a measure is wanted, whatever the data have."""
    names = {"field": item.phrases[measure.name], "unit": measure.unit, "name": measure.name, "dictionary": DICTIONARY}
    draft.say(Kind.RULE, _UNIT, **names)


def _decide(draft: Draft, made: Item, question: str, look_up: Call) -> None:
    if not draft.level.is_exact:
        misreading = Misreading(dropped=(made.number - 1,), is_naive=True)
        draft.decide(Skill.CHECK_DATA, question, [look_up], [misreading])


def _decide_by_note(draft: Draft, made: Item, question: str, document: str, others: Sequence[Misreading] = ()) -> None:
    naive = Misreading(dropped=(made.number - 1,), is_naive=True)
    draft.decide(Skill.LOOK_UP, question, [Call("utility_helper", {"topic": document})], [naive, *others])


_NORMALIZED = (
    (
        "The {field} was typed by hand: upper and lower case and spaces around it mean nothing. Have it in lower case, "
        "without such spaces."
    ),
    (
        "Some of the {plural} may have the {field} in capitals or with spaces around it; that is the same "
        "{field}, and is "
        "to be written in lower case, without the spaces."
    ),
    "Write the {field} in lower case and without spaces around it, however it was typed.",
)
_UNIQUE = (
    "Each {singular} counts once, however often it is listed ({key} says which is which).",
    "A {singular} that is listed twice counts once; {key} says which ones are the same.",
    "Of {plural} with the same {key}, only the first counts.",
    "Should a {singular} appear more than once under the same {key}, keep its first entry only.",
)
_REQUIRED = (
    "{plural} that have no value in the field {field} do not count.",
    "Leave out the {plural} for which the field {field} has no value.",
    "A {singular} with no value in the field {field} is left out.",
    "Where the field {field} has no value, the {singular} is left out.",
)
_UNIT = (
    "The {field} is to be in {unit}, in the field {name}; the {dictionary} says in which unit the data have it.",
    "We work with the {field} in {unit} (field {name}); see the {dictionary} for the unit in the data.",
    "Have the {field} in {unit}, still as {name}. The {dictionary} says the unit that it is stored in.",
)
_LATEST = (
    "Of several entries with the same {key}, the one with the highest {field} replaces all others.",
    "{plural} are entered anew when they change: the entry with the highest {field} replaces all others of its {key}.",
    "Where a {key} recurs, only the entry with its highest {field} is valid, whatever the earlier ones say.",
)
_TYPED = (
    (
        "Whatever was typed by hand is to be in lower case and without spaces around it; the {dictionary} notes which "
        "fields that are."
    ),
    (
        "In fields that were typed by hand, capitals and spaces around the text mean nothing. Have these in lower "
        "case, without such spaces; see the notes in the {dictionary} for which ones they are."
    ),
)
