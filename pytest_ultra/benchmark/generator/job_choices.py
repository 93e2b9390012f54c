"""The choices of one job that several of its parts depend on."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Measure, Table
from pytest_ultra.benchmark.generator.data_notes import DataNotes, draw_mark, draw_states
from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.benchmark.generator.shapes import Shape

REVISION = "revision"
STATE = "entry_state"
"""Fields that a table gets where revisions, or states of entries, decide something."""


class Job:
    """A job's draft, shape and table, which of its fields are dirty and how, and the notes on them."""

    def __init__(self, draft: Draft, shape: Shape, table: Table) -> None:
        self.draft = draft
        self.shape = shape
        self.table = table
        names = [category.name for category in table.categories]
        self.dirty_category = draft.pick(names)
        self.typed_category = draft.pick([name for name in names if name != self.dirty_category])
        others = [measure for measure in table.measures if measure.other_unit]
        is_stated = shape.has("unit") or draft.rng.random() < 0.5
        self.unit: Measure | None = draft.pick(others) if others and is_stated else None
        taken = {self.dirty_category, self.typed_category, self.unit.name if self.unit else ""}
        if shape.has("total"):  # its row has no categories, and must not be left out for that
            taken |= set(names)
        names += [measure.name for measure in table.measures]
        self.blank_field = draft.pick([name for name in names if name not in taken])
        self.states = draw_states(draft.rng)
        self.mark = draw_mark(draft.rng, table, self.blank_field)
        self.total_name = draft.rng.choice(("TOTAL", "SUM", "ALL"))
        self.notes = DataNotes(draft.rng)

    @property
    def is_blank_cut(self) -> bool:
        return self.shape.has("require") or self.shape.has("mark")
