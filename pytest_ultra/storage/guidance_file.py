"""The file of a task and its workflows in the guidance cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic

import msgspec

from pytest_ultra.core.axes import FlawKind, PromptType, Severity, Visibility
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import FlawedWorkflow, TaskT
from pytest_ultra.core.workflow import Workflow


class Variant(msgspec.Struct, frozen=True):
    """The inputs of a case's guidance besides the task."""

    tool_success_rate: float
    max_turns: int
    flaw_kind: FlawKind | None
    severity: Severity | None
    flaws: int = 1
    visibility: Visibility | None = None
    is_alternative: bool = False

    @classmethod
    def of(cls, case: Case) -> Variant:
        kind = case.prompt_type.flaw_kind
        flaws = case.flaws if kind else 1
        conditions = (case.tool_success_rate, case.max_turns)
        is_alternative = case.prompt_type is PromptType.ALTERNATIVE
        return cls(*conditions, kind, case.severity, flaws, case.flaw_visibility if kind else None, is_alternative)

    @classmethod
    def for_flaw(cls, conditions: tuple[float, int], flawed: FlawedWorkflow) -> Variant:
        return cls(*conditions, flawed.kind, flawed.severity, flawed.flaws, flawed.wanted_visibility)

    @property
    def conditions(self) -> tuple[float, int]:
        """The inputs of the optimal workflow."""
        return self.tool_success_rate, self.max_turns


Variants = dict[Variant, Case]


class Plans(msgspec.Struct, frozen=True):
    """The workflows of one task for one tool success rate and one turn limit."""

    tool_success_rate: float
    max_turns: int
    optimal: Workflow
    flawed: tuple[FlawedWorkflow, ...]
    alternative: Workflow | None = None

    @property
    def conditions(self) -> tuple[float, int]:
        return self.tool_success_rate, self.max_turns

    def variants(self) -> Iterator[Variant]:
        yield Variant(*self.conditions, None, None)
        if self.alternative is not None:
            yield Variant(*self.conditions, None, None, is_alternative=True)
        for flawed in self.flawed:
            yield Variant.for_flaw(self.conditions, flawed)

    def find_flawed(self, variant: Variant) -> FlawedWorkflow | None:
        return next((f for f in self.flawed if Variant.for_flaw(self.conditions, f) == variant), None)


class GuidanceFile(msgspec.Struct, Generic[TaskT], frozen=True):
    """The task and the workflows that one call of `fill` generated for it."""

    task: TaskT
    plans: tuple[Plans, ...]
