"""Intermediate results of a job, with what the words call them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call, reference

MIN_ROWS = 3


class Item(msgspec.Struct, frozen=True):
    """The result of a step: its milestone's number from 1 and its value.

    `plural` and `singular` name its rows. `phrases` maps each field to what a person calls it, `units` each numeric
    field to its unit (empty without one). `totals` are the fields of which a total makes sense. `focus` are the fields
    that an earlier step changed, and that a result should be about; `cut` are those by which rows were left out.
    `parent_measures` are numeric fields of the parent rows: they can be filtered by, and no result is about them, since
    a parent recurs in many rows. `is_reordered`: a step has sorted the rows as a means to an end, so that no result may
    depend on their order.
    """

    number: int
    value: Json
    plural: str
    singular: str
    key: str
    categories: tuple[str, ...]
    measures: tuple[str, ...]
    date: str
    phrases: dict[str, str]
    units: dict[str, str]
    totals: tuple[str, ...]
    focus: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    parent_measures: tuple[str, ...] = ()
    is_ordered: bool = False
    is_reordered: bool = False

    @property
    def rows(self) -> list[Row]:
        rows: list[Row] = self.value
        return rows

    @property
    def data(self) -> str:
        """The argument that refers to this item."""
        return reference(self.number)

    def call(self, tool: str, **arguments: Json) -> Call:
        return Call(tool, {"data": self.data, **arguments})

    def prefer_focus(self, fields: Sequence[str]) -> list[str]:
        """Return those of the fields that are in the focus; all of them if none is."""
        return [name for name in fields if name in self.focus] or list(fields)

    def values_of(self, field: str) -> list[Json]:
        """Return the distinct values of a field, sorted, without blanks."""
        return sorted({row[field] for row in self.rows if row.get(field) not in (None, "")})

    def is_unique(self, field: str) -> bool:
        return len({row[field] for row in self.rows}) == len(self.rows)
