"""The rounds of `--ultra-until`: instances are added until the figures are as sure as was asked for."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # an unused plugin must not import what a case needs
    from pytest_ultra.core.case import Case

FIRST_INSTANCES = 4
"""Instances of each kind of task in the first round: with five task types, 20 tasks."""
GROWTH = 1.5
"""How much larger the whole is after each further round. The larger it is, the fewer looks at the figures."""
DECIDED = "decided"
"""The value of `--ultra-until` that asks for decided gates."""
NOT_NEEDED = "not needed: "
"""How the reason begins for which a case was not run."""


@dataclass(frozen=True, slots=True)
class Until:
    """What `--ultra-until` asks for: half the width of an interval, as a share, or None for decided gates."""

    half_width: float | None


def round_ends(most: int) -> list[int]:
    """Return how many instances there are after each round, up to `most`."""
    ends = [min(FIRST_INSTANCES, most)]
    while ends[-1] < most:
        ends.append(min(most, math.ceil(ends[-1] * GROWTH)))
    return ends


def number_rounds(cases: Mapping[str, Case], until: Until | None, instances: int) -> dict[str, int]:
    """Return the round of each case, from 0, by its id; without `--ultra-until`, all are in one."""
    ends = round_ends(instances) if until is not None else [instances]
    return {case_id: bisect_right(ends, case.instance) for case_id, case in cases.items()}
