"""Tests on figures of the data, with which conditions begin."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pytest_ultra.benchmark.generator.amounts import amount, draw_threshold
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.core.workflow import Call

MOST_TRIES = 8


class FigureTest(msgspec.Struct, frozen=True):
    """A test in words, what it is about, whether it holds, and the calls that show it."""

    words: str
    subject: str
    holds: bool
    calls: tuple[Call, ...]


class Figure(msgspec.Struct, frozen=True):
    """A figure of the data; `words` are those of the test on it, with a gap for the threshold."""

    words: str
    subject: str
    unit: str
    value: float
    calls: tuple[Call, ...]
    is_count: bool = False


def draw_test(draft: Draft, base: Item, *, other: FigureTest | None = None) -> FigureTest:
    """Draw a test on a figure of the data, on another subject than `other`."""
    holds = draft.rng.random() < 0.5
    kinds = (*_FIGURES, *_SUBTLE_FIGURES) if draft.level.has_notes else tuple(_FIGURES)
    for _ in range(MOST_TRIES):
        figure = draft.pick(kinds)(draft, base)
        test = _test_of(draft, figure, holds=holds) if figure is not None else None
        if test is not None and (other is None or test.subject != other.subject):
            return test
    raise RejectedError("no good threshold")


def _test_of(draft: Draft, figure: Figure, *, holds: bool) -> FigureTest | None:
    """Draw a threshold for which the test holds or does not hold, as wanted; None if there is none."""
    threshold = draw_threshold(figure.value, draft.rng, is_above=holds)
    if figure.is_count and threshold is not None:
        threshold = int(threshold)
    if threshold is None or (figure.value > threshold) is not holds:
        return None
    words = figure.words.format(threshold=amount(threshold, figure.unit))
    return FigureTest(words, figure.subject, holds, figure.calls)


def _count(draft: Draft, base: Item) -> Figure:  # noqa: ARG001 - one signature for all
    call = base.call("data_processing_aggregator", function="count", field=base.key)
    words = f"there are more than {{threshold}} {base.plural} that count"
    return Figure(words, base.key, "", float(len(base.rows)), (call,), is_count=True)


def _total(draft: Draft, base: Item) -> Figure | None:
    if not base.totals:
        return None
    field = draft.pick(base.totals)
    words = f"the total {base.phrases[field]} of all {base.plural} that count is more than {{threshold}}"
    return _aggregate(draft, base, field, "sum", words)


def _largest(draft: Draft, base: Item) -> Figure:
    field = draft.pick([name for name in base.measures if name not in base.cut])
    words = f"the largest {base.phrases[field]} among all {base.plural} that count is more than {{threshold}}"
    return _aggregate(draft, base, field, "max", words)


def _average(draft: Draft, base: Item) -> Figure:
    field = draft.pick(base.measures)
    words = f"the average {base.phrases[field]} of all {base.plural} that count is more than {{threshold}}"
    return _aggregate(draft, base, field, "mean", words)


def _aggregate(draft: Draft, base: Item, field: str, function: str, words: str) -> Figure:
    call = base.call("data_processing_aggregator", function=function, field=field)
    value = draft.figure(call)[0][f"{function}_{field}"]
    return Figure(words, field, base.units[field], float(value), (call,))


def _largest_group(draft: Draft, base: Item) -> Figure | None:
    """The total of the group that has the largest one."""
    groups = [name for name in base.categories if len(base.values_of(name)) > 2 and name not in base.cut]
    if not base.totals or not groups:
        return None
    by, field = draft.pick(groups), draft.pick(base.totals)
    call = base.call("data_processing_aggregator", function="sum", field=field, group_by=by)
    value = max(row[f"sum_{field}"] for row in draft.figure(call))
    words = (
        f"there is a {base.phrases[by]} for which the total {base.phrases[field]} of the {base.plural} that count is "
        "more than {threshold}"
    )
    return Figure(words, field, base.units[field], float(value), (call,))


def _stored_gaps(draft: Draft, base: Item) -> Figure | None:
    """The number of entries without a value in a field, in the data as they are stored."""
    if draft.stored_gaps is None:
        return None
    stored, field, mark = draft.stored_gaps
    calls = tuple(stored.call("data_processing_aggregator", function="count", field=name) for name in (base.key, field))
    if mark is not None:
        calls += (stored.call("data_processing_filter", field=field, operator="eq", value=mark),)
    gaps = sum(row[field] in (None, "", mark) for row in stored.rows)
    words = (
        f"more than {{threshold}} entries have no value in the field {field}, in the {base.plural} as they are stored"
    )
    return Figure(words, f"gaps in {field}", "", float(gaps), calls, is_count=True)


_FIGURES: tuple[Callable[[Draft, Item], Figure | None], ...] = (_count, _total, _largest, _average)
_SUBTLE_FIGURES: tuple[Callable[[Draft, Item], Figure | None], ...] = (_largest_group, _stored_gaps, _stored_gaps)
