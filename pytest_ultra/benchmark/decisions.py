"""What the words of a task leave to be found out, and the ways of getting it wrong."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call


class Skill(StrEnum):
    """What an agent must do to decide right. Retrying and going another way belong to faults, not to decisions."""

    LOOK_UP = "look_up"
    CHECK_DATA = "check_data"
    BRANCH = "branch"
    APPLY_RULE = "apply_rule"


class ArgumentChange(msgspec.Struct, frozen=True):
    """A wrong value for one argument of every call that reaches a milestone; `milestone` is its index, from 0."""

    milestone: int
    argument: str
    value: Json


class Misreading(msgspec.Struct, frozen=True):
    """One way to get a decision wrong that looks right to somebody who did not look.

    `dropped` are indices of milestones that are then not reached: what builds on one works on its input instead.
    `added` are calls made instead, after all others; their references count milestones, from 1.
    `is_naive`: it is what an agent without the skill does.
    """

    changes: tuple[ArgumentChange, ...] = ()
    dropped: tuple[int, ...] = ()
    added: tuple[Call, ...] = ()
    is_naive: bool = False


class Decision(msgspec.Struct, frozen=True):
    """Something that the words leave to be found out, and what is decided by it.

    `look_ups` are the calls that reveal it, in order; their references count milestones, from 1. There is at least
    one misreading, and each of them, carried out, misses the goal.
    """

    skill: Skill
    question: str
    look_ups: tuple[Call, ...]
    misreadings: tuple[Misreading, ...]

    @property
    def naive(self) -> Misreading | None:
        """What an agent without the skill does; None where that is right by luck."""
        return next((misreading for misreading in self.misreadings if misreading.is_naive), None)
