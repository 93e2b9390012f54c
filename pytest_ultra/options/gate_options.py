"""The gate options: what a run's figures must reach, and what they are compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_ultra.core.groups import ALL, GateOn
from pytest_ultra.options import option_values as values
from pytest_ultra.options.option import Option


def group_limits(texts: Sequence[str]) -> dict[str, float]:
    """Read limits keyed by group; the last limit given for a group counts."""
    return dict(_limit(text.strip()) for text in texts if text.strip())


def _limit(text: str) -> tuple[str, float]:
    group, _, number = text.rpartition("=")
    try:
        limit = float(number)
    except ValueError:
        limit = math.nan
    if not 0 <= limit <= 1 or text.startswith("="):
        raise ValueError(f"{text!r} is not a limit; give a share from 0 to 1, such as 0.6 or {_EXAMPLE}")
    return group.strip() or ALL, limit


_EXAMPLE = "flawed_tool_misuse=0.6"

GATES = (
    Option(
        "fail_under",
        None,
        "[GROUP=]RATE",
        "Fail the run if the success rate (`full` / scored) of all cases, or of a group, is below this; repeatable, "
        "one per line in the ini file",
        group_limits,
    ),
    Option(
        "max_drop",
        None,
        "[GROUP=]RATE",
        "Fail the run if any flaw, or one of a group, costs more success than this against `optimal` on the same "
        "tasks; repeatable, one per line in the ini file",
        group_limits,
    ),
    Option(
        "gate_on",
        "rate",
        "rate|bound",
        "Check gates against the measured figure (`rate`), or against the worse end of its interval (`bound`)",
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
        "How much success may be lost against `--ultra-compare` (default: no more than chance explains); repeatable, "
        "one per line in the ini file",
        group_limits,
    ),
    Option(
        "max_errors",
        "0",
        "N",
        "Episodes that may end in an infrastructure error without failing the run",
        values.last(values.whole(at_least=0)),
    ),
)
