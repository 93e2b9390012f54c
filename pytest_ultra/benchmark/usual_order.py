"""The order of steps that most plans have: what somebody restores who knows the tools, but neither job nor world."""

from __future__ import annotations

from pytest_ultra.core.workflow import Step, Workflow
from pytest_ultra.flaws.linter import Tools, is_clean
from pytest_ultra.flaws.sequence_disorder import reorder

_SOURCE = "source"
_ORDER = (
    "integration_authenticator",
    _SOURCE,
    "data_processing_parser",
    "normalize",
    "data_processing_validator",
    "computation_calculator",
    "data_processing_filter",
)
"""Tools and operations in the order in which most plans have them; other steps keep their place at the end."""


def put_in_usual_order(plan: Workflow, tools: Tools) -> Workflow:
    """Put every step into the usual order, and have later steps use what comes out of each.

    A plan in which the linter would find something then stays as it is.
    """
    ranks = {number: _rank(step) for number, step in enumerate(plan.steps, start=1)}
    ordered = reorder(plan, sorted(ranks, key=lambda number: (ranks[number], number))).workflow
    return ordered if is_clean(ordered, tools) else plan


def _rank(step: Step) -> int:
    call = step.call
    names = {call.tool, str(call.arguments.get("operation"))}
    if not call.references and call.tool not in _ORDER:
        names.add(_SOURCE)
    return next((rank for rank, name in enumerate(_ORDER) if name in names), len(_ORDER))
