"""The gates that a user asked for: how limits are read, and the check that a run can be judged by them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.gates import Gate, GateKind
from pytest_ultra.core.groups import ALL, GateOn, Undecided, check_groups
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.gate_options import GATES


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


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """The gates that a user asked for; limits are keyed by group."""

    fail_under: Mapping[str, float]
    max_drop: Mapping[str, float]
    gate_on: GateOn
    undecided: Undecided
    compare: str | None
    max_regression: Mapping[str, float]
    max_errors: int

    @property
    def decide_run(self) -> bool:
        """Whether gates decide about the run, rather than each case by itself."""
        return bool(self.fail_under or self.max_drop or self.compare)


def take_gates(read: dict[str, Any]) -> GateSettings:
    """Move the values of the gate options out of all values that were read."""
    taken = {option.name: read.pop(option.name) for option in GATES}
    limits = {name: taken[name] or {} for name in ("fail_under", "max_drop", "max_regression")}
    return GateSettings(**taken | limits)


def gates_of(gates: GateSettings) -> tuple[Gate, ...]:
    """Return the gates of a run; any gate, or `--ultra-max-errors`, brings the gate on errors with it."""
    by_kind = (
        (GateKind.FAIL_UNDER, gates.fail_under),
        (GateKind.MAX_DROP, gates.max_drop),
        (GateKind.MAX_REGRESSION, gates.max_regression),
    )
    requested = [Gate(kind, limit, group) for kind, limits in by_kind for group, limit in limits.items()]
    if gates.compare and not gates.max_regression:
        requested.append(Gate(GateKind.MAX_REGRESSION, None))
    if requested or gates.max_errors:
        requested.append(Gate(GateKind.MAX_ERRORS, gates.max_errors))
    return tuple(requested)


def check_gates(
    gates: GateSettings, prompt_types: Sequence[PromptType], models: Sequence[str], tasks: Sequence[str] = ()
) -> None:
    """Raise `pytest.UsageError` for a gate that could not judge any run with these options."""
    own = (*tasks, *(each for each in prompt_types if each.is_own))
    limits = (("fail-under", gates.fail_under), ("max-regression", gates.max_regression))
    try:
        for name, groups in limits:
            check_groups(f"--ultra-{name}", groups, models, own=own)
        check_groups("--ultra-max-drop", gates.max_drop, models, own=own, are_flawed=True)
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None
    if gates.max_drop and PromptType.OPTIMAL not in prompt_types:
        raise pytest.UsageError(
            "--ultra-max-drop: a drop is measured against 'optimal', which is not one of the prompt types; "
            f"add it: --ultra-prompt-type optimal,{','.join(prompt_types)}"
        )
    if gates.max_regression and not gates.compare:
        raise pytest.UsageError(
            "--ultra-max-regression: there is nothing to compare with; add --ultra-compare RUN|FILE"
        )
