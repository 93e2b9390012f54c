"""A task as data: world, words, goal, the actions that can lead there; and a flawed workflow."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.decisions import Decision
from pytest_ultra.benchmark.facts import Fact
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.workflow import Call


class Milestone(msgspec.Struct, frozen=True):
    """A fact that the goal consists of (`is_deliverable`) or needs; `needs` are indices of earlier milestones."""

    fact: Fact
    needs: tuple[int, ...] = ()
    is_deliverable: bool = False


class Action(msgspec.Struct, frozen=True):
    """A call that reaches one milestone: the planner's unit.

    Its references count milestones, from 1, where those of a workflow count steps.
    `needs` are the indices of all milestones that must be there before, sessions included.
    """

    call: Call
    needs: tuple[int, ...]
    reaches: int


class Task(msgspec.Struct, frozen=True):
    """One concrete job.

    `draw` is the number of the draw that was accepted, from 0. `actions` holds at least one action for
    each milestone but an answer, more where tools are alternatives. `tools` are the names offered to the
    model, in the order in which it sees them. `decisions` are what the words leave to be found out; the actions
    hold what is right for each. `business` is the host of the business that the task is set in, `period` the code of
    the time that it is about: names that a plan could have are made of them.
    """

    key: TaskKey
    draw: int
    world: World
    words: str
    milestones: tuple[Milestone, ...]
    actions: tuple[Action, ...]
    tools: tuple[str, ...]
    decisions: tuple[Decision, ...] = ()
    business: str = ""
    period: str = ""

    @property
    def deliverables(self) -> tuple[Fact, ...]:
        return tuple(milestone.fact for milestone in self.milestones if milestone.is_deliverable)


BenchmarkGuidance = Guidance[Task]
"""The guidance of a case of this suite."""
