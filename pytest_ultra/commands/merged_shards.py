"""Proves that runs are all shards of one run, and that together they planned each of its cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from pytest_ultra.commands.merged_run import Part
from pytest_ultra.reporting.text import count
from pytest_ultra.storage.run_description import ShardRecord

Shard = tuple[Part, ShardRecord]


def find_shard_problems(parts: Sequence[Part]) -> list[str]:
    """Return why the shards among the parts are not shown to be a whole; nothing if there are none.

    Jobs may run the shards of several matrices, such as one for each model. That no case is in two runs has been
    checked before.
    """
    groups = _group(parts)
    missing = [problem for group in groups if (problem := _find_missing(group))]
    if missing and (different := _find_difference(groups)):
        missing = [different, *missing]
    return [*missing, *(problem for group in groups for problem in _find_selections(group))]


def missing_shards(parts: Sequence[Part]) -> str:
    """Return which shards are missing, as in `shards 2 and 3 of 4`; empty if none is."""
    return "; ".join(filter(None, map(_name_missing, _group(parts))))


def _group(parts: Sequence[Part]) -> list[list[Shard]]:
    """Return the shards among the parts by the run that they are of, in the order of their numbers."""
    shards = [(part, part.shard) for part in parts if part.shard is not None]
    return [list(group) for _, group in groupby(sorted(shards, key=_order), key=_division)]


def _division(shard: Shard) -> tuple[str, int, str]:
    record = shard[1]
    return record.matrix, record.of, record.durations or ""


def _order(shard: Shard) -> tuple[tuple[str, int, str], int]:
    return _division(shard), shard[1].number


def _name_missing(group: Sequence[Shard]) -> str:
    of = group[0][1].of
    numbers = sorted(set(range(1, of + 1)) - {record.number for _, record in group})
    if not numbers:
        return ""
    *others, last = map(str, numbers)
    return f"shards {', '.join(others)} and {last} of {of}" if others else f"shard {last} of {of}"


def _find_missing(group: Sequence[Shard]) -> str | None:
    missing = _name_missing(group)
    if not missing:
        return None
    record, found = group[0][1], sum(record.cases for _, record in group)
    verb = "are" if missing.startswith("shards") else "is"
    return (
        f"{missing} {verb} missing, with {record.all_cases - found:,} of {count(record.all_cases, 'case')} (found: "
        f"{', '.join(f'{record.number} in {part.run.run_id}' for part, record in group)})"
    )


def _find_difference(groups: Sequence[Sequence[Shard]]) -> str | None:
    """Return how two incomplete groups differ that may have been meant as one; None if there is only one."""
    (one, a), *others = [group[0] for group in groups if _name_missing(group)]
    for other, b in others:
        if a.of != b.of:
            what = f"{one.run.run_id} is one of {count(a.of, 'shard')}, {other.run.run_id} of {b.of:,}"
        elif a.matrix != b.matrix:
            what = f"{_size(one, a)}, {_size(other, b)}, not all of them the same"
        else:
            what = f"{one.run.run_id} and {other.run.run_id} were divided by different --ultra-durations"
        return f"the shards are not of one run: {what}"
    return None


def _size(part: Part, record: ShardRecord) -> str:
    return f"{part.run.run_id} is of {count(record.all_cases, 'case')}"


def _find_selections(group: Sequence[Shard]) -> Iterator[str]:
    """Yield what is wrong with the cases that were left out of the shards of one run, as by `-k`."""
    narrowed = [(part, record) for part, record in group if len(part.plan.nodeids) != record.cases]
    if not narrowed:
        return
    first, a = group[0]
    for other, b in group[1:]:
        if a.selection != b.selection:
            yield (
                f"the shards have different selections: {_selection(a)} in {first.run.run_id} and {_selection(b)} in "
                f"{other.run.run_id}"
            )
            return
    if not a.selection:
        for part, record in narrowed:
            yield (
                f"the run {part.run.run_id} planned {len(part.plan.nodeids):,} of the {count(record.cases, 'case')} of "
                f"shard {record.number} of {record.of}, and no -k, -m, --deselect or node id says which"
            )


def _selection(record: ShardRecord) -> str:
    return " ".join(record.selection) or "no -k, -m or --deselect"
