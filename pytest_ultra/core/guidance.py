"""The guidance of a case: its task, its optimal workflow, and its flawed workflow if there is a flaw."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

import msgspec

from pytest_ultra.core.axes import FlawKind, PromptType, Severity, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.workflow import Workflow


class Task(Protocol):
    """What every suite's task has, whatever else the suite keeps in it: the job's words and the tools on offer."""

    @property
    def key(self) -> TaskKey: ...

    @property
    def words(self) -> str: ...

    @property
    def tools(self) -> tuple[str, ...]: ...


TaskT = TypeVar("TaskT", bound=Task)


class Damage(msgspec.Struct, frozen=True):
    """One damaged step: its number in the flawed plan (None: gone), in the optimal one (None: added), and how.

    `kind` is the flaw's own, or another in a flaw composed of several kinds. `way` names the variant of the kind;
    `how` describes the damage in words.
    """

    kind: FlawKind
    flawed_step: int | None
    optimal_step: int | None
    way: str
    how: str


class FlawedWorkflow(msgspec.Struct, frozen=True):
    """A workflow with a proved flaw, and the machine-readable list of its damaged steps.

    `flaws` is how many kinds it is composed of, `kind` among them. `visibility` is the proved one (None in workflows
    from before there was any, or from a hook), `wanted_visibility` the one that the case asked for.
    """

    kind: FlawKind
    severity: Severity
    workflow: Workflow
    damages: tuple[Damage, ...]
    flaws: int = 1
    visibility: Visibility | None = None
    wanted_visibility: Visibility | None = None


class Guidance(msgspec.Struct, Generic[TaskT], frozen=True):
    """What one case is given; `task` is the suite's own record, `alternative` a correct plan that looks odd."""

    task: TaskT
    optimal: Workflow
    flawed: FlawedWorkflow | None = None
    alternative: Workflow | None = None

    def shown(self, prompt_type: PromptType) -> Workflow | None:
        """Return the plan in the prompt of this prompt type; None if it has none.

        Raises ValueError if the guidance lacks the plan.
        """
        if not prompt_type.has_plan:
            return None
        if prompt_type is PromptType.OPTIMAL:
            return self.optimal
        if prompt_type is PromptType.ALTERNATIVE:
            plan = self.alternative
        else:
            plan = self.flawed.workflow if self.flawed else None
        if plan is None:
            raise ValueError(f"the guidance of a {prompt_type} case holds no such workflow")
        return plan


AnyGuidance = Guidance[Any]
"""The guidance of a case of any suite."""
