"""The guidance of a case: its task, its optimal workflow, and its flawed workflow if there is a flaw."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

import msgspec

from pytest_ultra.core.axes import FlawKind, Severity
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

    `flaws` is how many kinds it is composed of, `kind` among them.
    """

    kind: FlawKind
    severity: Severity
    workflow: Workflow
    damages: tuple[Damage, ...]
    flaws: int = 1


class Guidance(msgspec.Struct, Generic[TaskT], frozen=True):
    """What one case is given; `task` is the suite's own record."""

    task: TaskT
    optimal: Workflow
    flawed: FlawedWorkflow | None = None


AnyGuidance = Guidance[Any]
"""The guidance of a case of any suite."""
