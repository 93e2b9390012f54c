"""Generates the guidance of a case: task, optimal workflow, and the flawed or alternative workflow that it shows."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.planner import plan
from pytest_ultra.benchmark.task import BenchmarkGuidance, Task
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import FlawedWorkflow, Guidance
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.errors import UnflawableError
from pytest_ultra.flaws.alternative import make_alternative
from pytest_ultra.flaws.injection import inject


def make_guidance(case: Case, *, task: Task | None = None, optimal: Workflow | None = None) -> BenchmarkGuidance:
    """Generate what a case needs, except the task or the optimal workflow if they are given.

    Raises `UnflawableError` if the given workflow cannot carry the case's flaw, or has no alternative.
    """
    task = task or generate_task(case.task_key)
    optimal = optimal or plan(task, case.tool_success_rate, case.max_turns)
    return Guidance(task, optimal, _flaw(case, task, optimal), _alternative(case, task, optimal))


class _LastContext:
    """The context of the task that guidance was made for last: a task's flaws are made one after the other."""

    def __init__(self) -> None:
        self._known: tuple[Task, TaskContext] | None = None

    def of(self, task: Task) -> TaskContext:
        known = self._known
        if known is None or known[0] is not task:
            self._known = known = (task, TaskContext(task))
        return known[1]


_context_of = _LastContext().of


def _flaw(case: Case, task: Task, optimal: Workflow) -> FlawedWorkflow | None:
    kind = case.prompt_type.flaw_kind
    if kind is None or case.severity is None:
        return None
    context, wanted = _context_of(task), case.flaw_visibility
    flawed = inject(context, optimal, kind, case.severity, visibility=wanted, flaws=case.flaws)
    if flawed is None:
        raise UnflawableError(f"no {case.severity} {kind} can be proved on the workflow of {case.task_key}")
    return flawed


def _alternative(case: Case, task: Task, optimal: Workflow) -> Workflow | None:
    if case.prompt_type is not PromptType.ALTERNATIVE:
        return None
    alternative = make_alternative(_context_of(task), optimal)
    if alternative is None:
        raise UnflawableError(f"no alternative can be proved to the workflow of {case.task_key}")
    return alternative
