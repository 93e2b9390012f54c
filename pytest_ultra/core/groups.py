"""Groups of cases that a gate can name, and how it judges them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import StrEnum

from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, Difficulty, PromptType, Severity, TaskType
from pytest_ultra.errors import ConfigurationError

ALL = "all"
"""The group of all cases."""
FLAWED = "flawed"
"""The group of all cases with a flaw."""


class GateOn(StrEnum):
    """How a figure is compared with the limit.

    By evidence: missed if shown to be beyond the limit, met if shown to be within, else undecided. By the measured
    rate, whatever chance explains. By the bound: as by evidence, but undecided is missed.
    """

    EVIDENCE = "evidence"
    RATE = "rate"
    BOUND = "bound"


class Undecided(StrEnum):
    """What a gate does to the run that the cases neither show to be met nor to be missed."""

    PASSES = "pass"
    FAILS = "fail"


def check_groups(
    flag: str, groups: Iterable[str], models: Iterable[str], *, own: Iterable[str] = (), are_flawed: bool = False
) -> None:
    """Raise ConfigurationError for an unknown group; with `are_flawed`, also for one without flawed cases.

    `own` are groups of a user's suite besides those of the built-in benchmark: tasks, and flaws of its own.
    """
    prompt_types = FLAWED_PROMPT_TYPES if are_flawed else tuple(PromptType)
    valid = [ALL, FLAWED, *prompt_types, *dict.fromkeys((*TaskType, *own)), *Difficulty, *Severity, *models]
    for group in groups:
        if group not in valid:
            close = difflib.get_close_matches(group, map(str, valid), n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ConfigurationError(f"{flag}: there is no group {group!r}; choose from {', '.join(valid)}{hint}")
