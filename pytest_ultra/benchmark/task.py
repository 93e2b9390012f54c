"""A task as data: world, words, goal, the actions that can lead there; and a flawed workflow."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.facts import Fact
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import FlawKind, Severity
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.workflow import Call, Step, Workflow


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
    model, in the order in which it sees them.
    """

    key: TaskKey
    draw: int
    world: World
    words: str
    milestones: tuple[Milestone, ...]
    actions: tuple[Action, ...]
    tools: tuple[str, ...]

    @property
    def deliverables(self) -> tuple[Fact, ...]:
        return tuple(milestone.fact for milestone in self.milestones if milestone.is_deliverable)


class Damage(msgspec.Struct, frozen=True):
    """One damaged step: its number in the flawed plan (None: gone), in the optimal one (None: added), and how.

    `kind` is the flaw's own, but for flaws composed of several. `way` names which of its kind's ways to go
    wrong this is; `how` says it to people.
    """

    kind: FlawKind
    flawed_step: int | None
    optimal_step: int | None
    way: str
    how: str


class FlawedWorkflow(msgspec.Struct, frozen=True):
    """A workflow with a proved flaw, and the machine-readable list of its damaged steps.

    `flaws` is how many kinds it is composed of, `kind` among them.
    """

    kind: FlawKind
    severity: Severity
    workflow: Workflow
    damages: tuple[Damage, ...]
    flaws: int = 1


class Guidance(msgspec.Struct, frozen=True):
    """Everything generated for one case: the task, the optimal workflow, and the flawed one if there is a flaw."""

    task: Task
    optimal: Workflow
    flawed: FlawedWorkflow | None = None

    @property
    def damaged_steps(self) -> tuple[Step, ...]:
        if self.flawed is None:
            return ()
        steps = self.flawed.workflow.steps
        return tuple(steps[d.flawed_step - 1] for d in self.flawed.damages if d.flawed_step is not None)
