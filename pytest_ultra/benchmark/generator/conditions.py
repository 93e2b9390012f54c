"""Conditions: figures of the data, or stated facts, that decide where a result goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import msgspec

from pytest_ultra.benchmark.decisions import ArgumentChange, Misreading, Skill
from pytest_ultra.benchmark.generator.amounts import amount, draw_threshold
from pytest_ultra.benchmark.generator.deliveries import Place, hand_over
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.levels import Condition
from pytest_ultra.benchmark.generator.periods import day_name
from pytest_ultra.core.workflow import Call

MOST_TRIES = 8


class Test(msgspec.Struct, frozen=True):
    """A test in words, whether it holds, and the call that shows it."""

    words: str
    holds: bool
    call: Call


def draw_test(draft: Draft, base: Item, *, other: Test | None = None) -> Test:
    """Draw a test on a figure of the data, on another one than `other`."""
    holds = draft.rng.random() < 0.5
    for _ in range(MOST_TRIES):
        test = _try_test(draft, base, holds=holds)
        if test is not None and (other is None or test.call != other.call):
            return test
    raise RejectedError("no good threshold")


def _try_test(draft: Draft, base: Item, *, holds: bool) -> Test | None:
    """Draw a figure, and a threshold for which the test holds or does not hold, as wanted; None if there is none."""
    name = draft.pick(tuple(_FIGURES))
    if name == "total" and not base.totals:
        return None
    phrase, call, unit, value = _FIGURES[name](draft, base)
    threshold = draw_threshold(value, draft.rng, is_above=holds)
    if name == "count" and threshold is not None:
        threshold = int(threshold)
    if threshold is None or (value > threshold) is not holds:
        return None
    return Test(phrase.format(threshold=amount(threshold, unit)), holds, call)


Figure = tuple[str, Call, str, float]


def _count(draft: Draft, base: Item) -> Figure:  # noqa: ARG001 - one signature for all
    call = base.call("data_processing_aggregator", function="count", field=base.key)
    return f"more than {{threshold}} {base.plural} count", call, "", float(len(base.rows))


def _total(draft: Draft, base: Item) -> Figure:
    field = draft.pick(base.totals)
    words = f"the total {base.phrases[field]} of all {base.plural} that count is more than {{threshold}}"
    return _aggregate(draft, base, field, "sum", words)


def _largest(draft: Draft, base: Item) -> Figure:
    field = draft.pick(base.measures)
    words = f"the largest {base.phrases[field]} among all {base.plural} that count is more than {{threshold}}"
    return _aggregate(draft, base, field, "max", words)


def _average(draft: Draft, base: Item) -> Figure:
    field = draft.pick(base.measures)
    words = f"the average {base.phrases[field]} of all {base.plural} that count is more than {{threshold}}"
    return _aggregate(draft, base, field, "mean", words)


def _aggregate(draft: Draft, base: Item, field: str, function: str, words: str) -> Figure:
    call = base.call("data_processing_aggregator", function=function, field=field)
    value = draft.figure(call)[0][f"{function}_{field}"]
    return words, call, base.units[field], float(value)


_FIGURES: dict[str, Callable[[Draft, Item], Figure]] = {
    "count": _count,
    "total": _total,
    "largest": _largest,
    "average": _average,
}


def hand_over_if(draft: Draft, item: Item, base: Item, places: list[Place], condition: Condition) -> None:
    """Deliver at the one of the places that the condition decides on."""
    if condition is Condition.STATED_FACT:
        _by_day(draft, item, places)
        return
    tests, chosen = _WRITERS[condition](draft, base, places)
    naive = len(places) - 1 if condition is Condition.PRIORITY else 0  # the rule without its exceptions, or the first
    number = hand_over(draft, item, places[chosen])
    misreadings = [
        Misreading((ArgumentChange(number - 1, places[chosen].argument, place.name),), is_naive=position == naive)
        for position, place in enumerate(places)
        if position != chosen
    ]
    question = "; ".join(f"whether {test.words}" for test in tests)
    draft.decide(Skill.BRANCH, question, [test.call for test in tests], misreadings)


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


def _figure(draft: Draft, base: Item, places: list[Place]) -> tuple[list[Test], int]:
    test = draw_test(draft, base)
    names = {"test": test.words, "first": places[0].request, "second": places[1].request}
    draft.say(Kind.DELIVERY, _IF, **names)
    return [test], 0 if test.holds else 1


_IF = (
    "If {test}, {first}; otherwise, {second}.",
    "Where it goes depends: if {test}, {first}, and if not, {second}.",
)


def _nested(draft: Draft, base: Item, places: list[Place]) -> tuple[list[Test], int]:
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


def _priority(draft: Draft, base: Item, places: list[Place]) -> tuple[list[Test], int]:
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
    draft.decide(Skill.BRANCH, f"whether {test.words}", [test.call], [misreading])


_ALSO = (
    "If {test}, also {request}; if not, it goes nowhere else.",
    "Also {request}, but only if {test}.",
)
