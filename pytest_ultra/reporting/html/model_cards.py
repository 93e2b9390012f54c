"""The cards of the first screen: what each model did, over all its cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pytest_ultra.core.figures import ModelFigures, Rate, Row, Summary
from pytest_ultra.core.paired_evidence import PairedDifference
from pytest_ultra.reporting.budget_lines import estimate_mark
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.failure_matrix import Query, count_failures, failure_query
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.html.plot_scales import Scale
from pytest_ultra.reporting.row_names import words

_MOST_CLASSES = 3


class CardFact(msgspec.Struct, frozen=True):
    label: str
    value: str
    note: str = ""


class CardFailure(msgspec.Struct, frozen=True):
    label: str
    count: int
    link: Query


class ModelCard(msgspec.Struct, frozen=True):
    """A model's figures; `positions` are those of the lower end, the rate and the upper end on a scale of shares."""

    name: str
    success: str
    interval: str
    n: str
    positions: tuple[str, str, str] | None
    facts: tuple[CardFact, ...]
    failures: tuple[CardFailure, ...]
    other_failures: int
    link: Query


def make_model_cards(summary: Summary) -> tuple[ModelCard, ...]:
    return tuple(_card(found, summary.rows) for found in summary.model_figures)


def _card(found: ModelFigures, rows: Sequence[Row]) -> ModelCard:
    own = [row for row in rows if found.versions in (None, row.versions)]
    classes = [item for item in count_failures(own, found.model).most_common() if not item[0].is_infrastructure]
    versions = "" if found.versions is None else f" ({found.versions})"
    query = () if found.versions is None else (("versions", str(found.versions)),)
    return ModelCard(
        name=f"{safe_text(found.model, 100)}{versions}",
        success=_share(found.success),
        interval=number_format.interval(found.success),
        n=_describe_n(found),
        positions=_positions(found.success),
        facts=tuple(_facts(found)),
        failures=tuple(
            CardFailure(words(name), n, (*failure_query(found.model, name), *query))
            for name, n in classes[:_MOST_CLASSES]
        ),
        other_failures=sum(n for _, n in classes[_MOST_CLASSES:]),
        link=(("model", found.model), *query),
    )


def _describe_n(found: ModelFigures) -> str:
    counts = found.counts
    missing = "" if counts.scored == counts.planned else f"; {counts.planned:,} planned"
    return f"{counts.full:,} of {counts.scored:,} full{missing}"


def _positions(rate: Rate | None) -> tuple[str, str, str] | None:
    if rate is None:
        return None
    scale = Scale(0, 1, margin=2)
    return scale.at(rate.low), scale.at(rate.value), scale.at(rate.high)


def _facts(found: ModelFigures) -> Iterator[CardFact]:
    if found.flawed is not None:
        points = f"{number_format.points(found.flawed.value)} points"
        yield CardFact("Flawed plans against optimal", points, _describe_difference(found.flawed))
    if found.recovery is not None:
        yield CardFact("Tool faults dealt with", _share(found.recovery), number_format.successes_of_n(found.recovery))
    if found.false_success is not None:
        cases = number_format.successes_of_n(found.false_success)
        yield CardFact("False success", _share(found.false_success), f"{cases} not done, yet claimed")
    yield CardFact("Calls per case", number_format.decimal(found.mean_calls))
    if found.mean_cost is not None:
        mark = estimate_mark(found.estimated_requests)
        yield CardFact("Cost per case", mark + number_format.money(found.mean_cost))
    yield CardFact("Time per case", number_format.seconds(found.mean_duration_s))


def _describe_difference(difference: PairedDifference) -> str:
    if difference.shown_interval is None:
        return f"{difference.tasks:,} task{'' if difference.tasks == 1 else 's'}: too few to compare"
    low, high = map(number_format.points, difference.shown_interval)
    return f"{difference.verdict}; 95% {low} to {high}"


def _share(rate: Rate | None) -> str:
    return number_format.share(None if rate is None else rate.value)
