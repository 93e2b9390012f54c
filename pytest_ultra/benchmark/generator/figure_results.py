"""Results that are figures: of groups, totals, statistics, projections and forecasts."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import MIN_ROWS, Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.row_results import names_of, sort_rows


def group_rows(draft: Draft, item: Item) -> Item:
    made, words = _aggregate_groups(draft, item)
    draft.say(Kind.STEP, _GROUPED, **words)
    return made


def _aggregate_groups(draft: Draft, item: Item) -> tuple[Item, dict[str, str]]:
    by = draft.pick(item.prefer_focus([name for name in item.categories if len(item.values_of(name)) > 2]))
    function = draft.pick(tuple(_FUNCTIONS) if draft.level.is_exact else ("sum", "sum", "mean", "mean", "max"))
    field = draft.pick(item.prefer_focus(item.totals if function == "sum" else item.measures))
    call = item.call("data_processing_aggregator", function=function, field=field, group_by=by)
    name = f"{function}_{field}"
    phrase = f"{_FUNCTIONS[function]} {item.phrases[field]}"
    grouped = msgspec.structs.replace(
        item,
        plural="groups",
        singular="group",
        key=by,
        categories=(),
        measures=(name,),
        phrases={by: item.phrases[by], name: phrase},
        units={name: item.units[field]},
        totals=(),
        focus=(),
    )
    words = {"figure": phrase, "by": item.phrases[by], **names_of(draft, item)}
    return draft.make(call, grouped, is_ordered=False), words


def list_groups(draft: Draft, item: Item) -> Item:
    made, words = _aggregate_groups(draft, item)
    field = made.measures[0]
    if not made.is_unique(field):
        raise RejectedError("ties")
    ordered, order = sort_rows(draft, made, field)
    draft.say(Kind.STEP, _GROUPED_SORTED, order=order, **words)
    return ordered


def list_top_groups(draft: Draft, item: Item) -> Item:
    made, words = _aggregate_groups(draft, item)
    field = made.measures[0]
    if not made.is_unique(field) or len(made.rows) < MIN_ROWS:
        raise RejectedError("ties, or too few groups")
    ordered, order = sort_rows(draft, made, field)
    count = draft.rng.randint(1, len(made.rows) - 1)
    call = ordered.call("data_processing_transformer", operation="limit", count=count)
    top = draft.make(call, ordered)
    draft.say(Kind.STEP, _GROUPED_TOP[count == 1], order=order, count=count, **words)
    return top


def total_rows(draft: Draft, item: Item) -> Item:
    function = draft.pick(("sum", "min", "max") if draft.level.is_exact else ("sum",))
    field = draft.pick(item.prefer_focus(item.totals if function == "sum" else item.measures))
    call = item.call("data_processing_aggregator", function=function, field=field)
    draft.say(Kind.STEP, _FIGURE, figure=f"{_FUNCTIONS[function]} {item.phrases[field]}", **names_of(draft, item))
    return draft.make(call, item, is_ordered=False)


def describe_field(draft: Draft, item: Item) -> Item:
    field = draft.pick(item.prefer_focus(item.measures))
    draft.say(Kind.STEP, _STATISTICS, field=item.phrases[field], **names_of(draft, item))
    return draft.make(item.call("computation_analyzer", field=field), item, is_ordered=False)


def project_total(draft: Draft, item: Item) -> Item:
    field = draft.pick(item.prefer_focus(item.totals))
    periods, rate = draft.rng.randint(2, 8), draft.rng.randint(1, 15)
    names = {"field": item.phrases[field], "periods": periods, "rate": rate, **names_of(draft, item)}
    draft.say(Kind.STEP, _PROJECTED, **names)
    call = item.call("computation_simulator", field=field, rate_percent=rate, periods=periods)
    return draft.make(call, item, is_ordered=False)


def forecast_field(draft: Draft, item: Item) -> Item:
    if item.is_reordered:
        raise RejectedError("rows in an order that the words leave open")
    field, periods = draft.pick(item.prefer_focus(item.measures)), draft.rng.randint(2, 6)
    draft.say(Kind.STEP, _FORECAST, field=item.phrases[field], periods=periods, **names_of(draft, item))
    call = item.call("computation_predictor", field=field, periods=periods)
    return draft.make(call, item, is_ordered=False)


_FUNCTIONS = {"sum": "total", "mean": "average", "min": "smallest", "max": "largest"}

_GROUPED = (
    "Work out the {figure} for each {by}.",
    "The result is the {figure} of {these} for each {by}.",
    "Give the {figure} of {these}, one row for each {by}.",
)
_GROUPED_SORTED = (
    "Work out the {figure} for each {by}, and list the {order} first.",
    "List the {figure} of {these} for each {by}, with the {order} figure first.",
    "For each {by}, give the {figure} of {these}, in a list that has the {order} figure first.",
)
_GROUPED_TOP = {
    False: (
        "Work out the {figure} for each {by}, and list only the {count} with the {order} figure, the {order} first.",
        (
            "For each {by}, work out the {figure} of {these}; the result is the {count} with the {order} figure, "
            "the {order} first."
        ),
    ),
    True: (
        "Work out the {figure} for each {by}, and keep only the one with the {order} figure.",
        "For each {by}, work out the {figure} of {these}; the result is the one with the {order} figure.",
    ),
}

_FIGURE = (
    "Work out the {figure} of {these}.",
    "The result is the {figure} over {these}.",
    "What is wanted is the {figure} of {these}.",
)
_STATISTICS = (
    (
        "Work out the statistics of the {field} of {these} (count, sum, mean, median, smallest, largest, standard "
        "deviation)."
    ),
    "Describe the {field} of {these} in figures: count, sum, mean, median, smallest, largest, standard deviation.",
)
_PROJECTED = (
    "Project the total {field} of {these} for {periods} periods, at {rate} percent growth a period.",
    "Let the total {field} of {these} grow by {rate} percent a period, for {periods} periods.",
)
_FORECAST = (
    "Forecast the {field} for {periods} more periods by its straight-line trend over the {plural} as they are listed.",
    (
        "Continue the {field} of the {plural}, in the order in which they are listed, along its straight-line "
        "trend for "
        "{periods} more periods."
    ),
)
