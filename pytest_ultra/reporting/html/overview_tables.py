"""The overview's tables of robustness, recovery, discernment, conduct and repeats."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.figures import Discernment, Row
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.recovery_table import name_of, rows_to_show
from pytest_ultra.reporting.row_names import heading, row_label


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


class RepeatLine(msgspec.Struct, frozen=True):
    label: str
    figures: tuple[tuple[str, str, str, int], ...]


Line = RobustnessLine | RecoveryLine | ConductLine | RepeatLine


class Band(msgspec.Struct, frozen=True):
    """Lines under a common heading."""

    title: str
    lines: tuple[Line, ...]


class RecoveryTable(msgspec.Struct, frozen=True):
    """The recovery by kinds of faults: the kinds that occurred, and the lines."""

    kinds: tuple[str, ...]
    bands: tuple[Band, ...]


def make_robustness(rows: Sequence[Row]) -> tuple[Band, ...]:
    return _bands([(row, _robustness_line(row)) for row in rows if row.robustness is not None])


def make_conduct(rows: Sequence[Row]) -> tuple[Band, ...]:
    return _bands([(row, _conduct_line(row)) for row in rows if row.harm or row.false_success])


def make_repeats(rows: Sequence[Row]) -> tuple[Band, ...]:
    return _bands([(row, _repeat_line(row)) for row in rows if row.repeats])


def make_discernment(found: Sequence[Discernment]) -> tuple[DiscernmentLine, ...]:
    return tuple(_discernment_line(each) for each in found if each.d_prime is not None)


def make_recovery(rows: Sequence[Row]) -> RecoveryTable | None:
    shown = rows_to_show(rows)
    kinds = [kind for kind in FaultKind if any(kind in dict(row.recovery_by_kind) for row in shown)]
    bands = _bands([(row, _recovery_line(row, kinds)) for row in shown])
    return RecoveryTable(tuple(map(name_of, kinds)), bands) if shown else None


def _bands(lines: Sequence[tuple[Row, Line]]) -> tuple[Band, ...]:
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
