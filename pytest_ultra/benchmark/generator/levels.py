"""What makes a level of difficulty: the one table of its knobs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from pytest_ultra.core.axes import Difficulty, TaskType


class Naming(StrEnum):
    """How the words name data and receivers."""

    EXACT = "exact"
    DESCRIBED = "described"  # one thing fits
    ONE_LOOK_UP = "one_look_up"  # several look alike
    SEVERAL_LOOK_UPS = "several_look_ups"  # a successor of a successor


class Condition(StrEnum):
    """What decides where a result goes."""

    NONE = "none"
    STATED_FACT = "stated_fact"
    FIGURE = "figure"
    NESTED = "nested"
    PRIORITY = "priority"


class Policy(StrEnum):
    """Which rules stand in a document instead of in the words."""

    NONE = "none"
    DOCUMENT = "document"
    INTERACTING = "interacting"


class Level(msgspec.Struct, frozen=True):
    """The knobs of a level.

    `steps` are the least and the most steps of the optimal workflow: of a simple task, a basic task, a pipeline or
    integration, a multi-stage pipeline. `rows` is the size of a table. `dirt` is how many kinds of dirt the data
    have at most, `spare_tools` how many tools are offered beyond the needed ones (None: all). `notes` is how
    many notes on the data decide something, at least and at most; `worked_out` how many rules have a value that is
    worked out from the calendar or the data.
    """

    steps: tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]
    naming: Naming
    rows: tuple[int, int]
    dirt: int
    is_dirt_in_preview: bool
    is_joined: bool
    condition: Condition
    rules: int
    policy: Policy
    deliverables: tuple[int, int]
    spare_tools: int | None
    notes: tuple[int, int] = (0, 0)
    worked_out: tuple[int, int] = (0, 0)

    @property
    def has_notes(self) -> bool:
        return self.notes != (0, 0)

    @property
    def is_exact(self) -> bool:
        return self.naming is Naming.EXACT

    def steps_of(self, task_type: TaskType) -> tuple[int, int]:
        return self.steps[_STEPS_COLUMN[task_type]]


_STEPS_COLUMN = {
    TaskType.SIMPLE_TASK: 0,
    TaskType.BASIC_TASK: 1,
    TaskType.DATA_PIPELINE: 2,
    TaskType.API_INTEGRATION: 2,
    TaskType.MULTI_STAGE_PIPELINE: 3,
}

LEVELS: Mapping[Difficulty, Level] = {
    Difficulty.VERY_EASY: Level(
        steps=((2, 3), (3, 4), (3, 5), (4, 6)),
        naming=Naming.EXACT,
        rows=(8, 12),
        dirt=0,
        is_dirt_in_preview=False,
        is_joined=False,
        condition=Condition.NONE,
        rules=0,
        policy=Policy.NONE,
        deliverables=(2, 2),
        spare_tools=0,
    ),
    Difficulty.EASY: Level(
        steps=((3, 3), (3, 4), (4, 6), (5, 8)),
        naming=Naming.EXACT,
        rows=(12, 30),
        dirt=0,
        is_dirt_in_preview=True,
        is_joined=False,
        condition=Condition.STATED_FACT,
        rules=1,
        policy=Policy.NONE,
        deliverables=(2, 2),
        spare_tools=5,
    ),
    Difficulty.MEDIUM: Level(
        steps=((3, 4), (4, 6), (5, 8), (7, 11)),
        naming=Naming.DESCRIBED,
        rows=(30, 100),
        dirt=2,
        is_dirt_in_preview=True,
        is_joined=False,
        condition=Condition.FIGURE,
        rules=2,
        policy=Policy.NONE,
        deliverables=(2, 3),
        spare_tools=10,
    ),
    Difficulty.HARD: Level(
        steps=((4, 6), (6, 9), (8, 12), (11, 16)),
        naming=Naming.ONE_LOOK_UP,
        rows=(100, 300),
        dirt=3,
        is_dirt_in_preview=False,
        is_joined=False,
        condition=Condition.NESTED,
        rules=3,
        policy=Policy.DOCUMENT,
        deliverables=(2, 3),
        spare_tools=None,
        notes=(0, 2),
        worked_out=(0, 1),
    ),
    Difficulty.VERY_HARD: Level(
        steps=((6, 9), (9, 13), (12, 18), (16, 26)),
        naming=Naming.SEVERAL_LOOK_UPS,
        rows=(300, 2000),
        dirt=4,
        is_dirt_in_preview=False,
        is_joined=True,
        condition=Condition.PRIORITY,
        rules=4,
        policy=Policy.INTERACTING,
        deliverables=(2, 4),
        spare_tools=None,
        notes=(1, 3),
        worked_out=(1, 2),
    ),
}
"""Each level keeps what the ones before it had, and adds."""
