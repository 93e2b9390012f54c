"""A job: data with their dirt, rules, a selection, results and deliveries, put together in the draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_ultra.benchmark.generator import cleaning, selection
from pytest_ultra.benchmark.generator.business.records import Measure, Table
from pytest_ultra.benchmark.generator.conditions import hand_over_if, send_also_if
from pytest_ultra.benchmark.generator.datasets import Dataset, PlaceKind, add_catalogue, place_dataset
from pytest_ultra.benchmark.generator.deliveries import add_directory, draw_places, hand_over, route
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_results import RESULTS
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.levels import Condition, Naming
from pytest_ultra.benchmark.generator.periods import neighbours
from pytest_ultra.benchmark.generator.policies import apply_policy
from pytest_ultra.benchmark.generator.rows import (
    blank,
    category_of,
    draw_rows,
    duplicate,
    misspell,
    store_in_other_unit,
)
from pytest_ultra.benchmark.generator.setting import DICTIONARY
from pytest_ultra.benchmark.generator.shapes import ANSWER, ROUTE, Part, Shape, draw_shape, possible_results
from pytest_ultra.benchmark.generator.sources import Source, open_source, place_source
from pytest_ultra.benchmark.generator.surveys import fill_survey
from pytest_ultra.benchmark.goal import unwrap
from pytest_ultra.core.axes import TaskType
from pytest_ultra.core.json_types import Json, Row

DUPLICATES = 0.15
"""The share of the rows that are repeated, where some are."""


class _Job:
    """The choices of one job that several of its parts depend on."""

    def __init__(self, draft: Draft, shape: Shape, table: Table) -> None:
        self.draft = draft
        self.shape = shape
        self.table = table
        self.dirty_category = draft.pick(table.categories).name
        others = [measure for measure in table.measures if measure.other_unit]
        is_stated = "unit" in shape.cleaning or draft.rng.random() < 0.5
        self.unit: Measure | None = draft.pick(others) if others and is_stated else None
        taken = (self.dirty_category, self.unit.name if self.unit else "")
        names = [category.name for category in table.categories] + [measure.name for measure in table.measures]
        self.blank_field = draft.pick([name for name in names if name not in taken])


def fill_draft(draft: Draft, task_type: TaskType) -> None:
    """Draw a job of this type into the draft; reject a draw that turns out badly."""
    is_short = task_type in (TaskType.SIMPLE_TASK, TaskType.BASIC_TASK)
    if draft.level.is_exact and is_short and draft.rng.random() < 0.25:
        fill_survey(draft, task_type)
        return
    tables = draft.setting.business.tables
    table = draft.pick([table for table in tables if table.parent] if draft.level.is_joined else tables)
    has_units = any(measure.other_unit for measure in table.measures)
    shape = draw_shape(draft.rng, draft.level, task_type, has_units=has_units)
    job = _Job(draft, shape, table)
    if draft.level.naming is Naming.SEVERAL_LOOK_UPS:
        draft.setting.move_work()
    services = draft.setting.business.services
    draft.add_to_world(credentials=dict.fromkeys(services.values(), f"{draft.setting.business.host}-reporting"))
    if task_type is TaskType.API_INTEGRATION:
        others = [service for service in services.values() if service != services[table.name]]
        draft.setting.sink_service = draft.pick(others) if shape.has_second_session else services[table.name]
    if not draft.level.is_exact:
        draft.say(Kind.OPENING, _OPENINGS, occasion=draft.pick(draft.setting.business.occasions))
    base = _make_base(job)
    for part in shape.parts:
        draft.text.begin_part()
        _make_part(draft, base, part, is_guarded=task_type is TaskType.API_INTEGRATION)
    _add_documents(job)


_OPENINGS = (
    "This is for {occasion}.",
    "We are getting ready for {occasion}.",
    "For {occasion}, the following is needed.",
    "Something is needed for {occasion}.",
)


def _make_base(job: _Job) -> Item:
    """Get the data, apply the rules to them and select."""
    draft, shape, table = job.draft, job.shape, job.table
    parents = _draw_parents(job)
    keys: list[Json] = [row[draft.setting.business.parent.key] for row in parents] if table.parent else []
    size = _draw_size(draft)
    rows = draw_rows(table, draft.rng, size, draft.setting.period, keys)
    kept_parents = parents[: len(parents) - len(parents) // 6] if shape.parent_kind else parents
    source = place_source(draft, table, shape.kind, _make_dirty(job, rows), keys)
    item = open_source(draft, source, make_item(table, is_exact=draft.level.is_exact))
    for name in shape.cleaning:
        item = _CLEANING[name](job, item)
    if job.unit is not None and not draft.level.is_exact:
        cleaning.say_unit(draft, item, job.unit)
    sources = [source]
    if shape.parent_kind is not None:
        item, parent_source = _join_parents(job, item, kept_parents, shape.parent_kind)
        sources.append(parent_source)
    used = _select(job, item)
    if not draft.level.is_exact:
        add_catalogue(draft, [*(dataset for one in sources for dataset in one.all), *_others(job, shape)])
    return used


def _draw_size(draft: Draft) -> int:
    """Return how many rows a table has before some are repeated; large sizes are rare."""
    least, most = draft.level.rows
    if draft.level.dirt:
        most = int(most / (1 + DUPLICATES))
    return least + int((most - least) * draft.rng.random() ** (6 if most > 1000 else 2))


def _draw_parents(job: _Job) -> list[Row]:
    draft, parent = job.draft, job.draft.setting.business.parent
    count = 30 if job.shape.parent_kind else 8
    return draw_rows(parent, draft.rng, count, draft.setting.period)


def _make_dirty(job: _Job, rows: list[Row]) -> list[Row]:
    rng, is_in_preview = job.draft.rng, job.draft.level.is_dirt_in_preview
    kinds = job.shape.cleaning
    if "unit" in kinds and job.unit is not None:
        rows = store_in_other_unit(rows, job.unit)
    if "require" in kinds:
        rows = blank(rows, job.blank_field, rng, 0.1, is_in_preview=is_in_preview)
    if "deduplicate" in kinds:
        rows = duplicate(rows, rng, DUPLICATES, is_in_preview=is_in_preview)
    if "normalize" in kinds:
        rows = misspell(rows, job.dirty_category, rng, 0.3, is_in_preview=is_in_preview)
    return rows


def make_item(table: Table, *, is_exact: bool) -> Item:
    """Return the item for a table that is still to be got; at exact levels, fields are called by their names."""
    phrases = {category.name: category.phrase for category in table.categories}
    phrases |= {measure.name: measure.phrase for measure in table.measures}
    named = {name: name if is_exact else phrase for name, phrase in phrases.items()}
    others = [table.key, table.date, *([table.parent] if table.parent else [])]
    return Item(
        number=0,
        value=None,
        plural=table.plural,
        singular=table.singular,
        key=table.key,
        categories=tuple(category.name for category in table.categories),
        measures=tuple(measure.name for measure in table.measures),
        date=table.date,
        phrases=named | {name: name for name in others},
        units={measure.name: "" if is_exact else measure.unit for measure in table.measures},
        totals=tuple(measure.name for measure in table.measures if measure.is_additive),
    )


def _normalize(job: _Job, item: Item) -> Item:
    return cleaning.normalize(job.draft, item, job.dirty_category)


def _deduplicate(job: _Job, item: Item) -> Item:
    return cleaning.deduplicate(job.draft, item)


def _require(job: _Job, item: Item) -> Item:
    return cleaning.require(job.draft, item, job.blank_field)


def _convert(job: _Job, item: Item) -> Item:
    if job.unit is None:
        raise RejectedError("no measure with another unit")
    return cleaning.convert_unit(job.draft, item, job.unit)


_CLEANING: Mapping[str, Callable[[_Job, Item], Item]] = {
    "normalize": _normalize,
    "deduplicate": _deduplicate,
    "require": _require,
    "unit": _convert,
}


def _join_parents(job: _Job, item: Item, parents: list[Row], kind: PlaceKind) -> tuple[Item, Source]:
    draft, parent = job.draft, job.draft.setting.business.parent
    source = place_source(draft, parent, kind, parents, [], change=0.8)
    parent_item = open_source(draft, source, make_item(parent, is_exact=draft.level.is_exact))
    return selection.join(draft, item, parent_item, job.table), source


def _select(job: _Job, item: Item) -> Item:
    """Apply the policy and the filters of the words, each on another field."""
    draft, shape = job.draft, job.shape
    free = [name for name in item.categories if name != job.blank_field]
    if "normalize" in shape.cleaning:
        free.sort(key=lambda name: name != job.dirty_category)
    if shape.parent_kind:  # the parents' fields first, so that the join is needed
        free.sort(key=lambda name: category_of(job.table, name) is not None)
    measures = [name for name in item.measures if name != job.blank_field]
    draft.rng.shuffle(measures)
    if shape.excludes or shape.limits:
        is_dirty = "normalize" in shape.cleaning
        excluded = draft.pick([job.dirty_category] if is_dirty else free) if shape.excludes else None
        limited = draft.pick(measures) if shape.limits else None
        item = apply_policy(draft, item, excluded, limited)
        free = [name for name in free if name != excluded]
        measures = [name for name in measures if name != limited]
    for name in shape.selection:
        item = _apply(draft, name, item, free, measures)
    return item


def _apply(draft: Draft, name: str, item: Item, free: list[str], measures: list[str]) -> Item:
    """Apply one filter; take its field from those that are free."""
    if name == "dates":
        return selection.keep_dates(draft, item)
    fields = measures if name == "measure" else free
    if not fields:
        return selection.keep_dates(draft, item)
    return _SELECTIONS[name](draft, item, fields.pop(0))


_SELECTIONS: Mapping[str, Callable[[Draft, Item, str], Item]] = {
    "category": selection.keep_category,
    "some_categories": selection.keep_some_categories,
    "exclude": selection.exclude_category,
    "measure": selection.keep_measure,
}


def _make_part(draft: Draft, base: Item, part: Part, *, is_guarded: bool) -> None:
    item = _make_result(draft, base, part)
    if part.place == ROUTE:
        route(draft, item, draft.setting.sink_service if is_guarded else "")
        return
    if part.place == ANSWER:
        _answer(draft, item)
        return
    if part.place == "csv_file":
        item = draft.make(item.call("file_operations_converter", to="csv"), item)
    service = draft.setting.sink_service if is_guarded else ""
    count = {Condition.NONE: 1, Condition.STATED_FACT: 2, Condition.FIGURE: 2}.get(part.condition, 3)
    places = draw_places(draft, part.place, count, service=service)
    if part.condition is Condition.NONE:
        draft.say(Kind.DELIVERY, _DELIVERED, request=places[0].request)
        hand_over(draft, item, places[0])
    else:
        hand_over_if(draft, item, base, places, part.condition)
    if part.is_sent_too:
        kind = draft.pick([kind for kind in ("mailbox", "queue") if kind != part.place])
        send_also_if(draft, item, base, draw_places(draft, kind, 1)[0])


def _make_result(draft: Draft, base: Item, part: Part) -> Item:
    """Make the result, or another one with as many steps if the data do not allow it."""
    names = [name for name in possible_results(part.place) if RESULTS[name].steps == RESULTS[part.result].steps]
    draft.rng.shuffle(names)
    for name in [part.result, *names]:
        made, kept = len(draft.milestones), list(draft.text.parts[-1])
        try:
            return RESULTS[name].make(draft, base)
        except RejectedError:
            if len(draft.milestones) > made:
                raise
            draft.text.parts[-1] = kept
    raise RejectedError("no result is possible")


_DELIVERED = ("{request}.", "Then {request}.", "Finally, {request}.")


def _answer(draft: Draft, item: Item) -> None:
    value = unwrap(item.value)
    if isinstance(value, list | dict):
        raise RejectedError("more than one value")
    draft.say(Kind.DELIVERY, _ANSWERED)
    draft.answer(item, value)


_ANSWERED = (
    "Answer with that figure, rounded to two decimals if it is not whole.",
    "Give that figure as your answer, to two decimals if it is not whole.",
)


def _others(job: _Job, shape: Shape) -> list[Dataset]:
    """Add some datasets that the job is not about, for the catalogue."""
    draft = job.draft
    tables = [table for table in draft.setting.business.tables if table.name != job.table.name]
    period = draft.setting.period
    placed = []
    for table in tables:
        for when in (period, neighbours(period)[0]):
            rows = draw_rows(table, draft.rng, draft.rng.randint(8, 14), when)
            placed.append(place_dataset(draft, table, when, shape.kind, rows))
    return placed


def _add_documents(job: _Job) -> None:
    """Add the data dictionary, and from `medium` on the directory."""
    draft = job.draft
    if draft.level.is_exact:
        return
    add_directory(draft)
    tables = [draft.setting.business.parent, *draft.setting.business.tables]
    stored = job.unit.name if job.unit is not None and "unit" in job.shape.cleaning else ""
    rows: list[Json] = []
    for table in tables:
        for measure in table.measures:
            is_other = table.name == job.table.name and measure.name == stored
            unit = measure.other_unit if is_other else measure.unit
            rows.append({"table": table.name, "field": measure.name, "meaning": measure.phrase, "unit": unit})
    draft.add_to_world(topics={DICTIONARY: rows})
