"""The turn limit of a case: a job of many steps gets more turns than the default."""

from __future__ import annotations

from pytest_ultra.core.case import DEFAULT_MAX_TURNS, Case
from pytest_ultra.core.workflow import Workflow

TURNS_PER_STEP = 3


def turn_limit(case: Case, optimal: Workflow) -> int:
    """Return the user's limit; for the default, three turns for each step of the optimal workflow if that is more."""
    if case.max_turns != DEFAULT_MAX_TURNS:
        return case.max_turns
    return max(case.max_turns, TURNS_PER_STEP * len(optimal.steps))
