"""Conditions: figures of the data, or stated facts, that decide where a result goes."""

from __future__ import annotations

import datetime as dt

from pytest_ultra.benchmark.decisions import ArgumentChange, Misreading, Skill
from pytest_ultra.benchmark.generator.deliveries import Place, hand_over
from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.benchmark.generator.figure_tests import FigureTest, draw_test
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.levels import Condition
from pytest_ultra.benchmark.generator.periods import day_name
from pytest_ultra.core.workflow import Call


def hand_over_if(draft: Draft, item: Item, base: Item, places: list[Place], condition: Condition) -> None:
    """Deliver at the one of the places that the condition decides on."""
    if condition is Condition.STATED_FACT:
        _by_day(draft, item, places)
        return
    tests, chosen = _WRITERS[condition](draft, base, places)
    naive = len(places) - 1 if condition is Condition.PRIORITY else 0  # the rule without its exceptions, or the first
    number = hand_over(draft, item, places[chosen])
    misreadings = [
        Misreading(_change_place(number - 1, places[chosen], place), is_naive=position == naive)
        for position, place in enumerate(places)
        if position != chosen
    ]
    question = "; ".join(f"whether {test.words}" for test in tests)
    draft.decide(Skill.BRANCH, question, [call for test in tests for call in test.calls], misreadings)


def _change_place(milestone: int, place: Place, other: Place) -> tuple[ArgumentChange, ...]:
    """Return the changes that deliver at another place, with all that the words say of it."""
    return tuple(
        ArgumentChange(milestone, name, value)
        for name, value in other.arguments.items()
        if value != place.arguments[name]
    )


def _by_day(draft: Draft, item: Item, places: list[Place]) -> None:
    today = draft.setting.period.last
    is_today = draft.rng.random() < 0.5
    named = today if is_today else today - dt.timedelta(days=draft.rng.randint(1, 6))
    draft.say(
        Kind.DELIVERY,
        _BY_DAY,
        today=f"{day_name(today)}, {today.isoformat()}",
        day=day_name(named),
        first=places[0].request,
        second=places[1].request,
    )
    hand_over(draft, item, places[0 if is_today else 1])


_BY_DAY = (
    "Today is {today}. On a {day}, {first}; on any other day, {second}.",
    "On a {day}, {first}, and on any other day, {second}. Today is {today}.",
)


def _figure(draft: Draft, base: Item, places: list[Place]) -> tuple[list[FigureTest], int]:
    test = draw_test(draft, base)
    names = {"test": test.words, "first": places[0].request, "second": places[1].request}
    draft.say(Kind.DELIVERY, _IF, **names)
    return [test], 0 if test.holds else 1


_IF = (
    "If {test}, {first}; otherwise, {second}.",
    "Where it goes depends: if {test}, {first}, and if not, {second}.",
)


def _nested(draft: Draft, base: Item, places: list[Place]) -> tuple[list[FigureTest], int]:
    outer = draw_test(draft, base)
    inner = draw_test(draft, base, other=outer)
    requests = [place.request for place in places]
    names = dict(zip(("first", "second", "third"), requests, strict=True))
    draft.say(Kind.DELIVERY, _NESTED, outer=outer.words, inner=inner.words, **names)
    chosen = (0 if inner.holds else 1) if outer.holds else 2
    return [outer, inner], chosen


_NESTED = (
    "If {outer}, there are two cases: where {inner}, {first}; where not, {second}. Otherwise, {third}.",
    "Unless {outer}, {third}. But if {outer}, look further: if {inner}, {first}; if not, {second}.",
    (
        "There are three cases: if {outer} and, besides, {inner}, {first}; if only the former is so, {second}; "
        "if the former "
        "is not so, {third}."
    ),
)


def _priority(draft: Draft, base: Item, places: list[Place]) -> tuple[list[FigureTest], int]:
    first = draw_test(draft, base)
    second = draw_test(draft, base, other=first)
    names = dict(zip(("first", "second", "third"), (place.request for place in places), strict=True))
    draft.say(Kind.DELIVERY, _PRIORITY, one=first.words, other=second.words, **names)
    return [first, second], 0 if first.holds else 1 if second.holds else 2


_PRIORITY = (
    (
        "The first of these that is the case decides, even if a later one is the case too: (a) if {one}, "
        "{first}; (b) if "
        "{other}, {second}; (c) in all other cases, {third}."
    ),
    "As a rule, {third}. Exceptions: if {other}, {second} instead; and if {one}, {first}, whatever else is the case.",
)

_WRITERS = {Condition.FIGURE: _figure, Condition.NESTED: _nested, Condition.PRIORITY: _priority}


def send_also_if(draft: Draft, item: Item, base: Item, place: Place) -> None:
    """Deliver at one more place if a test holds, and not at all otherwise."""
    test = draw_test(draft, base)
    draft.say(Kind.DELIVERY, _ALSO, test=test.words, request=place.request)
    call = Call(place.tool, {**place.arguments, "data": item.data})
    if test.holds:
        number = hand_over(draft, item, place)
        misreading = Misreading(dropped=(number - 1,))
    else:
        misreading = Misreading(added=(call,), is_naive=True)
    draft.extra_tools.add(place.tool)
    draft.decide(Skill.BRANCH, f"whether {test.words}", test.calls, [misreading])


_ALSO = (
    "If {test}, also {request}; if not, it goes nowhere else.",
    "Also {request}, but only if {test}.",
)
