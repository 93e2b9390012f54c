"""Rules on the state of the data: each adds the call that removes one kind of dirt, and the sentence for it."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.decisions import Misreading, Skill
from pytest_ultra.benchmark.generator.business.records import Measure
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError, RowStep
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.setting import DICTIONARY
from pytest_ultra.core.workflow import Call


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
    made = draft.make(call, item, row_step=RowStep(frozenset([field])))
    draft.say(Kind.RULE, _REQUIRED, singular=item.singular, plural=item.plural, field=item.phrases[field])
    _decide(draft, made, f"have all {item.plural} a {item.phrases[field]}", call)
    return msgspec.structs.replace(made, cut=(*made.cut, field))


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


def check_share(item: Item, before: int) -> None:
    if not len(item.rows) or len(item.rows) == before:
        raise RejectedError("a rule that changes nothing, or leaves nothing")


def _decide(draft: Draft, made: Item, question: str, look_up: Call) -> None:
    if not draft.level.is_exact:
        misreading = Misreading(dropped=(made.number - 1,), is_naive=True)
        draft.decide(Skill.CHECK_DATA, question, [look_up], [misreading])


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
    "{plural} without a {field} do not count.",
    "Leave out {plural} whose {field} is missing.",
    "A {singular} without a {field} is left out.",
    "Where the {field} is missing, the {singular} is left out.",
)
_UNIT = (
    "The {field} is to be in {unit}, in the field {name}; the {dictionary} says in which unit the data have it.",
    "We work with the {field} in {unit} (field {name}); see the {dictionary} for the unit in the data.",
    "Have the {field} in {unit}, still as {name}. The {dictionary} says the unit that it is stored in.",
)
