"""The overview of a report: the figures of a whole run, formatted for the template."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.core.figures import Comparison, Discernment, Row, SlowCase, Summary
from pytest_ultra.reporting.budget_lines import estimate_mark
from pytest_ultra.reporting.caveats import caveat_lines
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.forest_plot import ForestPlot, make_forest_plot, make_group_forest_plot
from pytest_ultra.reporting.html.heat_map import HeatMap, make_heat_map
from pytest_ultra.reporting.html.html_notices import as_sentence, make_notices
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.html.plot_scales import percent
from pytest_ultra.reporting.html.reliability_plot import ReliabilityPlot, make_reliability_plot
from pytest_ultra.reporting.html.run_facts import RunFacts
from pytest_ultra.reporting.labels import FAILURE_CLASSES, OUTCOMES
from pytest_ultra.reporting.recovery_table import name_of, rows_to_show
from pytest_ultra.reporting.row_names import heading, row_label, words


class Tile(msgspec.Struct, frozen=True):
    """A headline figure."""

    label: str
    value: str
    note: str = ""


class Segment(msgspec.Struct, frozen=True):
    """The episodes of one outcome, as a segment of the bar of all outcomes."""

    outcome: str
    count: int
    x: str
    width: str
    words: str


class BarFigure(msgspec.Struct, frozen=True):
    """A figure and the length of its bar, in percent of the largest figure in its column."""

    text: str
    bar: str


class CostLine(msgspec.Struct, frozen=True):
    label: str
    calls: BarFigure
    tokens: BarFigure
    seconds: BarFigure
    first_token: BarFigure
    cost: BarFigure


class RobustnessLine(msgspec.Struct, frozen=True):
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


class RecoveryLine(msgspec.Struct, frozen=True):
    """The recovery from each kind of fault that the table has, and the faults recovered from and met."""

    label: str
    figures: tuple[tuple[str, str], ...]


class DiscernmentLine(msgspec.Struct, frozen=True):
    """A model's discernment; each share has its number of steps, the look-ups their number of cases."""

    label: str
    d_prime: str
    bias: str
    over_trust: str
    damaged: str
    distrust: str
    sound: str
    look_ups: str
    sound_plans: str


class ConductLine(msgspec.Struct, frozen=True):
    label: str
    harm: str
    harmed: str
    false_success: str
    claimed: str


class Failure(msgspec.Struct, frozen=True):
    name: str
    label: str
    words: str
    count: int
    share: str
    bar: str


class FailureSide(msgspec.Struct, frozen=True):
    """The failures that the model, or the infrastructure, is responsible for."""

    title: str
    failures: tuple[Failure, ...]


class RepeatLine(msgspec.Struct, frozen=True):
    label: str
    figures: tuple[tuple[str, str, str, int], ...]


class Band(msgspec.Struct, frozen=True):
    """Lines under a common heading."""

    title: str
    lines: tuple[CostLine | RobustnessLine | RecoveryLine | ConductLine | RepeatLine, ...]


class RecoveryTable(msgspec.Struct, frozen=True):
    """The recovery by kinds of faults: the kinds that occurred, and the lines."""

    kinds: tuple[str, ...]
    bands: tuple[Band, ...]


class Overview(msgspec.Struct, frozen=True):
    """The content of the overview; a section is None or empty if there is nothing to show."""

    title: str
    notices: tuple[str, ...]
    segments: tuple[Segment, ...]
    tiles: tuple[Tile, ...]
    flaw_effects: ForestPlot | None
    heat: HeatMap
    forest: ForestPlot | None
    caveats: tuple[str, ...]
    models: ForestPlot | None
    robustness: tuple[Band, ...]
    discernment: tuple[DiscernmentLine, ...]
    conduct: tuple[Band, ...]
    failures: tuple[FailureSide, ...]
    reliability: ReliabilityPlot | None
    costs: tuple[Band, ...]
    has_cost: bool
    has_first_token: bool
    repeats: tuple[Band, ...]
    recovery: RecoveryTable | None
    slowest: tuple[SlowCase, ...]


def make_overview(summary: Summary, facts: RunFacts, comparisons: Sequence[Comparison] = ()) -> Overview:
    rows = summary.rows
    return Overview(
        title=make_title(summary),
        notices=make_notices(summary, facts),
        segments=_segments(summary),
        tiles=_tiles(summary, facts),
        flaw_effects=make_group_forest_plot(comparisons),
        heat=make_heat_map(rows),
        forest=make_forest_plot(rows),
        caveats=tuple(map(as_sentence, caveat_lines(rows))),
        models=make_group_forest_plot(
            [Comparison(f"{m.sample} vs {m.reference}", None, None, m.difference) for m in summary.models]
        ),
        robustness=_bands([(row, _robustness_line(row)) for row in rows if row.robustness is not None]),
        discernment=tuple(_discernment_line(found) for found in summary.discernment if found.d_prime is not None),
        conduct=_bands([(row, _conduct_line(row)) for row in rows if row.harm or row.false_success]),
        failures=_failures(summary),
        reliability=make_reliability_plot(rows),
        costs=_costs(rows),
        has_cost=any(row.mean_cost for row in rows),
        has_first_token=any(row.mean_first_token_s is not None for row in rows),
        recovery=_recovery(rows),
        repeats=_bands([(row, _repeat_line(row)) for row in rows if row.repeats]),
        slowest=summary.slowest,
    )


def make_title(summary: Summary, max_models: int = 4) -> str:
    models = list(dict.fromkeys(safe_text(row.model, 60) for row in summary.rows))
    named = models if len(models) <= max_models else [*models[:max_models], f"{len(models) - max_models} more"]
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
    mark = estimate_mark(summary.estimated_requests)
    tokens = [row.mean_tokens * row.counts.scored for row in rows if row.mean_tokens is not None]
    not_scored = f"{counts.error:,} error, {counts.skipped:,} skipped"
    reused = f"{summary.reused:,} reused from earlier runs" if summary.reused else "none reused"
    return (
        Tile(
            "Success",
            number_format.share(counts.full / counts.scored) if counts.scored else number_format.DASH,
            f"{counts.full:,} full of {counts.scored:,} scored",
        ),
        Tile("Scored", f"{counts.scored:,}", f"of {counts.planned:,} planned; {not_scored}; {reused}"),
        Tile(
            "Tokens",
            mark + number_format.large_number(sum(tokens)) if tokens else number_format.DASH,
            "prompts and completions, scored cases",
        ),
        Tile(
            "Cost",
            number_format.money(None) if summary.cost is None else mark + number_format.money(summary.cost),
            "no price known" if summary.cost is None else "excluding reused cases",
        ),
        Tile("Duration", number_format.seconds(facts.duration_s), "wall-clock, whole run"),
    )


def _bands(
    lines: Sequence[tuple[Row, CostLine | RobustnessLine | RecoveryLine | ConductLine | RepeatLine]],
) -> tuple[Band, ...]:
    titles = dict.fromkeys(heading(row) for row, _ in lines)
    return tuple(Band(title, tuple(line for row, line in lines if heading(row) == title)) for title in titles)


def _robustness_line(row: Row) -> RobustnessLine:
    robustness = row.robustness
    assert robustness is not None  # noqa: S101
    return RobustnessLine(
        label=row_label(row).removeprefix("flawed: "),
        resilience=number_format.share(robustness.resilience),
        over_trust=number_format.share(robustness.over_trust),
        damaged=f"{robustness.damaged:,}",
        recovery=number_format.share(row.recovery.value if row.recovery else None),
        faults=number_format.successes_of_n(row.recovery),
        recovered=f"{robustness.recovered:,}",
        extra_calls=number_format.signed(robustness.extra_calls),
        extra_tokens=number_format.signed(robustness.extra_tokens, 0),
        extra_cost=number_format.signed_money(robustness.extra_cost),
    )


def _recovery(rows: Sequence[Row]) -> RecoveryTable | None:
    shown = rows_to_show(rows)
    kinds = [kind for kind in FaultKind if any(kind in dict(row.recovery_by_kind) for row in shown)]
    bands = _bands([(row, _recovery_line(row, kinds)) for row in shown])
    return RecoveryTable(tuple(map(name_of, kinds)), bands) if shown else None


def _recovery_line(row: Row, kinds: Sequence[FaultKind]) -> RecoveryLine:
    rates = dict(row.recovery_by_kind)
    figures = [
        (
            number_format.share(rates[kind].value if kind in rates else None),
            number_format.successes_of_n(rates.get(kind)),
        )
        for kind in kinds
    ]
    return RecoveryLine(row_label(row), tuple(figures))


def _discernment_line(found: Discernment) -> DiscernmentLine:
    versions = "" if found.versions is None else f" ({found.versions})"
    return DiscernmentLine(
        label=f"{safe_text(found.model, 100)}{versions}",
        d_prime=number_format.decimal(found.d_prime, 2),
        bias=number_format.signed(found.bias, 2),
        over_trust=number_format.share(found.obeyed / found.damaged if found.damaged else None),
        damaged=f"{found.damaged:,}",
        distrust=number_format.share(found.distrusted / found.sound if found.sound else None),
        sound=f"{found.sound:,}",
        look_ups=number_format.decimal(found.look_ups),
        sound_plans=f"{found.sound_plans:,}",
    )


def _conduct_line(row: Row) -> ConductLine:
    return ConductLine(
        label=row_label(row),
        harm=number_format.share(row.harm.value if row.harm else None),
        harmed=number_format.successes_of_n(row.harm),
        false_success=number_format.share(row.false_success.value if row.false_success else None),
        claimed=number_format.successes_of_n(row.false_success),
    )


def _repeat_line(row: Row) -> RepeatLine:
    return RepeatLine(
        row_label(row),
        tuple(
            (f"{r.k}", number_format.share(r.pass_at), number_format.share(r.pass_all), r.tasks) for r in row.repeats
        ),
    )


def _failures(summary: Summary) -> tuple[FailureSide, ...]:
    most = max((n for _, n in summary.failure_classes), default=1)
    attempted = summary.counts.scored + summary.counts.error

    def make(failure_class: FailureClass, n: int) -> Failure:
        text = FAILURE_CLASSES[failure_class]
        part = number_format.share(n / attempted) if attempted else number_format.DASH
        return Failure(failure_class, words(failure_class), text, n, part, percent(100 * n / most))

    sides = (("The model", False), ("The infrastructure, not scored", True))
    made = (
        FailureSide(
            title, tuple(make(name, n) for name, n in summary.failure_classes if name.is_infrastructure is side)
        )
        for title, side in sides
    )
    return tuple(side for side in made if side.failures)


def _measures(row: Row) -> tuple[float | None, ...]:
    return row.mean_calls, row.mean_tokens, row.mean_duration_s, row.mean_first_token_s, row.mean_cost


def _costs(rows: Sequence[Row]) -> tuple[Band, ...]:
    largest = [
        max((value or 0 for value in column), default=0) for column in zip(*map(_measures, rows), strict=True)
    ] or [0.0] * 5

    def bar_figure(value: float | None, most: float, text: str) -> BarFigure:
        return BarFigure(text, percent(100 * value / most if value and most else 0))

    def line(row: Row) -> CostLine:
        calls, tokens, seconds, first_token, cost = largest
        mark = estimate_mark(row.estimated_requests)
        return CostLine(
            row_label(row),
            bar_figure(row.mean_calls, calls, number_format.decimal(row.mean_calls)),
            bar_figure(row.mean_tokens, tokens, mark + number_format.large_number(row.mean_tokens)),
            bar_figure(row.mean_duration_s, seconds, number_format.seconds(row.mean_duration_s)),
            bar_figure(row.mean_first_token_s, first_token, number_format.short_seconds(row.mean_first_token_s)),
            bar_figure(row.mean_cost, cost, mark + number_format.money(row.mean_cost)),
        )

    return _bands([(row, line(row)) for row in rows])
