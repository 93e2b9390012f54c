"""Processing steps: each is one call that makes a new artefact from an earlier one."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.draft import Draft, Item, RejectedError
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call


def keep_matching(draft: Draft, item: Item) -> Item:
    """Filter by a category or by a number, such that some rows stay and some go."""
    rng = draft.rng
    field = draft.pick(item.numeric_fields() + item.category_fields())
    values = sorted({row[field] for row in item.rows})
    if len(values) < 2:
        raise RejectedError("the field has one value only")
    if isinstance(values[0], str):
        operator, value, words = "eq", draft.pick([value for value in values if value]), "is"
    elif rng.random() < 0.5:
        operator, value, words = "gt", values[len(values) // 2 - 1], "is greater than"
    else:
        operator, value, words = "lt", values[(len(values) + 1) // 2], "is less than"
    draft.add_sentence(f"Keep only the rows whose {field} {words} {value}.")
    arguments = {"data": item.data, "field": field, "operator": operator, "value": value}
    noun = f"{item.noun} whose {field} {words} {value}"
    return _make(draft, item, "data_processing_filter", arguments, noun)


def drop_incomplete(draft: Draft, item: Item) -> Item:
    """Keep the rows in which a field has a value; reject the draw if all have one."""
    fields = [field for field in item.category_fields() if any(not row[field] for row in item.rows)]
    if not fields:
        raise RejectedError("every row is complete")
    draft.add_sentence(f"Keep only the valid rows: {fields[0]} is required.")
    arguments = {"data": item.data, "field": fields[0], "rule": "required"}
    noun = f"{item.noun} that are valid ({fields[0]} is required)"
    return _make(draft, item, "data_processing_validator", arguments, noun)


def sort_rows(draft: Draft, item: Item) -> Item:
    """Sort by a field without ties, so that only one order is correct."""
    unique = [field for field in item.numeric_fields() if len({row[field] for row in item.rows}) == len(item.rows)]
    if not unique:
        raise RejectedError("every numeric field has ties")
    field = draft.pick(unique)
    order, words = draft.pick((("ascending", "lowest first"), ("descending", "highest first")))
    draft.add_sentence(f"Sort the rows by {field}, {words}.")
    arguments = {"data": item.data, "operation": "sort", "field": field, "order": order}
    noun = f"{item.noun}, sorted by {field}, {words}"
    return draft.make(Call("data_processing_transformer", arguments), noun, is_ordered=True)


def aggregate(draft: Draft, item: Item, *, grouped: bool | None = None) -> Item:
    """Aggregate a field, by groups or over all rows; `grouped` None decides at random where groups are possible."""
    rng = draft.rng
    function = draft.pick(tuple(_FUNCTIONS))
    field = draft.pick(item.numeric_fields())
    groups = item.category_fields()
    arguments: dict[str, Json] = {"data": item.data, "function": function, "field": field}
    words = f"the {_FUNCTIONS[function]} {field}"
    if groups and (rng.random() < 0.7 if grouped is None else grouped):
        arguments["group_by"] = draft.pick(groups)
        words += f" per {arguments['group_by']}"
    draft.add_sentence(f"Compute {words}.")
    return draft.make(Call("data_processing_aggregator", arguments), f"{words} of {item.noun}")


def add_column(draft: Draft, item: Item) -> Item:
    """Compute a new field from two others, or from one and a number."""
    fields = item.numeric_fields()
    left = draft.pick(fields)
    others = [field for field in fields if field != left]
    right: str | int = draft.pick(others) if others and draft.rng.random() < 0.5 else _factor(draft)
    operator, words = draft.pick((("*", "times"), ("+", "plus"), ("-", "minus")))
    result = f"{left}_{'adjusted' if isinstance(right, int) else 'combined'}"
    draft.add_sentence(f"Add a field {result}: {left} {words} {right}.")
    arguments = {
        "data": item.data,
        "left_field": left,
        "operator": operator,
        "right": right,
        "result_field": result,
    }
    return _make(
        draft, item, "computation_calculator", arguments, f"{item.noun}, with {result} ({left} {words} {right})"
    )


def rename_fields(draft: Draft, item: Item) -> Item:
    """Rename some fields for another system and drop the others."""
    fields = draft.rng.sample(list(item.rows[0]), min(3, len(item.rows[0])))
    fields.sort(key=list(item.rows[0]).index)
    mapping = {field: f"{draft.pick(('ext', 'crm', 'erp'))}_{field}" for field in fields}
    words = ", ".join(f"{old} as {new}" for old, new in mapping.items())
    draft.add_sentence(f"Map the fields to their new names and leave out all others: {words}.")
    noun = f"{item.noun}, with only the fields {words}"
    return _make(draft, item, "integration_mapper", {"data": item.data, "mapping": mapping}, noun)


def analyze(draft: Draft, item: Item) -> Item:
    field = draft.pick(item.numeric_fields())
    draft.add_sentence(f"Compute the statistics of {field}.")
    arguments = {"data": item.data, "field": field}
    return draft.make(Call("computation_analyzer", arguments), f"the statistics of {field} in {item.noun}")


def forecast(draft: Draft, item: Item) -> Item:
    field, periods = draft.pick(item.numeric_fields()), draft.rng.randint(2, 6)
    draft.add_sentence(f"Predict {field} for the next {periods} periods by its linear trend.")
    arguments = {"data": item.data, "field": field, "periods": periods}
    noun = f"the linear forecast of {field} for {periods} periods from {item.noun}"
    return draft.make(Call("computation_predictor", arguments), noun)


def simulate_growth(draft: Draft, item: Item) -> Item:
    field, periods = draft.pick(item.numeric_fields()), draft.rng.randint(2, 6)
    rate = draft.rng.randint(1, 15)
    draft.add_sentence(f"Simulate the total of {field} growing by {rate} percent a period, for {periods} periods.")
    arguments = {"data": item.data, "field": field, "rate_percent": rate, "periods": periods}
    noun = f"the simulated growth of the total {field} (by {rate} percent, {periods} periods) of {item.noun}"
    return draft.make(Call("computation_simulator", arguments), noun)


def choose_best(draft: Draft, item: Item) -> Item:
    """Choose the rows with the highest total value within a budget."""
    fields = item.numeric_fields()
    if len(fields) < 2:
        raise RejectedError("a value and a cost are needed")
    value, cost = draft.rng.sample(fields, 2)
    budget = int(sum(row[cost] for row in item.rows) * draft.pick((0.3, 0.4, 0.5)))
    draft.add_sentence(f"Choose the rows with the highest total {value} whose total {cost} is at most {budget}.")
    arguments = {"data": item.data, "value_field": value, "cost_field": cost, "budget": budget}
    noun = f"the best choice (highest total {value}, total {cost} at most {budget}) of {item.noun}"
    return _make(draft, item, "computation_optimizer", arguments, noun)


def convert(draft: Draft, item: Item, to: str) -> Item:
    """Convert a table or a text to another format; `to` is `csv`, `json` or `lines`."""
    draft.add_sentence(f"Convert it to {to.upper()}.", is_mechanical=True)
    arguments = {"data": item.data, "to": to}
    noun = item.noun
    return draft.make(Call("file_operations_converter", arguments), noun, is_ordered=item.is_ordered)


def compress(draft: Draft, item: Item) -> Item:
    method, words = draft.pick((("run_length", "run-length"), ("dedupe_lines", "dedupe-lines")))
    draft.add_sentence(f"Compress it by the {words} method.")
    arguments = {"data": item.data, "method": method}
    return draft.make(Call("file_operations_compressor", arguments), f"{item.noun}, compressed ({words} method)")


_FUNCTIONS = {"sum": "total", "mean": "average", "min": "smallest", "max": "largest"}


def _factor(draft: Draft) -> int:
    return draft.rng.randint(2, 9)


def _make(draft: Draft, item: Item, tool: str, arguments: dict[str, Json], noun: str) -> Item:
    """Make a table from a table; a sorted one stays sorted."""
    return draft.make(Call(tool, arguments), noun, is_ordered=item.is_ordered)
