"""Results that are lists of rows: all, sorted, some of them, with fewer or more fields."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.generator.amounts import amount
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import Kind, join_words
from pytest_ultra.core.json_types import Json


def list_all(draft: Draft, item: Item) -> Item:
    draft.say(Kind.STEP, _ALL, **names_of(draft, item))
    return item


def list_sorted(draft: Draft, item: Item) -> Item:
    field = _pick_order(draft, item)
    made, words = sort_rows(draft, item, field)
    draft.say(Kind.STEP, _SORTED, order=words, field=item.phrases[field], **names_of(draft, item))
    return made


def list_sorted_with_ties(draft: Draft, item: Item) -> Item:
    """Sort by a field with ties, which a second field decides: the sort by the second one comes first."""
    made, words = _sort_with_ties(draft, item)
    draft.say(Kind.STEP, _SORTED_WITH_TIES, **words, **names_of(draft, item))
    return made


def list_top_with_ties(draft: Draft, item: Item) -> Item:
    if len(item.rows) < 5:
        raise RejectedError("too few rows to choose some")
    made, words = _sort_with_ties(draft, item)
    most = min(40, len(item.rows) - 1)
    count = draft.rng.randint(min(10, most), most)
    draft.say(Kind.STEP, _TOP_WITH_TIES, count=count, **words, **names_of(draft, item))
    return draft.make(made.call("data_processing_transformer", operation="limit", count=count), made)


def _sort_with_ties(draft: Draft, item: Item) -> tuple[Item, dict[str, str]]:
    tied = [name for name in item.measures if not item.is_unique(name) and name not in item.cut]
    field = draft.pick(item.prefer_focus(tied))
    deciding = [name for name in item.measures if name != field and _decides_ties(item, field, name)]
    second = draft.pick(deciding)
    ordered, second_order = sort_rows(draft, item, second)
    made, order = sort_rows(draft, ordered, field)
    words = {"order": order, "field": item.phrases[field]}
    return made, words | {"second_order": second_order, "second": item.phrases[second]}


def _decides_ties(item: Item, field: str, second: str) -> bool:
    return len({(row[field], row[second]) for row in item.rows}) == len(item.rows)


def sort_rows(draft: Draft, item: Item, field: str) -> tuple[Item, str]:
    order, words = draft.pick((("ascending", "lowest"), ("descending", "highest")))
    call = item.call("data_processing_transformer", operation="sort", field=field, order=order)
    return draft.make(call, item, is_ordered=True), words


def _pick_order(draft: Draft, item: Item) -> str:
    """Pick a measure without ties to order rows by, if possible one that no filter has limited on one side."""
    fields = [name for name in item.measures if item.is_unique(name)]
    return draft.pick(item.prefer_focus([name for name in fields if name not in item.cut] or fields))


def list_top(draft: Draft, item: Item) -> Item:
    field = _pick_order(draft, item)
    if len(item.rows) < 5:
        raise RejectedError("too few rows to choose some")
    made, words = sort_rows(draft, item, field)
    most = min(15, len(item.rows) - 1)
    count = draft.rng.randint(min(5, most), most)
    call = made.call("data_processing_transformer", operation="limit", count=count)
    top = draft.make(call, made)
    draft.say(Kind.STEP, _TOP, order=words, field=item.phrases[field], count=count, **names_of(draft, item))
    return top


def keep_fields(draft: Draft, item: Item) -> Item:
    rows = item.rows
    names = list(rows[0])
    if len(names) < 4:
        raise RejectedError("too few fields")
    kept = [item.key, *item.focus]
    kept += draft.rng.sample([name for name in names if name not in kept], draft.rng.randint(1, 2))
    kept.sort(key=names.index)
    call = item.call("data_processing_transformer", operation="select", fields=kept)
    draft.say(Kind.FORM, _KEPT, fields=join_words(kept), **names_of(draft, item))
    return draft.make(call, _restrict(item, kept))


def rename_fields(draft: Draft, item: Item) -> Item:
    names = list(item.rows[0])
    kept = [item.key, *item.focus]
    kept += draft.rng.sample([name for name in names if name not in kept], draft.rng.randint(1, 2))
    kept.sort(key=names.index)
    prefix = draft.pick(("ext", "crm", "erp", "dwh"))
    mapping: dict[str, Json] = {name: f"{prefix}_{name}" for name in kept}
    words = join_words([f"{old} becomes {new}" for old, new in mapping.items()])
    draft.say(Kind.FORM, _MAPPED, mapping=words, **names_of(draft, item))
    renamed = _restrict(item, [])
    return draft.make(item.call("integration_mapper", mapping=mapping), renamed)


def _restrict(item: Item, kept: list[str]) -> Item:
    return msgspec.structs.replace(
        item,
        categories=tuple(name for name in item.categories if name in kept),
        measures=tuple(name for name in item.measures if name in kept),
    )


def choose_rows(draft: Draft, item: Item) -> Item:
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
        **names_of(draft, item),
    }
    draft.say(Kind.STEP, _CHOSEN, **names)
    return draft.make(call, item)


def derive_field(draft: Draft, item: Item) -> Item:
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
        **names_of(draft, item),
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


def pack_list(draft: Draft, item: Item) -> Item:
    if item.is_reordered and not item.is_ordered:
        raise RejectedError("a text in an order that the words leave open")
    text = draft.make(item.call("file_operations_converter", to="csv"), item)
    method, words = draft.pick((("run_length", "run-length"), ("dedupe_lines", "dedupe-lines")))
    draft.say(Kind.FORM, _PACKED, method=words, **names_of(draft, item))
    return draft.make(text.call("file_operations_compressor", method=method), item, is_ordered=True)


def names_of(draft: Draft, item: Item) -> dict[str, str]:
    return {"plural": item.plural, "singular": item.singular, "these": _these(draft, item)}


def _these(draft: Draft, item: Item) -> str:
    """Return the words for all rows that a result is made from; "these" would be unclear where the aim comes first."""
    return f"these {item.plural}" if draft.level.is_exact else f"the {item.plural} that count"


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
_SORTED_WITH_TIES = (
    "List the {plural} by {field}, the {order} first; where it is the same, the {second_order} {second} comes first.",
    "Sort the {plural} by {field}, with the {order} first, and ties by {second}, with the {second_order} first.",
)
_TOP_WITH_TIES = (
    (
        "List the {count} {plural} that have the {order} {field}, the {order} first; where it is the same, the one "
        "with the {second_order} {second} comes first."
    ),
    (
        "Pick the {count} {plural} with the {order} {field}, and list the {order} first. Of those that tie, the one "
        "with the {second_order} {second} comes first."
    ),
)
_KEPT = (
    "Each row of the result has the fields {fields}, and no others.",
    "Reduce the rows to the fields {fields}.",
    "Of each row, keep only the fields {fields}.",
)
_MAPPED = (
    "The other system has its own names: {mapping}. All other fields are dropped.",
    "Rename the fields for the other system, and drop those that are not named: {mapping}.",
    "In the result, {mapping}; there are no other fields.",
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
