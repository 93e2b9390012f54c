"""The gates that a user asks for, and whether a run with these options can be judged by them."""

from __future__ import annotations

import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.gates import Gate, GateKind
from pytest_ultra.core.groups import check_groups
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.settings import Settings


def has_gates(settings: Settings) -> bool:
    """Return whether gates decide about the run, rather than each case by itself."""
    return bool(settings.fail_under or settings.max_drop or settings.compare)


def gates_of(settings: Settings) -> tuple[Gate, ...]:
    """Return the gates of a run; any gate, or `--ultra-max-errors`, brings the gate on errors with it."""
    by_kind = (
        (GateKind.FAIL_UNDER, settings.fail_under),
        (GateKind.MAX_DROP, settings.max_drop),
        (GateKind.MAX_REGRESSION, settings.max_regression),
    )
    gates = [Gate(kind, limit, group) for kind, limits in by_kind for group, limit in limits.items()]
    if settings.compare and not settings.max_regression:
        gates.append(Gate(GateKind.MAX_REGRESSION, None))
    if gates or settings.max_errors:
        gates.append(Gate(GateKind.MAX_ERRORS, settings.max_errors))
    return tuple(gates)


def check_gates(settings: Settings) -> None:
    """Raise `pytest.UsageError` for a gate that could not judge any run with these options."""
    limits = (("fail-under", settings.fail_under), ("max-regression", settings.max_regression))
    try:
        for name, groups in limits:
            check_groups(f"--ultra-{name}", groups, settings.model)
        check_groups("--ultra-max-drop", settings.max_drop, settings.model, are_flawed=True)
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None
    if settings.max_drop and PromptType.OPTIMAL not in settings.prompt_type:
        raise pytest.UsageError(
            "--ultra-max-drop: a drop is measured against 'optimal', which is not one of the prompt types; "
            f"add it: --ultra-prompt-type optimal,{','.join(settings.prompt_type)}"
        )
    if settings.max_regression and not settings.compare:
        raise pytest.UsageError(
            "--ultra-max-regression: there is nothing to compare with; add --ultra-compare RUN|FILE"
        )
