"""Plans what a run could detect: the smallest difference of a number of tasks, and the tasks for a difference."""

from __future__ import annotations

import math

from pytest_ultra.analysis.mcnemar import ALPHA, detectable_difference, pairs_needed

EXPECTED_DISCORDANT = 0.4
"""The share of pairs that is assumed to differ before anything is measured.

The published success of 62 % with optimal and 54 % with flawed plans would give 0.48 if tasks were alike; that some are
harder than others makes it smaller.
"""


def tasks_to_detect(difference: float, family: int) -> int:
    """Return the tasks, a pair each, that detect a difference in (0, 1] with a power of 80 %, as one of a family."""
    needed = pairs_needed(difference, max(difference, EXPECTED_DISCORDANT), level=ALPHA / family / 2)
    return math.ceil(needed or 1)


def detectable_by(tasks: int, family: int) -> float | None:
    """Return the smallest difference that so many tasks, a pair each, detect with a power of 80 %; None for none."""
    return detectable_difference(tasks, EXPECTED_DISCORDANT, ALPHA / family)
