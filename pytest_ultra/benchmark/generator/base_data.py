"""The data that all results of a job come from: made dirty, put into the world, cleaned, joined and selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_ultra.benchmark.generator import cleaning, rows, selection
from pytest_ultra.benchmark.generator.business.records import Table
from pytest_ultra.benchmark.generator.datasets import Dataset, PlaceKind, add_catalogue, place_dataset
from pytest_ultra.benchmark.generator.dirt import DUPLICATES, make_dirty
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_choices import REVISION, STATE, Job
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.periods import long_before, neighbours
from pytest_ultra.benchmark.generator.policies import apply_policy
from pytest_ultra.benchmark.generator.shapes import Shape
from pytest_ultra.benchmark.generator.sources import Source, open_source, place_source
from pytest_ultra.benchmark.generator.worked_out_rules import apply_one
from pytest_ultra.core.json_types import Json, Row


def make_base(job: Job) -> Item:
    """Get the data, apply the rules to them and select."""
    draft, shape, table = job.draft, job.shape, job.table
    parents = _draw_parents(job)
    keys: list[Json] = [row[draft.setting.business.parent.key] for row in parents] if table.parent else []
    drawn = rows.draw_rows(table, draft.rng, _draw_size(draft), draft.setting.period, keys)
    kept_parents = parents[: len(parents) - len(parents) // 6] if shape.parent_kind else parents
    source = place_source(draft, table, shape.kind, make_dirty(job, drawn), keys)
    item = open_source(draft, source, make_item(table, is_exact=draft.level.is_exact))
    stored = item
    if job.is_blank_cut and not draft.level.is_exact:
        draft.stored_gaps = (item, job.blank_field, job.mark if shape.has("mark") else None)
    for name in shape.cleaning:
        item = _CLEANING[name](job, item)
    if job.unit is not None and not draft.level.is_exact:
        cleaning.say_unit(draft, item, job.unit)
    sources = [source]
    if shape.parent_kind is not None:
        item, parent_source = _join_parents(job, item, kept_parents, shape.parent_kind)
        sources.append(parent_source)
    used = _select(job, item)
    for name in shape.worked_out:
        used = apply_one(draft, used, name, stored)
    job.notes.say(draft)
    if not draft.level.is_exact:
        datasets = [*(dataset for one in sources for dataset in one.all), *_others(job, shape)]
        add_catalogue(draft, datasets, job.notes.of_datasets(datasets, source, draft.level))
    return used


def _draw_size(draft: Draft) -> int:
    """Return how many rows a table has before some are repeated; large sizes are rare."""
    least, most = draft.level.rows
    if draft.level.dirt:
        most = int(most / (1 + 3 * DUPLICATES))
    return least + int((most - least) * draft.rng.random() ** (6 if most > 1000 else 2))


def _draw_parents(job: Job) -> list[Row]:
    """Draw the rows of the parent table, which are some years older than those of the others."""
    draft, parent = job.draft, job.draft.setting.business.parent
    count = 30 if job.shape.parent_kind else 8
    return rows.draw_rows(parent, draft.rng, count, long_before(draft.setting.period))


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


def _normalize(job: Job, item: Item) -> Item:
    return cleaning.normalize(job.draft, item, job.dirty_category)


def _typed(job: Job, item: Item) -> Item:
    job.notes.note_field(job.table, job.typed_category, "typed by hand")
    cleaning.say_typed_by_hand(job.draft, item)
    return cleaning.normalize_as_noted(job.draft, item, job.typed_category)


def _deduplicate(job: Job, item: Item) -> Item:
    return cleaning.deduplicate(job.draft, item)


def _latest(job: Job, item: Item) -> Item:
    return cleaning.keep_latest(job.draft, item, REVISION)


def _require(job: Job, item: Item) -> Item:
    return cleaning.require(job.draft, item, job.blank_field)


def _mark(job: Job, item: Item) -> Item:
    job.notes.note_field(job.table, job.blank_field, f"{job.mark} stands for no value")
    is_said = job.shape.has("require")
    return cleaning.drop_marked(job.draft, item, job.blank_field, job.mark, is_said=is_said)


def _state(job: Job, item: Item) -> Item:
    job.notes.note_dataset(f"Entries whose {STATE} is {job.states[1]} do not count; all others do.")
    job.notes.note_versions(f"Entries whose {STATE} is {job.states[2]} do not count; all others do.")
    return cleaning.drop_state(job.draft, item, STATE, job.states[1], job.states[2])


def _strays(job: Job, item: Item) -> Item:
    job.notes.note_strays(job.draft.setting.period)
    return cleaning.drop_strays(job.draft, item)


def _total(job: Job, item: Item) -> Item:
    job.notes.note_dataset("The last row is the total of the rows above it.")
    job.notes.note_versions("The last row is the total of the rows above it.")
    return cleaning.drop_total(job.draft, item, job.total_name)


def _padding(job: Job, item: Item) -> Item:
    job.notes.note_field(job.table, job.table.parent, "spaces around it mean nothing and are to be taken away")
    return cleaning.trim_key(job.draft, item, job.table.parent)


def _convert(job: Job, item: Item) -> Item:
    if job.unit is None:
        raise RejectedError("no measure with another unit")
    return cleaning.convert_unit(job.draft, item, job.unit)


_CLEANING: Mapping[str, Callable[[Job, Item], Item]] = {
    "total": _total,
    "normalize": _normalize,
    "typed": _typed,
    "deduplicate": _deduplicate,
    "latest": _latest,
    "strays": _strays,
    "state": _state,
    "require": _require,
    "mark": _mark,
    "unit": _convert,
    "padding": _padding,
}


def _join_parents(job: Job, item: Item, parents: list[Row], kind: PlaceKind) -> tuple[Item, Source]:
    draft, parent = job.draft, job.draft.setting.business.parent
    source = place_source(draft, parent, kind, parents, [], change=0.8)
    parent_item = open_source(draft, source, make_item(parent, is_exact=draft.level.is_exact))
    return selection.join(draft, item, parent_item, job.table), source


def _select(job: Job, item: Item) -> Item:
    """Apply the policy and the filters of the words, each on another field."""
    draft, shape = job.draft, job.shape
    free = _order_categories(job, item)
    measures = [name for name in (*item.measures, *item.parent_measures) if name != job.blank_field]
    draft.rng.shuffle(measures)
    if shape.excludes or shape.limits:
        excluded = draft.pick(_dirty_categories(job) or free) if shape.excludes else None
        limited = draft.pick([name for name in measures if name in item.measures]) if shape.limits else None
        item = apply_policy(draft, item, excluded, limited)
        free = [name for name in free if name != excluded]
        measures = [name for name in measures if name != limited]
    for name in shape.selection:
        item = _apply(draft, name, item, free, measures)
    return item


def _dirty_categories(job: Job) -> list[str]:
    """Return the category that has to be written in one way before rows are left out by it."""
    if job.shape.has("normalize"):
        return [job.dirty_category]
    return [job.typed_category] if job.shape.has("typed") else []


def _order_categories(job: Job, item: Item) -> list[str]:
    """Order the categories to filter by: one of the parents, so that the join is needed, then what is dirty."""
    free = [name for name in item.categories if name != job.blank_field]
    if job.shape.has("typed"):
        free.sort(key=lambda name: name != job.typed_category)
    if job.shape.has("normalize"):
        free.sort(key=lambda name: name != job.dirty_category)
    of_parents = [name for name in free if rows.category_of(job.table, name) is None]
    return of_parents[:1] + [name for name in free if name not in of_parents[:1]]


def _apply(draft: Draft, name: str, item: Item, free: list[str], measures: list[str]) -> Item:
    """Apply one filter; take its field from those that are free."""
    if name == "dates":
        return selection.keep_dates(draft, item)
    if name == "measure" or not free:
        return selection.keep_measure(draft, item, _take(measures))
    return _SELECTIONS[name](draft, item, _take(free))


def _take(fields: list[str]) -> str:
    if not fields:
        raise RejectedError("no field left to filter by")
    return fields.pop(0)


_SELECTIONS: Mapping[str, Callable[[Draft, Item, str], Item]] = {
    "category": selection.keep_category,
    "some_categories": selection.keep_some_categories,
    "exclude": selection.exclude_category,
}


def _others(job: Job, shape: Shape) -> list[Dataset]:
    """Add some datasets that the job is not about, for the catalogue."""
    draft = job.draft
    tables = [table for table in draft.setting.business.tables if table.name != job.table.name]
    period = draft.setting.period
    placed = []
    for table in tables:
        for when in (period, neighbours(period)[0]):
            drawn = rows.draw_rows(table, draft.rng, draft.rng.randint(8, 14), when)
            placed.append(place_dataset(draft, table, when, shape.kind, drawn))
    return placed
