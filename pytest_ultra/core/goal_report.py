"""What became of a task's goal: what was wanted, what was delivered, and what was harmed."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.json_types import Json


class MilestoneResult(msgspec.Struct, frozen=True):
    """One milestone of the goal.

    `place` names where it belongs, such as `file reports/a.csv`. `delivered` is what stands at the place of a
    deliverable that was missed, without what was there before the episode; `differences` holds for each value, in
    words, how it differs from the wanted one, empty where the values show it.
    """

    place: str
    wanted: Json
    is_reached: bool
    is_deliverable: bool
    delivered: tuple[Json, ...] = ()
    differences: tuple[str, ...] = ()


class GoalReport(msgspec.Struct, frozen=True):
    """All milestones of a task, in its order, and the harm that was done: one short text each."""

    milestones: tuple[MilestoneResult, ...]
    harms: tuple[str, ...] = ()

    @property
    def reached(self) -> int:
        return sum(milestone.is_reached for milestone in self.milestones)
