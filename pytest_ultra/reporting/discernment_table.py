"""The block on discernment: whether a model distinguishes damaged steps of a plan from sound ones."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.core.figures import Discernment
from pytest_ultra.reporting.figure_format import NOTHING, amount, coarse_percent
from pytest_ultra.reporting.text import fill, neutralise
from pytest_ultra.reporting.text_table import TerminalLine, draw

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
    head, rule, *lines = draw(DISCERNMENT_HEADS, list(map(discernment_cells, shown)), left=1, gap=2, width=width)
    return [
        TerminalLine(""),
        TerminalLine(head, ("bold",)),
        *map(TerminalLine, (rule, *lines)),
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


def _share(steps: int, n: int) -> str:
    return f"{coarse_percent(steps / n)} ({n})" if n else NOTHING
