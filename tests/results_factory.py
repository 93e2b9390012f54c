"""Made-up but realistic tasks, guidance and episodes for the tests of storage, analysis and reporting."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.task import Action, BenchmarkGuidance, Milestone, Task
from pytest_ultra.benchmark.world import Sink, World
from pytest_ultra.core.axes import Difficulty, FlawKind, PromptType, Severity, TaskType
from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score, Usage
from pytest_ultra.core.guidance import Damage, FlawedWorkflow, Guidance
from pytest_ultra.core.transcript import (
    Answered,
    Attempted,
    Ended,
    EndReason,
    Event,
    Replied,
    Reply,
    ToolCall,
    ToolResult,
)
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, render

ORDERS = "id,status,amount\n1,paid,120.5\n2,open,15\n3,paid,80\n"
PAID = [{"id": 1, "status": "paid", "amount": 120.5}, {"id": 3, "status": "paid", "amount": 80}]
TABLE = [PAID[0], {"id": 2, "status": "open", "amount": 15}, PAID[1]]
BILLING, ARCHIVE = "https://billing.example/invoices", "https://archive.example/old"
CALLS = (
    Call("file_operations_reader", {"path": "orders.csv"}),
    Call("data_processing_parser", {"data": reference(1), "format": "csv"}),
    Call("data_processing_filter", {"data": reference(2), "field": "status", "operator": "eq", "value": "paid"}),
    Call("network_poster", {"url": BILLING, "data": reference(3)}),
)
OPTIMAL = Workflow(
    (
        Step(CALLS[0], fallback=Call("file_operations_scanner", {"pattern": "orders*"})),
        Step(CALLS[1]),
        Step(CALLS[2]),
        Step(CALLS[3]),
    )
)
WRONG_PARSER = Call("data_processing_transformer", {"data": reference(1), "operation": "lowercase", "field": "status"})
WRONG_POST = Call("network_poster", {"url": ARCHIVE, "data": reference(3)})
MISUSE = FlawedWorkflow(
    FlawKind.TOOL_MISUSE,
    Severity.MEDIUM,
    Workflow((OPTIMAL.steps[0], Step(WRONG_PARSER), OPTIMAL.steps[2], Step(WRONG_POST))),
    (Damage(FlawKind.TOOL_MISUSE, 2, 2, "", "wrong tool"), Damage(FlawKind.TOOL_MISUSE, 4, 4, "", "wrong address")),
)

DERIVED_FIELDS = ("control_case_id", "started_at_utc")
"""Fields of the JSON document that the store has no column for: a query computes them from others."""


def make_case(prompt_type: PromptType = PromptType.OPTIMAL, *, model: str = "gpt-4o-mini", **axes: Any) -> Case:
    values: dict[str, Any] = {
        "task_type": TaskType.SIMPLE_TASK,
        "difficulty": Difficulty.EASY,
        "tool_success_rate": 0.8,
        "severity": Severity.SEVERE if prompt_type.flaw_kind else None,
        "instance": 0,
        "repeat": 0,
        "seed": 0,
    }
    return Case(model, prompt_type, **(values | axes))


def make_nodeid(case: Case) -> str:
    axes = f"{case.model}-{case.prompt_type}-{case.task_type}-{case.difficulty}-{case.instance}"
    return f"pytest_ultra/suite/test_workflows.py::test_workflow[{axes}]"


def make_episode(case: Case | None = None, outcome: Outcome = Outcome.FULL, **fields: Any) -> Episode:
    """Make an episode; `fields` may also name fields of `Score` and `Usage`."""
    case = case or make_case()
    score = {"milestone_coverage": 1.0, "tool_calls": 5, "reference_calls": 4, "turns": 6} | _take(fields, Score)
    usage = {"requests": 6, "prompt_tokens": 4000, "completion_tokens": 300, "model_time_s": 4.2} | _take(fields, Usage)
    values: dict[str, Any] = {"worker": "gw0", "started_at": 1_700_000_000.0, "duration_s": 5.0}
    values |= {"score": Score(outcome, **score), "usage": Usage(**usage)}
    return Episode(case, make_nodeid(case), **(values | fields))


def _take(fields: dict[str, Any], record: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: fields.pop(name) for name in record.__struct_fields__ if name in fields}


def make_task(key: TaskKey | None = None) -> Task:
    milestones = (
        Milestone(Fact.of(FactKind.ARTEFACT, "", ORDERS)),
        Milestone(Fact.of(FactKind.ARTEFACT, "", TABLE), needs=(0,)),
        Milestone(Fact.of(FactKind.ARTEFACT, "", PAID), needs=(1,)),
        Milestone(Fact.of(FactKind.SINK, BILLING, PAID), needs=(2,), is_deliverable=True),
        Milestone(Fact.of(FactKind.NOTIFICATION, "ops@example.com", "done"), is_deliverable=True),
    )
    return Task(
        key=key or make_case().task_key,
        draw=0,
        world=World(files={"orders.csv": ORDERS}, sinks={BILLING: Sink(), ARCHIVE: Sink()}),
        words="The orders of the day lie in orders.csv. Post those that are paid to https://billing.example/invoices "
        "as a list of records, and notify ops@example.com with the subject 'done' afterwards.",
        milestones=milestones,
        actions=tuple(Action(call, tuple(range(i)), i) for i, call in enumerate(CALLS)),
        tools=tuple(call.tool for call in CALLS),
    )


def make_guidance(case: Case, *, task: Task | None = None, optimal: Workflow | None = None) -> BenchmarkGuidance:
    """Make guidance with the same workflow for every task and the flaw that the case asks for."""
    flawed = None
    if case.prompt_type.flaw_kind and case.severity:
        kind, severity = case.prompt_type.flaw_kind, case.severity
        flawed = FlawedWorkflow(kind, severity, MISUSE.workflow, MISUSE.damages, case.flaws)
    alternative = Workflow(OPTIMAL.steps[::-1]) if case.prompt_type is PromptType.ALTERNATIVE else None
    return Guidance(task or make_task(case.task_key), optimal or OPTIMAL, flawed, alternative)


def call_event(turn: int, tool: str, arguments: dict[str, Any], result: ToolResult) -> tuple[Event, ...]:
    call = ToolCall(f"call_{turn}", tool, msgspec.json.encode(arguments).decode())
    return (
        Attempted(turn, 0.7),
        Replied(turn, Reply("", (call,), 900, 40, "tool_calls")),
        Answered(turn, call, arguments, result),
    )


def obedient_episode() -> Episode:
    """Make the episode of a model that follows a plan with a wrong tool and meets a random fault."""
    case = make_case(PromptType.FLAWED_TOOL_MISUSE, severity=Severity.MEDIUM)
    read, parse = {"path": "orders.csv"}, {"data": "data_1", "format": "csv"}
    lower = {"data": "data_1", "operation": "lowercase", "field": "status"}
    post = {"url": ARCHIVE, "data": "data_2"}
    fault = ToolResult(code="TIMEOUT", message="the disk did not answer in time", is_random=True)
    events = (
        *call_event(1, "file_operations_reader", read, fault),
        *call_event(2, "file_operations_reader", read, ToolResult("data_1", ORDERS)),
        *call_event(3, "data_processing_transformer", lower, ToolResult(code="WRONG_DATA", message="this is no table")),
        *call_event(4, "data_processing_parser", parse, ToolResult("data_2", {"rows": 3, "first": TABLE[:2]})),
        *call_event(5, "network_poster", post, ToolResult(None, {"status": 201})),
        Attempted(6, 0.6),
        Replied(6, Reply("I have posted the paid orders and informed operations.", (), 1500, 20)),
        Ended(EndReason.STOPPED),
    )
    return make_episode(
        case,
        Outcome.FAILED,
        failure_class=FailureClass.WRONG_DELIVERABLE,
        milestone_coverage=0.4,
        obedience=1.0,
        random_faults=1,
        recovered_faults=1,
        first_divergence=4,
        plan=render(MISUSE.workflow),
        transcript=events,
    )
