"""The text of a task."""

from __future__ import annotations

from pytest_ultra.benchmark.constraints import CONSTRAINTS
from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.core.axes import Difficulty


def describe(draft: Draft, difficulty: Difficulty) -> str:
    """Return the task's words.

    `very_easy` names every operation in order; `easy` leaves out the mechanical ones; from `medium` on, the job is
    said as a person would say it.
    """
    if draft.level.is_exact:
        words = draft.text.write_steps(has_mechanical=difficulty is Difficulty.VERY_EASY)
    else:
        words = draft.text.write()
    return f"{words}\n{' '.join(CONSTRAINTS)}"
