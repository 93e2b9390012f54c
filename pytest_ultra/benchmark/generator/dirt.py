"""Dirt: what is wrong with the data as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_ultra.benchmark.generator import rows
from pytest_ultra.benchmark.generator.job_choices import REVISION, STATE, Job
from pytest_ultra.core.json_types import Row

DUPLICATES = 0.15
"""The share of the rows that are repeated, where some are."""


def make_dirty(job: Job, drawn: list[Row]) -> list[Row]:
    """Apply the kinds of dirt, those that copy rows before those that change cells one by one."""
    for name, make_dirty in _DIRT.items():
        if job.shape.has(name):
            drawn = make_dirty(job, drawn)
    return drawn


def _store(job: Job, drawn: list[Row]) -> list[Row]:
    return rows.store_in_other_unit(drawn, job.unit) if job.unit is not None else drawn


def _add_states(job: Job, drawn: list[Row]) -> list[Row]:
    return rows.add_states(drawn, STATE, job.states, job.draft.rng, 0.3)


def _add_strays(job: Job, drawn: list[Row]) -> list[Row]:
    return rows.add_strays(drawn, job.table.date, job.draft.setting.period, job.draft.rng, 0.15)


def _blank(job: Job, drawn: list[Row]) -> list[Row]:
    draft = job.draft
    return rows.blank(drawn, job.blank_field, draft.rng, 0.1, is_in_preview=draft.level.is_dirt_in_preview)


def _mark_missing(job: Job, drawn: list[Row]) -> list[Row]:
    return rows.mark_missing(drawn, job.blank_field, job.mark, job.draft.rng, 0.15)


def _duplicate(job: Job, drawn: list[Row]) -> list[Row]:
    draft = job.draft
    return rows.duplicate(drawn, draft.rng, DUPLICATES, is_in_preview=draft.level.is_dirt_in_preview)


def _add_revisions(job: Job, drawn: list[Row]) -> list[Row]:
    fixed = [job.blank_field] + ([job.unit.name] if job.unit else [])
    return rows.add_revisions(drawn, job.table, REVISION, job.draft.rng, 2 * DUPLICATES, fixed=fixed)


def _misspell(job: Job, drawn: list[Row]) -> list[Row]:
    draft = job.draft
    return rows.misspell(drawn, job.dirty_category, draft.rng, 0.3, is_in_preview=draft.level.is_dirt_in_preview)


def _misspell_typed(job: Job, drawn: list[Row]) -> list[Row]:
    return rows.misspell(drawn, job.typed_category, job.draft.rng, 0.2, is_in_preview=False)


def _pad(job: Job, drawn: list[Row]) -> list[Row]:
    return rows.pad(drawn, job.table.parent, job.draft.rng, 0.2)


def _add_total(job: Job, drawn: list[Row]) -> list[Row]:
    mark = job.mark if job.shape.has("mark") else None
    return rows.add_total(drawn, job.table, job.total_name, mark)


_DIRT: Mapping[str, Callable[[Job, list[Row]], list[Row]]] = {
    "unit": _store,
    "state": _add_states,
    "strays": _add_strays,
    "require": _blank,
    "mark": _mark_missing,
    "deduplicate": _duplicate,
    "latest": _add_revisions,
    "normalize": _misspell,
    "typed": _misspell_typed,
    "padding": _pad,
    "total": _add_total,
}
