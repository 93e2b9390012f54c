"""What a run says in the terminal: its header, and the table of results at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import msgspec

from pytest_ultra.benchmark.figures import Row, Summary
from pytest_ultra.reporting.budget import dollars
from pytest_ultra.reporting.text import count, fill, neutralise

LEGEND = (
    "success: full / scored; n: scored, or scored/planned; vs optimal: points over pairs of the same task "
    "(pairs, where not n); calls, tokens, time (wall-clock): mean of the scored"
)
DEMO = "demo models are scripted agents: these figures say nothing about any real model"


class Line(msgspec.Struct, frozen=True):
    """A line for the terminal, and the names of pytest's markup for it (`bold`, `red`, ...)."""

    text: str
    markup: tuple[str, ...] = ()


class _Column(msgspec.Struct, frozen=True):
    head: str
    cell: Callable[[Row], str]


def header(
    *,
    cases: int,
    models: Sequence[str],
    workers: int,
    seed: int,
    where: str,
    preset: str | None = None,
    departures: Sequence[str] = (),
) -> list[str]:
    """Say what will run and where it is kept. `workers` is 0 without xdist; `departures` are flags, see `Settings`."""
    named = f"model{'s' if len(models) > 1 else ''} {_enumerate(models)}"
    processes = count(workers, "worker") if workers else "no workers (one process)"
    what = f"{count(cases, 'case')}, {named}, {processes}, seed {seed}"
    kept = f"ultra: kept in {neutralise(where)}"
    if preset is None:
        return [f"ultra: {what}", kept]
    but_for = f", but for {', '.join(departures)}" if departures else ""
    return [f"ultra: {what}", f"ultra: preset {preset}{but_for}", kept]


def _enumerate(models: Sequence[str], most: int = 4) -> str:
    names = [neutralise(model) for model in models[:most]]
    if len(models) > most:
        names.append(f"and {len(models) - most} more")
    return ", ".join(names)


def end_of_run(summary: Summary, width: int) -> list[Line]:
    """Return the table and everything that must stand beside it."""
    lines = [*_table_lines(summary.rows, width), Line("")]
    lines += [Line(text) for text in fill(LEGEND, width)]
    lines += [Line(text, ("bold",)) for text in fill(counts_line(summary), width)]
    if summary.failure_classes:
        lines += [Line(text) for text in fill(failure_line(summary), width)]
    if len(summary.versions) > 1:
        lines += [Line(text, ("yellow",)) for text in fill(versions_line(summary), width)]
    if summary.demo_models:
        lines += [Line(text, ("yellow",)) for text in fill(DEMO, width)]
    return lines


def counts_line(summary: Summary) -> str:
    counts = summary.counts
    scored = f"{counts.scored:,} scored ({counts.full:,} full, {counts.partial:,} partial, {counts.failed:,} failed)"
    reused = f"; {summary.reused:,} reused from earlier runs" if summary.reused else ""
    cost = f"; {dollars(summary.cost)}" if summary.cost else ""
    return f"{counts.planned:,} planned: {scored}, {counts.error:,} error, {counts.skipped:,} skipped{reused}{cost}"


def failure_line(summary: Summary) -> str:
    of_models = [f"{name} {n:,}" for name, n in summary.failure_classes if not name.is_infrastructure]
    of_others = [f"{name} {n:,}" for name, n in summary.failure_classes if name.is_infrastructure]
    parts = [", ".join(of_models)] if of_models else []
    parts += [f"not the model's: {', '.join(of_others)}"] if of_others else []
    return f"failure classes: {'; '.join(parts)}"


def versions_line(summary: Summary) -> str:
    named = "; ".join(map(str, summary.versions))
    return (
        f"episodes of {len(summary.versions)} versions ({named}): rows of different versions cannot be compared, "
        "no difference is taken between them, and the counts are over all of them"
    )


def _table_lines(rows: Sequence[Row], width: int) -> Iterator[Line]:
    if not rows:
        yield Line("no episodes")
        return
    head, rule, *cells = _render(rows, width)
    yield Line(head, ("bold",))
    yield Line(rule)
    rendered = iter(cells)
    for heading, group in groupby(rows, key=_heading):
        for text in fill(heading, width):
            yield Line(text, ("bold",))
        for _ in group:
            yield Line(next(rendered))


def _heading(row: Row) -> str:
    """Say what a row has in common with those around it."""
    rate = "" if row.tool_success_rate is None else f", tool success rate {row.tool_success_rate:g}"
    variant = "" if row.prompt_variant is None else f", prompt variant {row.prompt_variant}"
    versions = "" if row.versions is None else f" ({row.versions})"
    return f"{neutralise(row.model)}{rate}{variant}{versions}"


def _render(rows: Sequence[Row], width: int) -> list[str]:
    """Draw the fullest table that fits, or the smallest, cut."""
    from pytest_ultra.reporting.table import draw  # noqa: PLC0415 - Rich takes 15 ms, and only a run's end needs it

    has_severities = any(row.severity is not None for row in rows)
    for label, figures, gap in _LAYOUTS:
        columns = [label, *([_SEVERITY] if has_severities else []), *figures]
        heads = [column.head for column in columns]
        cells = [[column.cell(row) for column in columns] for row in rows]
        left = len(columns) - len(figures)
        lines = draw(heads, cells, left=left, gap=gap)
        if max(map(len, lines)) <= width:
            return lines
    return draw(heads, cells, left=left, gap=gap, width=width)


def _share(value: float) -> str:
    return f"{100 * value:.1f}"


def _n(row: Row) -> str:
    counts = row.counts
    return f"{counts.scored}" if counts.scored == counts.planned else f"{counts.scored}/{counts.planned}"


def _success(row: Row) -> str:
    if row.success is None:
        return "-"
    value = row.success.value
    # 2,999 of 3,000 must not read as all of them, nor 1 as none.
    return f"{_share(value if value in (0, 1) else min(max(value, 0.001), 0.999))}%"


def _interval(row: Row) -> str:
    return "-" if row.success is None else f"{_share(row.success.low)}-{_share(row.success.high)}"


def _points(row: Row) -> str:
    return "-" if row.difference is None else f"{row.difference.points:+.1f}"


def _points_and_pairs(row: Row) -> str:
    if row.difference is None or row.difference.pairs == row.counts.scored:
        return _points(row)
    return f"{_points(row)} ({row.difference.pairs})"


def _mean(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


_MEANS = (
    _Column("calls", lambda row: _mean(row.mean_calls, ".1f")),
    _Column("tokens", lambda row: _mean(row.mean_tokens, ",.0f")),
    _Column("time", lambda row: "-" if row.mean_duration_s is None else f"{row.mean_duration_s:.1f} s"),
)
_SUCCESS = _Column("success", _success)
_N = _Column("n", _n)
_INTERVAL = _Column("95% interval", _interval)
_DIFFERENCE = _Column("vs optimal", _points_and_pairs)
_OUTCOMES = (
    _Column("full", lambda row: f"{row.counts.full}"),
    _Column("partial", lambda row: f"{row.counts.partial}"),
    _Column("failed", lambda row: f"{row.counts.failed}"),
    _Column("error", lambda row: f"{row.counts.error}"),
)
_NAME = _Column("prompt type", lambda row: str(row.prompt_type))
_SHORT_NAME = _Column("prompt type", lambda row: str(row.prompt_type.flaw_kind or row.prompt_type))
_SEVERITY = _Column("severity", lambda row: str(row.severity or ""))
_LAYOUTS = (
    (_NAME, (_SUCCESS, _INTERVAL, _N, *_OUTCOMES, _DIFFERENCE, *_MEANS), 2),
    (_NAME, (_SUCCESS, _INTERVAL, _N, _DIFFERENCE, *_MEANS), 2),
    (_NAME, (_SUCCESS, _N, _DIFFERENCE, *_MEANS), 2),
    (_SHORT_NAME, (_SUCCESS, _N, _DIFFERENCE, *_MEANS), 1),
)
