"""Notes on data: what the data catalogue notes on datasets, and the data dictionary on fields."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from pytest_ultra.benchmark.generator.business.records import Table
from pytest_ultra.benchmark.generator.datasets import Dataset
from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.levels import Level
from pytest_ultra.benchmark.generator.periods import Period
from pytest_ultra.benchmark.generator.rows import category_of
from pytest_ultra.benchmark.generator.setting import CATALOGUE, DICTIONARY
from pytest_ultra.benchmark.generator.sources import Source
from pytest_ultra.core.json_types import Json

_USUAL_STATES = ("booked", "final", "checked")
_OTHER_STATES = ("void", "trial", "provisional", "training", "disputed")
_MARKS = (99, 999, 9999, 99999, 999999)
_TEXT_MARKS = ("n/a", "none", "unknown", "-")


def draw_states(rng: Random) -> tuple[str, str, str]:
    """Draw the usual state of an entry, the one that does not count, and one that looks as if it did not."""
    first, second = rng.sample(_OTHER_STATES, 2)
    return rng.choice(_USUAL_STATES), first, second


def draw_mark(rng: Random, table: Table, field: str) -> Json:
    """Draw a mark for a missing value, which no entry has as its value."""
    measures = [measure for measure in table.measures if measure.name == field]
    if measures:
        return rng.choice((-1, next(mark for mark in _MARKS if mark > measures[0].high)))
    category = category_of(table, field)
    values = category.values if category else ()
    return rng.choice([mark for mark in _TEXT_MARKS if mark not in values])


class DataNotes:
    """The notes on the dataset and the fields of a job. What has none that decides gets one that decides nothing."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._of_dataset: list[str] = []
        self._of_versions: list[str] = []
        self._of_fields: dict[tuple[str, str], str] = {}

    def note_dataset(self, text: str) -> None:
        self._of_dataset.append(text)

    def note_versions(self, text: str) -> None:
        """Note something on the other versions of the same data."""
        self._of_versions.append(text)

    def note_field(self, table: Table, field: str, text: str) -> None:
        self._of_fields[table.name, field] = text

    def note_strays(self, period: Period) -> None:
        kind = "week" if period.is_week else "month"
        begin = " (weeks begin on Monday)" if period.is_week else ""
        text = f"Holds late entries from before the {kind}{begin}, which belong to the last report and do not count."
        self.note_dataset(text)
        self.note_versions(text)

    def say(self, draft: Draft) -> None:
        """Say that the notes hold, where the level has notes at all."""
        if draft.level.has_notes:
            draft.say(Kind.RULE, _HOLD, catalogue=CATALOGUE, dictionary=DICTIONARY)

    def of_datasets(self, datasets: Sequence[Dataset], source: Source, level: Level) -> dict[str, str] | None:
        """Return the note on each dataset, by the id of the set; None where the level has no notes."""
        if not level.has_notes:
            return None
        versions = {sibling.set_id for sibling in source.siblings if sibling.period == source.dataset.period}
        notes = {}
        for dataset in datasets:
            is_it, is_version = dataset.set_id == source.dataset.set_id, dataset.set_id in versions
            texts = self._of_dataset if is_it else self._of_versions if is_version else []
            notes[dataset.set_id] = " ".join(texts) or self._rng.choice(_HARMLESS)
        return notes

    def of_field(self, table: Table, field: str) -> str:
        """Return the note on a field."""
        known = self._of_fields.get((table.name, field))
        if known is None and category_of(table, field):
            return self._rng.choice(("", "", "entered once"))
        return known or self._rng.choice(("", "", "entered once", "checked by a second person"))


_HOLD = (
    "What the {catalogue} and the {dictionary} note on these data holds.",
    "The notes on these data in the {catalogue} and the {dictionary} hold here, too.",
    "Mind what is noted on these data in the {catalogue} and the {dictionary}; it holds.",
)
_HARMLESS = (
    "Exported every night.",
    "Kept for ten years.",
    "Copied from the system that the owner works with.",
    "Rows stand in the order in which they were entered.",
    "Checked by the owner before it was put here.",
    "Dates are those of the day on which something happened, not of its entry.",
)
