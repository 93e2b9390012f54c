"""Comparison of a value with the wanted one, as a person would compare them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from pytest_ultra.benchmark.canonical import canonical, parse_text
from pytest_ultra.benchmark.number_match import count_decimals, is_same_number
from pytest_ultra.benchmark.spelled_numbers import read_spelled_number
from pytest_ultra.core.json_types import Json

_LARGEST_WHOLE = 2**53  # whole numbers beyond it are no exact floats
_MOST_CANDIDATES = 200
"""Rows that are matched with each other in any order; more are matched in the order of their numbers."""


class Number(msgspec.Struct, frozen=True):
    """A number, and how many decimals it is written with."""

    value: float
    decimals: int


class ValueComparison(msgspec.Struct, frozen=True):
    """How values are compared: the order of lists counts if `is_ordered`; `words` name the units that may be written.

    `precision` is the number of decimals that was asked for, None if none was.
    """

    is_ordered: bool = False
    precision: int | None = None
    words: str = ""

    def is_same(self, wanted: Json, given: Json) -> bool:
        """Return whether the given value is the wanted one.

        Ignored are: the order of an object's keys and, unless it counts, of a list's items; keys without a value;
        whether a value is written as text, JSON or CSV; how a number is spelled and rounded (`is_same_number`).
        """
        if canonical(wanted, is_ordered=self.is_ordered) == canonical(given, is_ordered=self.is_ordered):
            return True
        return self._is_alike(parse_text(wanted), parse_text(given), is_single=True)

    def read_number(self, value: Json) -> Number | None:
        """Return the number that a value is, in any spelling; None if it is something else."""
        if isinstance(value, str):
            found = read_spelled_number(value, self.words)
            return None if found is None else Number(found.value, found.decimals)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        is_exact = abs(value) < _LARGEST_WHOLE if isinstance(value, int) else math.isfinite(value)
        return Number(float(value), count_decimals(float(value))) if is_exact else None

    def _is_alike(self, wanted: Json, given: Json, *, is_single: bool = False) -> bool:
        if isinstance(wanted, dict):
            return isinstance(given, dict) and self._is_same_object(wanted, given, is_single=is_single)
        if isinstance(wanted, list | tuple):
            return isinstance(given, list | tuple) and self._are_same_items(wanted, given, is_single=is_single)
        number = self.read_number(wanted)
        if number is None:
            return canonical(wanted) == canonical(given)
        found = self.read_number(given)
        return found is not None and is_same_number(
            number.value, found.value, decimals=found.decimals, precision=self.precision, is_single=is_single
        )

    def _is_same_object(self, wanted: dict[str, Json], given: dict[str, Json], *, is_single: bool) -> bool:
        ours, theirs = _without_nulls(wanted), _without_nulls(given)
        if ours.keys() != theirs.keys():
            return False
        is_single = is_single and len(ours) == 1
        return all(self._is_alike(parse_text(ours[k]), parse_text(theirs[k]), is_single=is_single) for k in ours)

    def _are_same_items(self, wanted: Sequence[Json], given: Sequence[Json], *, is_single: bool) -> bool:
        if len(wanted) != len(given):
            return False
        is_single = is_single and len(wanted) == 1
        if self.is_ordered or is_single:
            return all(self._is_alike(w, g, is_single=is_single) for w, g in zip(wanted, given, strict=True))
        ours, theirs = _without_common(wanted, given)
        return self._can_be_matched(ours, theirs)

    def _can_be_matched(self, wanted: Sequence[Json], given: Sequence[Json]) -> bool:
        """Return whether the items can be matched one to one: in the order of their numbers, or in any other."""
        by_whole_numbers = sorted(wanted, key=self._sort_key), sorted(given, key=self._sort_key)
        if all(self._is_alike(w, g) for w, g in zip(*by_whole_numbers, strict=True)):
            return True
        return len(wanted) <= _MOST_CANDIDATES and self._has_matching(wanted, given)

    def _has_matching(self, wanted: Sequence[Json], given: Sequence[Json]) -> bool:
        """Return whether a perfect matching exists (H. W. Kuhn, Naval Research Logistics Quarterly 2, 1955)."""
        partners = [[j for j, g in enumerate(given) if self._is_alike(w, g)] for w in wanted]
        taken: dict[int, int] = {}

        def assign(index: int, seen: set[int]) -> bool:
            for j in partners[index]:
                if j not in seen:
                    seen.add(j)
                    if j not in taken or assign(taken[j], seen):
                        taken[j] = index
                        return True
            return False

        return all(partners) and all(assign(index, set()) for index in range(len(wanted)))

    def _sort_key(self, item: Json) -> tuple[str, list[float], list[float]]:
        """Return a key that sorts items by their texts, then their whole numbers, then their other numbers."""
        numbers: list[Number] = []
        texts = self._collect(item, numbers)
        whole = [number.value for number in numbers if number.value.is_integer()]
        return texts, whole, [number.value for number in numbers if not number.value.is_integer()]

    def _collect(self, item: Json, numbers: list[Number]) -> str:
        """Return an item's text with a mark for each number, and append the numbers."""
        if isinstance(item, dict):
            kept = _without_nulls(item)
            return "{" + ",".join(f"{key}:{self._collect(kept[key], numbers)}" for key in sorted(kept)) + "}"
        if isinstance(item, list | tuple):
            return "[" + ",".join(self._collect(inner, numbers) for inner in item) + "]"
        number = self.read_number(item)
        if number is None:
            return canonical(item)
        numbers.append(number)
        return "#"


def _without_nulls(value: dict[str, Json]) -> dict[str, Json]:
    return {key: inner for key, inner in value.items() if inner is not None and inner != ""}


def _without_common(wanted: Iterable[Json], given: Iterable[Json]) -> tuple[list[Json], list[Json]]:
    """Return the items without those that both sides have in the same spelling."""
    ours = [(canonical(item), item) for item in wanted]
    theirs = [(canonical(item), item) for item in given]
    common = Counter(text for text, _ in ours) & Counter(text for text, _ in theirs)
    return _remove(ours, common.copy()), _remove(theirs, common.copy())


def _remove(items: Iterable[tuple[str, Json]], common: Counter[str]) -> list[Json]:
    kept: list[Json] = []
    for text, item in items:
        if common[text] > 0:
            common[text] -= 1
        else:
            kept.append(item)
    return kept
