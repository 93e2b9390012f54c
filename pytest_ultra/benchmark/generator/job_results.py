"""Results: each turns the selected data into what is to be delivered, in up to three calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from pytest_ultra.benchmark.generator.amounts import amount
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import MIN_ROWS, Item
from pytest_ultra.benchmark.generator.job_text import Kind, join_words
from pytest_ultra.core.json_types import Json


class Result(msgspec.Struct, frozen=True):
    """A way to make a result. `steps` is how many calls it takes; `is_value` if it can be given as an answer."""

    make: Callable[[Draft, Item], Item]
    steps: int
    is_value: bool = False


def _plain(draft: Draft, item: Item) -> Item:
    draft.say(Kind.STEP, _ALL, **_names(draft, item))
    return item


def _sorted(draft: Draft, item: Item) -> Item:
    field = _pick_order(draft, item)
    made, words = _sort(draft, item, field)
    draft.say(Kind.STEP, _SORTED, order=words, field=item.phrases[field], **_names(draft, item))
    return made


def _sort(draft: Draft, item: Item, field: str) -> tuple[Item, str]:
    order, words = draft.pick((("ascending", "lowest"), ("descending", "highest")))
    call = item.call("data_processing_transformer", operation="sort", field=field, order=order)
    return draft.make(call, item, is_ordered=True), words


def _pick_order(draft: Draft, item: Item) -> str:
    """Pick a measure without ties to order rows by, if possible one that no filter has limited on one side."""
    fields = [name for name in item.measures if item.is_unique(name)]
    return draft.pick(item.prefer_focus([name for name in fields if name not in item.cut] or fields))


def _top(draft: Draft, item: Item) -> Item:
    field = _pick_order(draft, item)
    if len(item.rows) < 5:
        raise RejectedError("too few rows to choose some")
    made, words = _sort(draft, item, field)
    most = min(15, len(item.rows) - 1)
    count = draft.rng.randint(min(5, most), most)
    call = made.call("data_processing_transformer", operation="limit", count=count)
    top = draft.make(call, made)
    draft.say(Kind.STEP, _TOP, order=words, field=item.phrases[field], count=count, **_names(draft, item))
    return top


def _fields(draft: Draft, item: Item) -> Item:
    rows = item.rows
    names = list(rows[0])
    if len(names) < 4:
        raise RejectedError("too few fields")
    kept = [item.key, *item.focus]
    kept += draft.rng.sample([name for name in names if name not in kept], draft.rng.randint(1, 2))
    kept.sort(key=names.index)
    call = item.call("data_processing_transformer", operation="select", fields=kept)
    draft.say(Kind.FORM, _KEPT, fields=join_words(kept), **_names(draft, item))
    return draft.make(call, _restrict(item, kept))


def _renamed(draft: Draft, item: Item) -> Item:
    names = list(item.rows[0])
    kept = [item.key, *item.focus]
    kept += draft.rng.sample([name for name in names if name not in kept], draft.rng.randint(1, 2))
    kept.sort(key=names.index)
    prefix = draft.pick(("ext", "crm", "erp", "dwh"))
    mapping: dict[str, Json] = {name: f"{prefix}_{name}" for name in kept}
    words = join_words([f"{old} becomes {new}" for old, new in mapping.items()])
    draft.say(Kind.FORM, _MAPPED, mapping=words, **_names(draft, item))
    renamed = _restrict(item, [])
    return draft.make(item.call("integration_mapper", mapping=mapping), renamed)


def _restrict(item: Item, kept: list[str]) -> Item:
    return msgspec.structs.replace(
        item,
        categories=tuple(name for name in item.categories if name in kept),
        measures=tuple(name for name in item.measures if name in kept),
    )


def _group(draft: Draft, item: Item) -> Item:
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
    words = {"figure": phrase, "by": item.phrases[by], **_names(draft, item)}
    return draft.make(call, grouped, is_ordered=False), words


def _group_sorted(draft: Draft, item: Item) -> Item:
    made, words = _aggregate_groups(draft, item)
    field = made.measures[0]
    if not made.is_unique(field):
        raise RejectedError("ties")
    ordered, order = _sort(draft, made, field)
    draft.say(Kind.STEP, _GROUPED_SORTED, order=order, **words)
    return ordered


def _group_top(draft: Draft, item: Item) -> Item:
    made, words = _aggregate_groups(draft, item)
    field = made.measures[0]
    if not made.is_unique(field) or len(made.rows) < MIN_ROWS:
        raise RejectedError("ties, or too few groups")
    ordered, order = _sort(draft, made, field)
    count = draft.rng.randint(1, len(made.rows) - 1)
    call = ordered.call("data_processing_transformer", operation="limit", count=count)
    top = draft.make(call, ordered)
    draft.say(Kind.STEP, _GROUPED_TOP[count == 1], order=order, count=count, **words)
    return top


def _total(draft: Draft, item: Item) -> Item:
    function = draft.pick(("sum", "min", "max") if draft.level.is_exact else ("sum",))
    field = draft.pick(item.prefer_focus(item.totals if function == "sum" else item.measures))
    call = item.call("data_processing_aggregator", function=function, field=field)
    draft.say(Kind.STEP, _FIGURE, figure=f"{_FUNCTIONS[function]} {item.phrases[field]}", **_names(draft, item))
    return draft.make(call, item, is_ordered=False)


def _statistics(draft: Draft, item: Item) -> Item:
    field = draft.pick(item.prefer_focus(item.measures))
    draft.say(Kind.STEP, _STATISTICS, field=item.phrases[field], **_names(draft, item))
    return draft.make(item.call("computation_analyzer", field=field), item, is_ordered=False)


def _projection(draft: Draft, item: Item) -> Item:
    field = draft.pick(item.prefer_focus(item.totals))
    periods, rate = draft.rng.randint(2, 8), draft.rng.randint(1, 15)
    names = {"field": item.phrases[field], "periods": periods, "rate": rate, **_names(draft, item)}
    draft.say(Kind.STEP, _PROJECTED, **names)
    call = item.call("computation_simulator", field=field, rate_percent=rate, periods=periods)
    return draft.make(call, item, is_ordered=False)


def _forecast(draft: Draft, item: Item) -> Item:
    field, periods = draft.pick(item.prefer_focus(item.measures)), draft.rng.randint(2, 6)
    draft.say(Kind.STEP, _FORECAST, field=item.phrases[field], periods=periods, **_names(draft, item))
    call = item.call("computation_predictor", field=field, periods=periods)
    return draft.make(call, item, is_ordered=False)


def _choice(draft: Draft, item: Item) -> Item:
    """Choose the rows with the highest total value within a budget."""
    if len(item.totals) < 2 or not 4 <= len(item.rows) <= 60:
        raise RejectedError("no choice to make")
    value, cost = draft.rng.sample(item.totals, 2)
    budget = int(sum(row[cost] for row in item.rows) * draft.pick((0.3, 0.4, 0.5)))
    call = item.call("computation_optimizer", value_field=value, cost_field=cost, budget=budget)
    names = {
        "value": item.phrases[value],
        "cost": item.phrases[cost],
        "budget": amount(budget, item.units[cost]),
        **_names(draft, item),
    }
    draft.say(Kind.STEP, _CHOSEN, **names)
    return draft.make(call, item)


def _derived(draft: Draft, item: Item) -> Item:
    """Add a field that is a measure grown by some percent."""
    field = draft.pick(item.prefer_focus(item.measures))
    prefix, percent = draft.pick(("planned", "raised", "budgeted")), draft.pick((5, 10, 20, 25, 50))
    name = f"{prefix}_{field}"
    factor = 1 + percent / 100
    call = item.call(
        "computation_calculator", left_field=field, operator="*", right=round(factor, 2), result_field=name
    )
    names = {
        "field": item.phrases[field],
        "percent": percent,
        "name": name,
        "factor": round(factor, 2),
        **_names(draft, item),
    }
    draft.say(Kind.STEP, _DERIVED, **names)
    derived = msgspec.structs.replace(
        item,
        measures=(*item.measures, name),
        phrases=item.phrases | {name: name},
        units=item.units | {name: item.units[field]},
        focus=(*item.focus, name),
    )
    return draft.make(call, derived)


def _packed(draft: Draft, item: Item) -> Item:
    text = draft.make(item.call("file_operations_converter", to="csv"), item)
    method, words = draft.pick((("run_length", "run-length"), ("dedupe_lines", "dedupe-lines")))
    draft.say(Kind.FORM, _PACKED, method=words, **_names(draft, item))
    return draft.make(text.call("file_operations_compressor", method=method), item, is_ordered=True)


def _then(*makers: Callable[[Draft, Item], Item]) -> Callable[[Draft, Item], Item]:
    def make(draft: Draft, item: Item) -> Item:
        for maker in makers:
            item = maker(draft, item)
        return item

    return make


_FUNCTIONS = {"sum": "total", "mean": "average", "min": "smallest", "max": "largest"}


def _names(draft: Draft, item: Item) -> dict[str, str]:
    return {"plural": item.plural, "singular": item.singular, "these": _these(draft, item)}


def _these(draft: Draft, item: Item) -> str:
    """Return the words for all rows that a result is made from; "these" would be unclear where the aim comes first."""
    return f"these {item.plural}" if draft.level.is_exact else f"the {item.plural} that count"


RESULTS: Mapping[str, Result] = {
    "plain": Result(_plain, 0),
    "sorted": Result(_sorted, 1),
    "fields": Result(_fields, 1),
    "renamed": Result(_renamed, 1),
    "group": Result(_group, 1),
    "total": Result(_total, 1, is_value=True),
    "statistics": Result(_statistics, 1),
    "projection": Result(_projection, 1),
    "forecast": Result(_forecast, 1),
    "choice": Result(_choice, 1),
    "derived": Result(_derived, 1),
    "top": Result(_top, 2),
    "group_sorted": Result(_group_sorted, 2),
    "sorted_fields": Result(_then(_sorted, _fields), 2),
    "sorted_renamed": Result(_then(_sorted, _renamed), 2),
    "choice_fields": Result(_then(_choice, _fields), 2),
    "derived_sorted": Result(_then(_derived, _sorted), 2),
    "derived_fields": Result(_then(_derived, _fields), 2),
    "packed": Result(_then(_plain, _packed), 2),
    "top_fields": Result(_then(_top, _fields), 3),
    "top_renamed": Result(_then(_top, _renamed), 3),
    "group_top": Result(_group_top, 3),
    "sorted_packed": Result(_then(_sorted, _packed), 3),
    "derived_top": Result(_then(_derived, _top), 3),
    "derived_top_fields": Result(_then(_derived, _top, _fields), 4),
    "choice_sorted_fields": Result(_then(_choice, _sorted, _fields), 3),
}

_ALL = (
    "The result is the list of {these}.",
    "The list of {these} is the result.",
    "What is wanted is the list of {these}.",
)
_SORTED = (
    "List the {plural} by {field}, the {order} first.",
    "Sort the {plural} by {field}, with the {order} first.",
    "The {plural} are listed with the {order} {field} first.",
)
_TOP = (
    "Only the {count} {plural} with the {order} {field} are wanted, the {order} first.",
    "Pick the {count} {plural} with the {order} {field}, and list the {order} first.",
    "List the {count} {plural} that have the {order} {field}, the {order} first.",
)
_KEPT = (
    "Each row has the fields {fields}, and no others.",
    "Reduce the rows to the fields {fields}.",
    "Of each row, keep only the fields {fields}.",
)
_MAPPED = (
    "The other system has its own names: {mapping}. All other fields are dropped.",
    "Rename the fields for the other system, and drop those that are not named: {mapping}.",
    "In the result, {mapping}; there are no other fields.",
)
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
_CHOSEN = (
    "Among {these}, choose those with the highest {value} in total while their {cost} adds up to at most {budget}.",
    "Among {these}, choose those that together have the highest {value}, with a total {cost} of at most {budget}.",
)
_DERIVED = (
    "Add a field {name}: the {field} plus {percent} percent, that is, times {factor}.",
    "Each {singular} gets a new field {name}, which is its {field} times {factor}.",
)
_PACKED = (
    "Turn the list into CSV text, and pack that text by the {method} method.",
    "Convert the list to CSV, then compress the CSV text by the {method} method.",
)
