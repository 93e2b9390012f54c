"""Scores of transcripts: a table of scripted episodes of one hand-made job, and their outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.planner import plan
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import Action, Milestone, Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.world import Sink, World
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import FailureClass, Outcome, Score
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.transcript import Answered, EndReason, Event, ToolCall, ToolResult
from pytest_ultra.core.workflow import Call, reference
from tests.benchmark.agent_runs import make_case, run_script, tool_call

TEXT = "id,status\n1,paid\n2,open\n3,paid\n"
ROWS = [{"id": 1, "status": "paid"}, {"id": 2, "status": "open"}, {"id": 3, "status": "paid"}]
PAID = [ROWS[0], ROWS[2]]
SINK, OTHER = "https://billing.example/in", "https://billing.example/sandbox"
FILTER = {"field": "status", "operator": "eq", "value": "paid"}
CASE = make_case(PromptType.OPTIMAL)
JOB = Task(
    CASE.task_key,
    draw=0,
    world=World(
        files={"in.csv": TEXT},
        datastores={"in_db": ROWS},
        sinks={SINK: Sink("billing"), OTHER: Sink()},
        credentials={"billing": "me"},
    ),
    words="Post the paid ones.",
    milestones=(
        Milestone(Fact.of(FactKind.SESSION, "billing", True)),  # noqa: FBT003 - the fact's value
        Milestone(Fact.of(FactKind.ARTEFACT, "", TEXT)),
        Milestone(Fact.of(FactKind.ARTEFACT, "", ROWS), needs=(1,)),
        Milestone(Fact.of(FactKind.ARTEFACT, "", PAID), needs=(2,)),
        Milestone(Fact.of(FactKind.SINK, SINK, PAID), needs=(0, 3), is_deliverable=True),
    ),
    actions=(
        Action(Call("integration_authenticator", {"service": "billing"}), (), 0),
        Action(Call("file_operations_reader", {"path": "in.csv"}), (), 1),
        Action(Call("data_processing_parser", {"data": reference(2), "format": "csv"}), (1,), 2),
        Action(Call("data_processing_filter", {"data": reference(3), **FILTER}), (2,), 3),
        Action(Call("network_poster", {"url": SINK, "data": reference(4)}), (0, 3), 4),
    ),
    tools=tuple(TOOLS),
)
GUIDANCE = Guidance(JOB, plan(JOB, 1.0, 30))

AUTH = tool_call("integration_authenticator", service="billing")
READ = tool_call("file_operations_reader", path="in.csv")
SCAN = tool_call("file_operations_scanner", pattern="*")
CONNECT = tool_call("integration_connector", datastore="in_db")


def parse(data: str = "data_1") -> ToolCall:
    return tool_call("data_processing_parser", data=data, format="csv")


def select(data: str = "data_2", **other: str) -> ToolCall:
    return tool_call("data_processing_filter", data=data, **FILTER | other)


def post(data: str = "data_3", url: str = SINK) -> ToolCall:
    return tool_call("network_poster", data=data, url=url)


Turns = Sequence[Sequence[ToolCall] | str]

RIGHT: dict[str, Turns] = {
    "as planned": ([AUTH], [READ], [parse()], [select()], [post()], "Done."),
    "all in one turn": ([AUTH, READ, parse(), select(), post()], "Done."),
    "in another order": ([READ], [parse()], [AUTH], [select()], [post()], ""),
    "by another route": ([CONNECT], [select("data_1")], [AUTH], [post("data_2")], ""),
    "with extra reads": ([AUTH, READ, READ, parse(), select("data_3"), SCAN], [post("data_4"), SCAN], ""),
    "after earned errors": ([post("data_9")], [AUTH, READ, parse(), select(field="no"), select(), post()], ""),
    "up to the last turn": (*([READ] for _ in range(26)), [AUTH], [parse()], [select("data_27")], [post("data_28")]),
}

DONE = [AUTH, READ, parse(), select(), post()]
FAILING: dict[str, tuple[Turns, Outcome, FailureClass]] = {
    "nothing at all": (("Done.",), Outcome.FAILED, FailureClass.WRONG_DELIVERABLE),
    "one call": (([READ], "Done."), Outcome.FAILED, FailureClass.WRONG_DELIVERABLE),
    "two of five": (([READ, parse()], ""), Outcome.FAILED, FailureClass.WRONG_DELIVERABLE),
    "three of five": (([READ, parse(), select()], ""), Outcome.PARTIAL, FailureClass.WRONG_DELIVERABLE),
    "malformed, and left at that": (
        ([ToolCall("c", "file_operations_reader", '{"path": ')], "Sorry."),
        Outcome.FAILED,
        FailureClass.TOOL_CALL_FORMAT,
    ),
    "an unknown tool": (([tool_call("read_file", path="in.csv")], ""), Outcome.FAILED, FailureClass.TOOL_SELECTION),
    "tools beside the point": (
        ([READ, tool_call("file_operations_compressor", data="data_1", method="run_length")], ""),
        Outcome.FAILED,
        FailureClass.TOOL_SELECTION,
    ),
    "a broken schema": (
        ([READ, tool_call("data_processing_parser", data="data_1")], ""),
        Outcome.FAILED,
        FailureClass.PARAMETER_CONFIG,
    ),
    "a file that does not exist": (
        ([tool_call("file_operations_reader", path="out.csv")], ""),
        Outcome.FAILED,
        FailureClass.PARAMETER_CONFIG,
    ),
    "a field that does not exist": (
        ([AUTH, READ, parse(), select(field="state")], ""),
        Outcome.PARTIAL,
        FailureClass.PARAMETER_CONFIG,
    ),
    "too early": (([parse(), READ, AUTH], ""), Outcome.FAILED, FailureClass.SEQUENCE_ORDER),
    "without what it needs": (
        ([READ, parse(), select(), post()], ""),
        Outcome.PARTIAL,
        FailureClass.DEPENDENCY,
    ),
    "on data of the wrong kind": (([READ, select("data_1")], ""), Outcome.FAILED, FailureClass.DEPENDENCY),
    "the same mistake three times": (([post()], [post()], [post()]), Outcome.FAILED, FailureClass.GAVE_UP),
    "the wrong deliverable": (
        ([AUTH, READ, parse(), select(value="open"), post()], ""),
        Outcome.PARTIAL,
        FailureClass.WRONG_DELIVERABLE,
    ),
    "posted twice": (([*DONE, post()], ""), Outcome.FAILED, FailureClass.HARMFUL_SIDE_EFFECT),
    "posted also elsewhere": (
        ([*DONE, post(url=OTHER)], ""),
        Outcome.FAILED,
        FailureClass.HARMFUL_SIDE_EFFECT,
    ),
    "an input overwritten": (
        ([*DONE, tool_call("file_operations_writer", path="in.csv", data="data_3")], ""),
        Outcome.FAILED,
        FailureClass.HARMFUL_SIDE_EFFECT,
    ),
    "posted over and over until the turns were used up": (
        (DONE, *([post()] for _ in range(29))),
        Outcome.FAILED,
        FailureClass.HARMFUL_SIDE_EFFECT,
    ),
    "reading without end": (tuple([READ] for _ in range(30)), Outcome.FAILED, FailureClass.MAX_TURNS),
}
TRANSCRIPTS = RIGHT | {name: turns for name, (turns, _, _) in FAILING.items()}


def events_of(turns: Turns, case: Case = CASE) -> tuple[Event, ...]:
    return run_script(case, GUIDANCE, *turns).events


@pytest.mark.parametrize("name", RIGHT)
def test_the_final_state_decides_whatever_the_route(name: str) -> None:
    result = score(CASE, GUIDANCE, events_of(RIGHT[name]))
    assert (result.outcome, result.failure_class, result.milestone_coverage) == (Outcome.FULL, None, 1)


@pytest.mark.parametrize("name", FAILING)
def test_a_failure_has_its_class(name: str) -> None:
    turns, outcome, failure_class = FAILING[name]
    result = score(CASE, GUIDANCE, events_of(turns))
    assert (result.outcome, result.failure_class) == (outcome, failure_class)
    assert result.efficiency is None


@pytest.mark.parametrize("reason", EndReason)
@pytest.mark.parametrize("turns", [(), ([READ],), ([*DONE, post()],)])
def test_the_last_event_decides_how_an_episode_ended(reason: EndReason, turns: Turns) -> None:
    """Errors are failures of the infrastructure, never of the model; an agent timeout is a failure of the model."""
    conversation = run_script(CASE, GUIDANCE, *turns).end(reason)
    result = score(CASE, GUIDANCE, conversation.events)
    is_harmful = len(turns) and len(turns[0]) > 1
    expected: dict[EndReason, tuple[Outcome, FailureClass | None]] = {
        EndReason.ENDPOINT: (Outcome.ERROR, FailureClass.ENDPOINT),
        EndReason.RATE_LIMIT: (Outcome.ERROR, FailureClass.RATE_LIMIT),
        EndReason.AGENT_SETUP: (Outcome.ERROR, FailureClass.AGENT_SETUP),
        EndReason.HARNESS: (Outcome.ERROR, FailureClass.HARNESS),
        EndReason.SKIPPED: (Outcome.SKIPPED, None),
        EndReason.STOPPED: (Outcome.FAILED, FailureClass.WRONG_DELIVERABLE),
        EndReason.MAX_TURNS: (Outcome.FAILED, FailureClass.MAX_TURNS),
        EndReason.AGENT_TIMEOUT: (Outcome.FAILED, FailureClass.AGENT_TIMEOUT),
        EndReason.GAVE_UP: (Outcome.FAILED, FailureClass.GAVE_UP),
        EndReason.MALFORMED_GENERATION: (Outcome.FAILED, FailureClass.MALFORMED_GENERATION),
        EndReason.CONTEXT_OVERFLOW: (Outcome.FAILED, FailureClass.CONTEXT_OVERFLOW),
        EndReason.TRUNCATED: (Outcome.FAILED, FailureClass.TRUNCATED),
        EndReason.REFUSED: (Outcome.FAILED, FailureClass.REFUSED),
        EndReason.AGENT_ERROR: (Outcome.FAILED, FailureClass.AGENT_ERROR),
    }
    outcome, failure_class = expected[reason]
    if is_harmful and outcome is Outcome.FAILED and reason is not EndReason.AGENT_ERROR:
        failure_class = FailureClass.HARMFUL_SIDE_EFFECT
    assert (result.outcome, result.failure_class) == (outcome, failure_class)
    assert outcome.is_scored == (failure_class is not None and not failure_class.is_infrastructure)


def test_events_without_an_end_are_a_failure_of_the_harness() -> None:
    assert score(CASE, GUIDANCE, ()).failure_class is FailureClass.HARNESS


def without_session(needs: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(need - 1 for need in needs if need)


def test_partial_needs_more_than_half_of_the_milestones() -> None:
    """Two of four are not enough; three are."""
    job = msgspec.structs.replace(
        JOB,
        world=msgspec.structs.replace(JOB.world, sinks={SINK: Sink()}),
        milestones=tuple(msgspec.structs.replace(m, needs=without_session(m.needs)) for m in JOB.milestones[1:]),
        actions=tuple(Action(a.call, without_session(a.needs), a.reaches - 1) for a in JOB.actions[1:]),
    )
    guidance = Guidance(job, GUIDANCE.optimal)
    for calls, outcome in (
        ([READ, parse()], Outcome.FAILED),
        ([READ, parse(), select()], Outcome.PARTIAL),
        ([READ, parse(), select(), post()], Outcome.FULL),
    ):
        assert score(CASE, guidance, run_script(CASE, guidance, calls, "").events).outcome is outcome


@pytest.mark.parametrize(
    ("name", "efficiency"), [("as planned", 1), ("by another route", 5 / 4), ("with extra reads", 5 / 8)]
)
def test_efficiency_is_the_calls_of_the_route_over_those_made(name: str, efficiency: float) -> None:
    assert score(CASE, GUIDANCE, events_of(RIGHT[name])).efficiency == pytest.approx(efficiency)


def test_a_correct_answer_without_a_call_has_no_efficiency() -> None:
    """A lucky guess reaches the goal without a call; the efficiency must not divide by zero."""
    job = msgspec.structs.replace(JOB, milestones=(Milestone(Fact.of(FactKind.ANSWER, "", 42), is_deliverable=True),))
    guidance = Guidance(job, GUIDANCE.optimal)
    result = score(CASE, guidance, run_script(CASE, guidance, "ANSWER: 42").events)
    assert (result.outcome, result.efficiency) == (Outcome.FULL, None)


def test_precision_recall_and_validity_are_shares() -> None:
    bad = ToolCall("c", "network_poster", "[]")
    result = score(
        CASE, GUIDANCE, events_of(([READ, tool_call("file_operations_scanner", pattern="*"), bad, post()], ""))
    )
    assert result.tool_precision == pytest.approx(2 / 3)  # reader, poster; not the scanner
    assert result.tool_recall == pytest.approx(2 / 5)
    assert result.argument_validity == pytest.approx(3 / 4)
    assert result.dependency_violations == 1
    nothing = score(CASE, GUIDANCE, events_of(("",)))
    assert (nothing.tool_precision, nothing.tool_recall, nothing.argument_validity) == (None, 0, None)


def add_faults(events: Sequence[Event]) -> tuple[Event, ...]:
    """Return the events with two random faults before each successful call."""
    changed: list[Event] = []
    for event in events:
        if isinstance(event, Answered) and event.result.is_success:
            fault = ToolResult(code="TIMEOUT", message="bad luck", is_random=True)
            changed += [msgspec.structs.replace(event, result=fault)] * 2
        changed.append(event)
    return tuple(changed)


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_random_fault_is_never_charged_to_the_model(name: str) -> None:
    events = events_of(TRANSCRIPTS[name])
    without_faults, with_faults = score(CASE, GUIDANCE, events), score(CASE, GUIDANCE, add_faults(events))
    measures = ("outcome", "failure_class", "milestone_coverage", "efficiency", "tool_precision", "tool_recall")
    assert [getattr(with_faults, name) for name in measures] == [getattr(without_faults, name) for name in measures]
    assert with_faults.dependency_violations == without_faults.dependency_violations
    assert (
        with_faults.random_faults == with_faults.recovered_faults == with_faults.tool_calls - without_faults.tool_calls
    )
    if without_faults.argument_validity is not None:
        assert with_faults.argument_validity is not None
        assert with_faults.argument_validity >= without_faults.argument_validity  # a call that met a fault was valid


def fault(call: ToolCall) -> Answered:
    arguments: dict[str, Any] = msgspec.json.decode(call.arguments)
    return Answered(1, call, arguments, ToolResult(code="TIMEOUT", is_random=True))


def score_after(*faults: ToolCall, turns: Turns) -> Score:
    return score(CASE, GUIDANCE, (*map(fault, faults), *events_of(turns)))


def test_a_fault_is_recovered_when_the_step_succeeds_later() -> None:
    assert score_after(READ, turns=([READ], "")).recovered_faults == 1
    assert score_after(READ, READ, turns=([READ], "")).recovered_faults == 2
    assert score_after(READ, turns=("",)).recovered_faults == 0
    assert score_after(READ, turns=([tool_call("file_operations_reader", path="no")], "")).recovered_faults == 0
    assert score_after(parse(), turns=([READ], "")).recovered_faults == 0


def test_a_fault_is_recovered_by_an_alternative_too() -> None:
    other = Action(Call("integration_connector", {"datastore": "in_db"}), (), 2)
    guidance = Guidance(msgspec.structs.replace(JOB, actions=(*JOB.actions, other)), GUIDANCE.optimal)
    events = (fault(parse()), *run_script(CASE, guidance, [CONNECT], "").events)
    assert score(CASE, guidance, events).recovered_faults == 1


def test_the_same_events_always_give_the_same_score() -> None:
    for turns in TRANSCRIPTS.values():
        events = events_of(turns)
        copy = msgspec.json.decode(msgspec.json.encode(events), type=tuple[Event, ...])
        assert msgspec.json.encode(score(CASE, GUIDANCE, copy)) == msgspec.json.encode(score(CASE, GUIDANCE, events))
