"""What intervals and differences do not say, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ultra.core.figures import Caveat, PairedDifference, Row
from pytest_ultra.reporting.text import count

_MOST_NAMES = 3


def caveat_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Say once for all rows what must be known of their figures."""
    compared = [(row, row.difference) for row in rows if row.difference is not None]
    unpaired = sum(row.unpaired for row in rows)
    if unpaired:
        verb = "has" if unpaired == 1 else "have"
        yield f"{count(unpaired, 'scored case')} {verb} no scored control, and so no part in vs optimal"
    yield from _tell_few_tasks([difference for _, difference in compared])
    yield from _tell_detectable([difference for _, difference in compared])
    alike = [row for row, difference in compared if Caveat.NO_DISCORDANT_PAIRS in difference.caveats]
    if alike:
        where = _where(alike, [row for row, _ in compared])
        yield f"no pair came out differently in {where}: the intervals say what may still be so"
    if any(Caveat.CLUSTERED in difference.caveats for _, difference in compared):
        yield "p takes the several pairs of a task for independent: where it and the interval part, go by the interval"
    if any(row.repeats for row in rows):
        yield "where tasks are repeated, the interval of success is about these tasks, not about others like them"


def _tell_few_tasks(differences: Sequence[PairedDifference]) -> Iterator[str]:
    few = [d for d in differences if Caveat.FEW_TASKS in d.caveats or d.detectable is None]
    if few:
        part = "" if len(few) == len(differences) else f" in {len(few)} of {len(differences)} rows"
        least, most = min(d.tasks for d in few), max(d.tasks for d in few)
        tasks = count(most, "task") if least == most else f"{least} to {most} tasks"
        yield f"vs optimal rests on {tasks} a row{part}: too few to tell an effect from chance"
    if any(d.low is None for d in differences):
        yield "a single task allows no interval of vs optimal"


def _tell_detectable(differences: Sequence[PairedDifference]) -> Iterator[str]:
    found = [100 * d.detectable for d in differences if d.detectable is not None]
    if found:
        least, most = f"{min(found):.0f}", f"{max(found):.0f}"
        size = f"{most} points" if least == most else f"{least} to {most} points (by row)"
        yield f"so many pairs would show a difference of at least {size} four times out of five"


def _where(rows: Sequence[Row], compared: Sequence[Row]) -> str:
    """Name rows by their prompt types as long as these tell them from the others."""
    names = [str(row.prompt_type) for row in compared]
    if len(rows) == len(compared) > 1:
        return "any row"
    if len(rows) > _MOST_NAMES or len(set(names)) < len(names):
        return f"{len(rows)} of {len(compared)} rows"
    return ", ".join(str(row.prompt_type) for row in rows)
