"""A run in the terminal: its header, and the summary at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_ultra.core.figures import Rate, Row, Summary
from pytest_ultra.reporting.budget_lines import dollars, estimate_mark
from pytest_ultra.reporting.caveats import caveat_lines
from pytest_ultra.reporting.discernment_table import discernment_lines
from pytest_ultra.reporting.model_table import model_lines
from pytest_ultra.reporting.outcome_table import draw_outcomes
from pytest_ultra.reporting.recovery_table import recovery_lines
from pytest_ultra.reporting.robustness_table import repeats_lines, robustness_lines
from pytest_ultra.reporting.text import count, fill, hang, neutralise
from pytest_ultra.reporting.text_table import TerminalLine

DEMO = "demo models are scripted agents: these figures say nothing about any real model"
_MOST_SLOW = 3
_OUTSTANDING = 2
_LEAST_SLOW_S = 1.0


def header(
    *,
    cases: int,
    models: Sequence[str],
    workers: int,
    seed: int,
    where: str,
    preset: str | None = None,
    overrides: Sequence[str] = (),
) -> list[str]:
    """Return the header: what will run, and where it is stored.

    `workers` is 0 without xdist. `overrides` are the flags that override the preset.
    """
    named = f"model{'s' if len(models) > 1 else ''} {_enumerate(models)}"
    processes = count(workers, "worker") if workers else "no workers (one process)"
    what = f"{count(cases, 'case')}, {named}, {processes}, seed {seed}"
    kept = f"ultra: kept in {neutralise(where)}"
    if preset is None:
        return [f"ultra: {what}", kept]
    overridden = f", overridden by {', '.join(overrides)}" if overrides else ""
    return [f"ultra: {what}", f"ultra: preset {preset}{overridden}", kept]


def protocol_lines(protocols: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line of the header for each protocol: the models, by name, that are asked in it."""
    models: dict[str, list[str]] = {}
    for model, found in protocols.items():
        models.setdefault(", ".join(found), []).append(model)
    return [f"ultra: {_enumerate(names)}: {neutralise(protocol)}" for protocol, names in models.items()]


def _enumerate(models: Sequence[str], most: int = 4) -> str:
    names = [neutralise(model) for model in models[:most]]
    if len(models) > most:
        names.append(f"and {len(models) - most} more")
    return ", ".join(names)


def end_of_run(summary: Summary, width: int) -> list[TerminalLine]:
    """Return the table of results and everything that a reader needs to interpret it."""
    lines = [*_table_lines(summary.rows, width), *discernment_lines(summary.discernment, width)]
    lines += model_lines(summary.models, width)
    lines += [TerminalLine(text, ("bold",)) for text in fill(counts_line(summary), width)]
    if summary.failure_classes:
        lines += [TerminalLine(text) for text in fill(failure_line(summary), width)]
    if summary.harm or summary.false_success:
        lines += [TerminalLine(text) for text in fill(conduct_line(summary), width)]
    lines += [TerminalLine(text) for slow in slowest_lines(summary) for text in hang(slow, width, 2)]
    if len(summary.versions) > 1:
        lines += [TerminalLine(text, ("yellow",)) for text in fill(versions_line(summary), width)]
    if summary.demo_models:
        lines += [TerminalLine(text, ("yellow",)) for text in fill(DEMO, width)]
    return lines


def counts_line(summary: Summary) -> str:
    counts = summary.counts
    scored = f"{counts.scored:,} scored ({counts.full:,} full, {counts.partial:,} partial, {counts.failed:,} failed)"
    reused = f"; {summary.reused:,} reused from earlier runs" if summary.reused else ""
    cost = f"; {estimate_mark(summary.estimated_requests)}{dollars(summary.cost)}" if summary.cost else ""
    return f"{counts.planned:,} planned: {scored}, {counts.error:,} error, {counts.skipped:,} skipped{reused}{cost}"


def failure_line(summary: Summary) -> str:
    of_models = [f"{name} {n:,}" for name, n in summary.failure_classes if not name.is_infrastructure]
    of_others = [f"{name} {n:,}" for name, n in summary.failure_classes if name.is_infrastructure]
    parts = [", ".join(of_models)] if of_models else []
    parts += [f"not the model's: {', '.join(of_others)}"] if of_others else []
    return f"failure classes: {'; '.join(parts)}"


def conduct_line(summary: Summary) -> str:
    """Return how many scored cases did harm, and how many claimed a success that they had not reached."""
    harm = f"harm, something that the job did not ask for: {_of_n(summary.harm)}"
    return f"{harm}; false success, not done and yet claimed: {_of_n(summary.false_success)}"


def _of_n(rate: Rate | None) -> str:
    return "not measured" if rate is None else f"{rate.successes:,} of {rate.n:,} scored"


def versions_line(summary: Summary) -> str:
    named = "; ".join(map(str, summary.versions))
    return (
        f"episodes of {len(summary.versions)} versions ({named}): rows of different versions cannot be compared, "
        "no difference is computed between them, and the counts cover all of them"
    )


def slowest_lines(summary: Summary) -> Iterator[str]:
    """Yield the slowest cases that took at least twice the mean time and one second."""
    timed = [(row.counts.scored, row.mean_duration_s) for row in summary.rows if row.mean_duration_s is not None]
    mean_s = sum(n * seconds for n, seconds in timed) / max(sum(n for n, _ in timed), 1)
    for case in summary.slowest[:_MOST_SLOW]:
        if case.duration_s >= max(_OUTSTANDING * mean_s, _LEAST_SLOW_S):
            name = case.nodeid.partition("::")[2] or case.nodeid
            yield f"slow: {case.duration_s:.1f} s, {count(case.turns, 'turn')}, {case.outcome}: {name}"


def _table_lines(rows: Sequence[Row], width: int) -> list[TerminalLine]:
    """Return the table, its legends and caveats, and the blocks on robustness, faults and repeats."""
    if not rows:
        return [TerminalLine("no episodes"), TerminalLine("")]
    lines, legends = draw_outcomes(rows, width)
    lines += [TerminalLine(""), *(TerminalLine(text) for text in fill("; ".join(legends), width))]
    lines += [TerminalLine(text) for caveat in caveat_lines(rows) for text in fill(caveat, width)]
    return [*lines, *robustness_lines(rows, width), *recovery_lines(rows, width), *repeats_lines(rows, width)]
