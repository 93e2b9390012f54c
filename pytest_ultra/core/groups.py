"""Groups of cases that a gate can name, and which of their figures it judges."""

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
    """Which figure is compared with the limit: the measured rate, or the worse end of its interval."""

    RATE = "rate"
    BOUND = "bound"


def check_groups(flag: str, groups: Iterable[str], models: Iterable[str], *, are_flawed: bool = False) -> None:
    """Raise ConfigurationError for an unknown group; with `are_flawed`, also for one without flawed cases."""
    prompt_types = FLAWED_PROMPT_TYPES if are_flawed else tuple(PromptType)
    valid = [ALL, FLAWED, *prompt_types, *TaskType, *Difficulty, *Severity, *models]
    for group in groups:
        if group not in valid:
            close = difflib.get_close_matches(group, map(str, valid), n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ConfigurationError(f"{flag}: there is no group {group!r}; choose from {', '.join(valid)}{hint}")
