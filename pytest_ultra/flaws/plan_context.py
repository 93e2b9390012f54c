"""What an injector needs to know of a plan's surroundings: the tools, the names it could confuse, a way to rehearse."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from pytest_ultra.core.plan_follower import StepResult
from pytest_ultra.core.workflow import Call, Workflow


class ToolInfo(Protocol):
    """A tool. `parameters` is a JSON Schema of an object; tools of one category are easily confused."""

    @property
    def parameters(self) -> dict[str, Any]: ...

    @property
    def category(self) -> str: ...


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

    def columns(self, step: int) -> list[str]:
        """Return the columns of the table that a step made; none where it made no table."""


class PlanContext(Protocol):
    """The surroundings of one plan. The injectors know no suite beyond this."""

    @property
    def seed(self) -> str:
        """Fixes all draws: the same context gets the same flaws."""

    @property
    def tools(self) -> Mapping[str, ToolInfo]:
        """All tools that a plan may name, by name; a plan of the user's own may name one that is not on offer."""

    @property
    def offered(self) -> Sequence[str]:
        """The names of the tools on offer, in the order in which a model sees them."""

    @property
    def names(self) -> Sequence[Collection[str]]:
        """Groups of names that stand for things of one sort, such as all paths or all addresses."""

    @property
    def field_arguments(self) -> Collection[str]:
        """The arguments that name a column of the input table."""

    @property
    def repeatable_tools(self) -> Collection[str]:
        """The tools that can be called twice without a second effect."""

    @property
    def idle_look_ups(self) -> Sequence[Call]:
        """Calls that only look, at things that the task is not about."""

    def rehearse(self, workflow: Workflow, *, left_out: int | None = None) -> Rehearsal:
        """Follow a workflow with perfect tools, passing over the step `left_out` as if it had failed."""
