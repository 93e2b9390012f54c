"""Caveats in words: what intervals and differences do not show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ultra.core.figures import Row
from pytest_ultra.core.paired_evidence import SMALL_DIFFERENCE, Caveat, PairedDifference
from pytest_ultra.reporting.budget_lines import dollars
from pytest_ultra.reporting.text import count

_MOST_NAMES = 3


def caveat_lines(rows: Sequence[Row], *, is_short: bool = False) -> Iterator[str]:
    """Yield the caveats of all rows, each once; short, without what the table shows."""
    compared = [(row, row.difference) for row in rows if row.difference is not None]
    unpaired = sum(row.unpaired for row in rows)
    if unpaired:
        verbs = ("has", "is") if unpaired == 1 else ("have", "are")
        yield "{} {} no scored control and {} left out of vs optimal".format(count(unpaired, "scored case"), *verbs)
    if not is_short:
        yield from _few_tasks_lines([difference for _, difference in compared])
    yield from _detectable_lines(rows, [difference for _, difference in compared])
    alike = [row for row, d in compared if Caveat.NO_DISCORDANT_PAIRS in d.caveats and d.shown_interval is not None]
    if alike and not is_short:
        where = _where(alike, [row for row, _ in compared])
        yield f"no pair differs in {where}: the intervals show which differences are still possible"
    if any(row.repeats for row in rows):
        yield "tasks are repeated: the interval of success holds for these tasks, not for others like them"


def _few_tasks_lines(differences: Sequence[PairedDifference]) -> Iterator[str]:
    few = [d for d in differences if d.is_too_small]
    if few:
        part = "" if len(few) == len(differences) else f" in {len(few)} of {len(differences)} rows"
        least, most = min(d.tasks for d in few), max(d.tasks for d in few)
        tasks = count(most, "task") if least == most else f"{least} to {most} tasks"
        yield f"vs optimal is based on {tasks} per row{part}: too few to distinguish an effect from chance"
    if any(d.low is None for d in differences):
        yield "a single task gives no interval for vs optimal"


def _detectable_lines(rows: Sequence[Row], differences: Sequence[PairedDifference]) -> Iterator[str]:
    """Yield the smallest differences that would have shown, and, if they are large, what more tasks would show."""
    found = [100 * d.detectable for d in differences if d.detectable is not None]
    if found:
        least, most = f"{min(found):.0f}", f"{max(found):.0f}"
        size = f"{most} points" if least == most else f"{least} to {most} points (by row)"
        yield f"detectable with 80% power: {size}"
    lacking = [d for d in differences if d.detectable is None or d.detectable > SMALL_DIFFERENCE]
    needed = max((d for d in lacking if d.tasks_needed), key=lambda d: (d.tasks_needed or 0) / d.tasks, default=None)
    if needed is not None and needed.tasks_needed is not None:
        tasks = count(needed.tasks_needed, "task")
        price = price_of(rows, needed.tasks_needed / needed.tasks)
        yield f"{tasks} per row, not {needed.tasks:,}, would detect {100 * SMALL_DIFFERENCE:.0f} points{price}"


def price_of(rows: Sequence[Row], factor: float) -> str:
    """Return what these rows would cost with so many times the tasks, if a price is known."""
    costs = [row.mean_cost * row.counts.scored for row in rows if row.mean_cost is not None]
    return f", for about {dollars(factor * sum(costs))}" if sum(costs) else ""


def _where(rows: Sequence[Row], compared: Sequence[Row]) -> str:
    """Name rows by their prompt types if these identify them, else by their number."""
    names = [str(row.prompt_type) for row in compared]
    if len(rows) == len(compared) > 1:
        return "any row"
    if len(rows) > _MOST_NAMES or len(set(names)) < len(names):
        return f"{len(rows)} of {len(compared)} rows"
    return ", ".join(str(row.prompt_type) for row in rows)
