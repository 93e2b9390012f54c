"""The options about what a run's figures must come to, and what they are compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_ultra.core.groups import ALL, GateOn
from pytest_ultra.options import option_values as values
from pytest_ultra.options.option import Option


def shares(texts: Sequence[str]) -> dict[str, float]:
    """Read limits by their groups; a group that is given twice has the later one."""
    return dict(_share(text.strip()) for text in texts if text.strip())


def _share(text: str) -> tuple[str, float]:
    group, _, number = text.rpartition("=")
    try:
        limit = float(number)
    except ValueError:
        limit = math.nan
    if not 0 <= limit <= 1 or text.startswith("="):
        raise ValueError(f"{text!r} is no limit; give a share from 0 to 1, such as 0.6, or one of a group, as in {_OF}")
    return group.strip() or ALL, limit


_OF = "flawed_tool_misuse=0.6"

GATES = (
    Option(
        "fail_under",
        None,
        "[GROUP=]RATE",
        "Fail the run when success (`full` / scored) is below this, of all cases or of a group's; repeatable, in the "
        "ini file one a line",
        shares,
    ),
    Option(
        "max_drop",
        None,
        "[GROUP=]RATE",
        "Fail the run when any flaw costs more success than this, against `optimal` over the same tasks; likewise",
        shares,
    ),
    Option(
        "gate_on",
        "rate",
        "rate|bound",
        "Hold gates against the measured figure, or against the worse end of the interval around it",
        values.last(values.member(GateOn)),
    ),
    Option(
        "compare",
        None,
        "RUN|FILE",
        "Compare with an earlier run (id, directory, `latest`) or a baseline file, and fail on a regression",
        values.last(str),
    ),
    Option(
        "max_regression",
        None,
        "[GROUP=]RATE",
        "How much success may be lost against `--ultra-compare` (default: no more than chance explains); repeatable",
        shares,
    ),
    Option(
        "max_errors",
        "0",
        "N",
        "Episodes that the infrastructure may fail without failing the run",
        values.last(values.whole(at_least=0)),
    ),
)
