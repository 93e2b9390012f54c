"""What an injector needs to know of a plan's surroundings: tools, decoys, what the words name, a way to rehearse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Protocol

import msgspec

from pytest_ultra.core.axes import Visibility
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.plan_follower import StepResult
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.flaws.tool_signature import ToolSignature


class Decoy(msgspec.Struct, frozen=True):
    """A wrong value for an argument that fits its schema, from the distribution of the right ones.

    `visibility` is `job` if the words name the right value, `world` if only a look at the world shows it. `way` says
    in one word how the value is wrong.
    """

    value: Json
    visibility: Visibility
    way: str = "wrong_value"


class StepChange(msgspec.Struct, frozen=True):
    """A wrong value for one argument of one step of a plan."""

    step: int
    argument: str
    value: Json


class PlanMisreading(msgspec.Struct, frozen=True):
    """A decision of the job, taken wrongly: what is then different in the plan. Only the world shows that it is wrong.

    `dropped` are steps that are then not done, `added` those that are done instead; their references count the
    steps of the sound plan. As many added as dropped steps are done each in place of one.
    """

    question: str
    changes: tuple[StepChange, ...] = ()
    dropped: tuple[int, ...] = ()
    added: tuple[Step, ...] = ()
    is_branch: bool = False

    @property
    def needless(self) -> int | None:
        """The one step that looks needless to somebody who does not look, if that is all there is to it."""
        is_alone = len(self.dropped) == 1 and not self.added and not self.changes and not self.is_branch
        return self.dropped[0] if is_alone else None


class Rehearsal(Protocol):
    """The end of a plan that was followed to the letter with tools that never fail."""

    @property
    def calls(self) -> int: ...

    @property
    def done(self) -> Mapping[int, StepResult]:
        """The result of each step that was carried out, by its number from 1."""

    @property
    def has_delivered(self) -> bool: ...

    @property
    def has_harmed(self) -> bool: ...

    @property
    def effects(self) -> object:
        """What the plan leaves behind and answers, to be compared with what another leaves behind."""


class PlanContext(Protocol):
    """The surroundings of one plan. The injectors know no suite beyond this."""

    @property
    def seed(self) -> str:
        """Fixes all draws: the same context gets the same flaws."""

    @property
    def tools(self) -> Mapping[str, ToolSignature]:
        """All tools that a plan may name, by name; a plan of the user's own may name one that is not on offer."""

    @property
    def offered(self) -> Sequence[str]:
        """The names of the tools on offer, in the order in which a model sees them."""

    @property
    def idle_look_ups(self) -> Sequence[Call]:
        """Calls that only look, at things that the task is not about."""

    @property
    def checks(self) -> Sequence[Call]:
        """Calls that only look, at things that the task is about, and that it does not need."""

    def look_ups(self, workflow: Workflow) -> Sequence[Call]:
        """Return the calls that reveal what the job turns on; their references count the steps of the workflow."""

    def equivalents(self, workflow: Workflow, number: int) -> Sequence[Call]:
        """Return other calls that may do what a step does."""

    def decoys(self, workflow: Workflow, number: int, argument: str) -> Sequence[Decoy]:
        """Return wrong values for an argument of a step, the best ones first."""

    def visibility(self, workflow: Workflow, number: int, argument: str) -> Visibility:
        """Return what shows that another value of a step's argument is wrong: the words (`job`), or the `world`."""

    def misreadings(self, workflow: Workflow) -> Sequence[PlanMisreading]:
        """Return the ways in which the job's decisions can be taken wrongly."""

    def arguments_for(self, workflow: Workflow, number: int, tool: str, chance: Random) -> dict[str, Json] | None:
        """Return plausible arguments of another tool in place of a step, its input aside; None if there are none."""

    def idle_steps(self, workflow: Workflow, number: int) -> Sequence[Call]:
        """Return calls that take the output of a step and change nothing of what the job wants, on this data.

        Their `data` refers to the step.
        """

    def in_usual_order(self, workflow: Workflow) -> Workflow:
        """Return the plan with its steps in the order that most plans have, whatever the job and the world say."""

    def commonness(self, call: Call) -> float:
        """Return how common calls like this one are in sound plans, as a positive number."""

    def tool_commonness(self, tool: str) -> float:
        """Return how common calls of this tool are in sound plans, as a positive number."""

    def is_named(self, value: Json) -> bool:
        """Return whether the words of the job name a value."""

    def rehearse(self, workflow: Workflow, *, left_out: int | None = None) -> Rehearsal:
        """Follow a workflow with perfect tools, passing over the step `left_out` as if it had failed."""
