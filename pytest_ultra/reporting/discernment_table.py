"""The block on discernment: whether a model distinguishes damaged steps of a plan from sound ones."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.core.figures import Discernment
from pytest_ultra.reporting.figure_format import NOTHING, amount, coarse_percent
from pytest_ultra.reporting.table_columns import Column, Layout, fit_table
from pytest_ultra.reporting.text import fill, neutralise
from pytest_ultra.reporting.text_table import TerminalLine

DISCERNMENT_HEADS = ("model", "d'", "bias", "over-trust", "blind distrust", "look-ups")
DISCERNMENT_LEGEND = (
    "d': how well damaged and sound steps are distinguished, 0 is chance; bias: positive for a model that trusts too "
    "much; over-trust: damaged steps carried out as written (steps); blind distrust: sound steps left undone although "
    "needed (steps); look-ups: mean number beyond the plan in cases with a sound plan (cases)"
)
_MOST = 15


def discernment_lines(found: Sequence[Discernment], width: int) -> list[TerminalLine]:
    """Return a block with a line for each model; empty unless both damaged and sound steps were seen."""
    shown = [each for each in found if each.d_prime is not None][:_MOST]
    if not shown:
        return []
    return [
        TerminalLine(""),
        *fit_table(shown, _LAYOUTS, width).lines(),
        TerminalLine(""),
        *(TerminalLine(text) for text in fill(DISCERNMENT_LEGEND, width)),
    ]


def discernment_cells(found: Discernment) -> tuple[str, ...]:
    versions = "" if found.versions is None else f" ({found.versions})"
    return (
        f"{neutralise(found.model)}{versions}",
        amount(found.d_prime, ".2f"),
        amount(found.bias, "+.2f"),
        _share(found.obeyed, found.damaged),
        _share(found.distrusted, found.sound),
        NOTHING if found.look_ups is None else f"{found.look_ups:.1f} ({found.sound_plans})",
    )


def _column(place: int) -> Column[Discernment]:
    return Column(DISCERNMENT_HEADS[place], lambda found: discernment_cells(found)[place])


_COLUMNS = tuple(map(_column, range(len(DISCERNMENT_HEADS))))
_LAYOUTS: tuple[Layout[Discernment], ...] = tuple(
    Layout(_COLUMNS[:1], _COLUMNS[1:last], gap) for last, gap in ((6, 2), (6, 1), (5, 1), (4, 1), (3, 1))
)


def _share(steps: int, n: int) -> str:
    return f"{coarse_percent(steps / n)} ({n})" if n else NOTHING
