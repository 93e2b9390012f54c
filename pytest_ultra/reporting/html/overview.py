"""The overview of a report: what a page says of a whole run, ready for its template."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.core.figures import Comparison, Row, SlowCase, Summary
from pytest_ultra.reporting.caveats import caveat_lines
from pytest_ultra.reporting.html import number_format as numbers
from pytest_ultra.reporting.html.forest_plot import Forest, make_forest, make_verdicts
from pytest_ultra.reporting.html.heat_map import HeatMap, make_heat_map
from pytest_ultra.reporting.html.html_notices import as_sentence, make_notices
from pytest_ultra.reporting.html.html_text import shown
from pytest_ultra.reporting.html.plot_scales import percent
from pytest_ultra.reporting.html.reliability_plot import Reliability, make_reliability
from pytest_ultra.reporting.html.run_facts import RunFacts
from pytest_ultra.reporting.labels import FAILURE_CLASSES, OUTCOMES
from pytest_ultra.reporting.row_names import heading, row_label, words


class Tile(msgspec.Struct, frozen=True):
    """A headline figure."""

    label: str
    value: str
    note: str = ""


class Segment(msgspec.Struct, frozen=True):
    """The episodes of one outcome, as a part of the strip of all."""

    outcome: str
    count: int
    x: str
    width: str
    words: str


class Measured(msgspec.Struct, frozen=True):
    """A figure and the bar that it draws, in percent of the greatest of its column."""

    text: str
    bar: str


class CostLine(msgspec.Struct, frozen=True):
    label: str
    calls: Measured
    tokens: Measured
    seconds: Measured
    cost: Measured


class RobustLine(msgspec.Struct, frozen=True):
    label: str
    resilience: str
    over_trust: str
    damaged: str
    recovery: str
    faults: str
    recovered: str
    extra_calls: str
    extra_tokens: str
    extra_cost: str


class Failure(msgspec.Struct, frozen=True):
    name: str
    label: str
    words: str
    count: int
    share: str
    bar: str


class FailureSide(msgspec.Struct, frozen=True):
    """The failures that one side is responsible for."""

    title: str
    failures: tuple[Failure, ...]


class RepeatLine(msgspec.Struct, frozen=True):
    label: str
    figures: tuple[tuple[str, str, str, int], ...]


class Band(msgspec.Struct, frozen=True):
    """Lines under a heading that they have in common."""

    title: str
    lines: tuple[CostLine | RobustLine | RepeatLine, ...]


class Overview(msgspec.Struct, frozen=True):
    """Everything that stands above the table of cases; None where there is nothing to show."""

    title: str
    notices: tuple[str, ...]
    segments: tuple[Segment, ...]
    tiles: tuple[Tile, ...]
    verdicts: Forest | None
    heat: HeatMap
    forest: Forest | None
    caveats: tuple[str, ...]
    models: Forest | None
    robustness: tuple[Band, ...]
    failures: tuple[FailureSide, ...]
    reliability: Reliability | None
    costs: tuple[Band, ...]
    has_cost: bool
    repeats: tuple[Band, ...]
    slowest: tuple[SlowCase, ...]


def make_overview(summary: Summary, facts: RunFacts, comparisons: Sequence[Comparison] = ()) -> Overview:
    rows = summary.rows
    return Overview(
        title=make_title(summary),
        notices=make_notices(summary, facts),
        segments=_segments(summary),
        tiles=_tiles(summary, facts),
        verdicts=make_verdicts(comparisons),
        heat=make_heat_map(rows),
        forest=make_forest(rows),
        caveats=tuple(map(as_sentence, caveat_lines(rows))),
        models=make_verdicts(
            [Comparison(f"{m.sample} vs {m.reference}", None, None, m.difference) for m in summary.models]
        ),
        robustness=_bands([(row, _robust(row)) for row in rows if row.robustness is not None]),
        failures=_failures(summary),
        reliability=make_reliability(rows),
        costs=_costs(rows),
        has_cost=any(row.mean_cost for row in rows),
        repeats=_bands([(row, _repeats(row)) for row in rows if row.repeats]),
        slowest=summary.slowest,
    )


def make_title(summary: Summary, most: int = 4) -> str:
    models = list(dict.fromkeys(shown(row.model, 60) for row in summary.rows))
    named = models if len(models) <= most else [*models[:most], f"{len(models) - most} more"]
    return ", ".join(named[:-1]) + (" and " if len(named) > 1 else "") + named[-1] if named else "No cases"


def _segments(summary: Summary) -> tuple[Segment, ...]:
    counts = {outcome: getattr(summary.counts, outcome) for outcome in Outcome}
    total = sum(counts.values()) or 1
    made, start = [], 0.0
    for outcome, n in counts.items():
        width = 100 * n / total
        made.append(Segment(outcome, n, percent(start), percent(width), OUTCOMES[outcome]))
        start += width
    return tuple(made)


def _tiles(summary: Summary, facts: RunFacts) -> tuple[Tile, ...]:
    counts, rows = summary.counts, summary.rows
    tokens = [row.mean_tokens * row.counts.scored for row in rows if row.mean_tokens is not None]
    not_scored = f"{counts.error:,} error, {counts.skipped:,} skipped"
    reused = f"{summary.reused:,} reused from earlier runs" if summary.reused else "none reused"
    return (
        Tile(
            "Success",
            numbers.share(counts.full / counts.scored) if counts.scored else numbers.NOTHING,
            f"{counts.full:,} full of {counts.scored:,} scored",
        ),
        Tile("Scored", f"{counts.scored:,}", f"of {counts.planned:,} planned; {not_scored}; {reused}"),
        Tile(
            "Tokens", numbers.whole(sum(tokens)) if tokens else numbers.NOTHING, "prompts and completions, scored cases"
        ),
        Tile(
            "Cost",
            numbers.money(summary.cost),
            "no price known" if summary.cost is None else "of the cases lived in this run",
        ),
        Tile("Duration", numbers.seconds(facts.duration_s), "wall-clock, whole run"),
    )


def _bands(lines: Sequence[tuple[Row, CostLine | RobustLine | RepeatLine]]) -> tuple[Band, ...]:
    titles = dict.fromkeys(heading(row) for row, _ in lines)
    return tuple(Band(title, tuple(line for row, line in lines if heading(row) == title)) for title in titles)


def _robust(row: Row) -> RobustLine:
    robustness = row.robustness
    assert robustness is not None  # noqa: S101
    return RobustLine(
        label=row_label(row).removeprefix("flawed: "),
        resilience=numbers.share(robustness.resilience),
        over_trust=numbers.share(robustness.over_trust),
        damaged=f"{robustness.damaged:,}",
        recovery=numbers.share(row.recovery.value if row.recovery else None),
        faults=numbers.of(row.recovery),
        recovered=f"{robustness.recovered:,}",
        extra_calls=numbers.signed(robustness.extra_calls),
        extra_tokens=numbers.signed(robustness.extra_tokens, 0),
        extra_cost=numbers.extra_money(robustness.extra_cost),
    )


def _repeats(row: Row) -> RepeatLine:
    return RepeatLine(
        row_label(row),
        tuple((f"{r.k}", numbers.share(r.pass_at), numbers.share(r.pass_all), r.tasks) for r in row.repeats),
    )


def _failures(summary: Summary) -> tuple[FailureSide, ...]:
    most = max((n for _, n in summary.failure_classes), default=1)
    lived = summary.counts.scored + summary.counts.error

    def make(failure_class: FailureClass, n: int) -> Failure:
        text = FAILURE_CLASSES[failure_class]
        part = numbers.share(n / lived) if lived else numbers.NOTHING
        return Failure(failure_class, words(failure_class), text, n, part, percent(100 * n / most))

    sides = (("The model", False), ("The infrastructure, not scored", True))
    made = (
        FailureSide(
            title, tuple(make(name, n) for name, n in summary.failure_classes if name.is_infrastructure is side)
        )
        for title, side in sides
    )
    return tuple(side for side in made if side.failures)


def _costs(rows: Sequence[Row]) -> tuple[Band, ...]:
    greatest = [
        max((value or 0 for value in column), default=0)
        for column in zip(*((r.mean_calls, r.mean_tokens, r.mean_duration_s, r.mean_cost) for r in rows), strict=True)
    ] or [0.0] * 4

    def measured(value: float | None, most: float, text: str) -> Measured:
        return Measured(text, percent(100 * value / most if value and most else 0))

    def line(row: Row) -> CostLine:
        calls, tokens, seconds, cost = greatest
        return CostLine(
            row_label(row),
            measured(row.mean_calls, calls, numbers.decimal(row.mean_calls)),
            measured(row.mean_tokens, tokens, numbers.whole(row.mean_tokens)),
            measured(row.mean_duration_s, seconds, numbers.seconds(row.mean_duration_s)),
            measured(row.mean_cost, cost, numbers.money(row.mean_cost)),
        )

    return _bands([(row, line(row)) for row in rows])
