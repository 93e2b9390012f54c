"""Random faults of every kind in transcripts of one hand-made job: how many were met, recovered from, and blamed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import Action, BenchmarkGuidance, Milestone, Task
from pytest_ultra.benchmark.tool_faults import repeat_call
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import invoke, replace_artefact
from pytest_ultra.benchmark.world import Sink, World
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.episode import FailureClass, Outcome, Score
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.transcript import (
    HAPPENED,
    NOT_HAPPENED,
    Answered,
    Ended,
    EndReason,
    Event,
    Fault,
    Replied,
    Reply,
    ToolCall,
    ToolResult,
)
from pytest_ultra.core.workflow import Call, reference
from pytest_ultra.faults.fault_texts import NO_REPLY, OUT_OF_SERVICE
from pytest_ultra.faults.mutators import MUTATORS, mutate
from tests.benchmark.agent_runs import make_case, tool_call

ROWS = [{"id": number, "status": "paid" if number % 2 else "open"} for number in range(1, 9)]
TEXT = "id,status\n" + "".join(f"{row['id']},{row['status']}\n" for row in ROWS)
PAID = ROWS[::2]
SINK = "https://billing.example/in"
FILTER = {"field": "status", "operator": "eq", "value": "paid"}
COUNTED = {"function": "count", "field": "id"}
CASE = make_case()
JOB = Task(
    CASE.task_key,
    draw=0,
    world=World(
        files={"in.csv": TEXT, "other.csv": "id\n1\n"}, datastores={"in_db": ROWS}, sinks={SINK: Sink()}, queues={}
    ),
    words="Post and write the paid ones, and say how many there are.",
    milestones=(
        Milestone(Fact.of(FactKind.ARTEFACT, "", TEXT)),
        Milestone(Fact.of(FactKind.ARTEFACT, "", ROWS), needs=(0,)),
        Milestone(Fact.of(FactKind.ARTEFACT, "", PAID), needs=(1,)),
        Milestone(Fact.of(FactKind.SINK, SINK, PAID), needs=(2,), is_deliverable=True),
        Milestone(Fact.of(FactKind.FILE, "out.json", msgspec.json.encode(PAID).decode()), (2,), is_deliverable=True),
        Milestone(Fact.of(FactKind.ARTEFACT, "", [{"count_id": 4}]), needs=(2,)),
        Milestone(Fact.of(FactKind.ANSWER, "", 4), needs=(5,), is_deliverable=True),
    ),
    actions=(
        Action(Call("file_operations_reader", {"path": "in.csv"}), (), 0),
        Action(Call("data_processing_parser", {"data": reference(1), "format": "csv"}), (0,), 1),
        Action(Call("integration_connector", {"datastore": "in_db"}), (), 1),
        Action(Call("data_processing_filter", {"data": reference(2), **FILTER}), (1,), 2),
        Action(Call("network_poster", {"url": SINK, "data": reference(3)}), (2,), 3),
        Action(Call("file_operations_writer", {"path": "out.json", "data": reference(3)}), (2,), 4),
        Action(Call("data_processing_aggregator", {"data": reference(3), **COUNTED}), (2,), 5),
    ),
    tools=tuple(TOOLS),
)
GUIDANCE: BenchmarkGuidance = Guidance(JOB, perfect_plan(JOB))

READ, READ_OTHER = (
    tool_call("file_operations_reader", path="in.csv"),
    tool_call("file_operations_reader", path="other.csv"),
)
SCAN, CONNECT = tool_call("file_operations_scanner", pattern="*"), tool_call("integration_connector", datastore="in_db")
PARSE = tool_call("data_processing_parser", data="data_1", format="csv")


def select(data: str, **other: str) -> ToolCall:
    return tool_call("data_processing_filter", data=data, **FILTER | other)


def post(data: str) -> ToolCall:
    return tool_call("network_poster", data=data, url=SINK)


def write(data: str) -> ToolCall:
    return tool_call("file_operations_writer", data=data, path="out.json")


def count(data: str) -> ToolCall:
    return tool_call("data_processing_aggregator", data=data, **COUNTED)


class Faulty(msgspec.Struct, frozen=True):
    """A call that meets a fault."""

    call: ToolCall
    kind: FaultKind
    effect: str = ""


def transient(call: ToolCall) -> Faulty:
    return Faulty(call, FaultKind.TRANSIENT)


def permanent(call: ToolCall, target: str = "") -> Faulty:
    return Faulty(call, FaultKind.PERMANENT, target)


def lost(call: ToolCall, *, has_happened: bool) -> Faulty:
    return Faulty(call, FaultKind.LOST_REPLY, HAPPENED if has_happened else NOT_HAPPENED)


def wrong(call: ToolCall) -> Faulty:
    return Faulty(call, FaultKind.IMPLICIT)


CODES = {FaultKind.TRANSIENT: "TIMEOUT", FaultKind.PERMANENT: OUT_OF_SERVICE, FaultKind.LOST_REPLY: NO_REPLY}


def answer(world: World, call: ToolCall | Faulty, arguments: dict[str, Any]) -> ToolResult:
    if isinstance(call, ToolCall):
        return invoke(world, call.name, arguments)[1]
    if call.kind is not FaultKind.IMPLICIT:
        return ToolResult(code=CODES[call.kind], is_random=True, fault=Fault(call.kind, call.effect))
    after, result = invoke(world, call.call.name, arguments)
    assert result.handle
    right = after.artefacts[result.handle]
    name = next(name for name in MUTATORS if mutate(name, right, 0) is not None)
    return replace(replace_artefact(after, result, mutate(name, right, 0))[1], fault=Fault(call.kind, name, 0))


def score_turns(
    *turns: Sequence[ToolCall | Faulty],
    words: str = "Done.",
    end: EndReason = EndReason.STOPPED,
    guidance: BenchmarkGuidance = GUIDANCE,
) -> Score:
    """Score an episode of these turns, and of a last one with these words if the model stopped of its own accord."""
    world, events = guidance.task.world, list[Event]()
    for turn, calls in enumerate(turns, start=1):
        events.append(Replied(turn, Reply()))
        for made in calls:
            call = made.call if isinstance(made, Faulty) else made
            arguments = msgspec.json.decode(call.arguments)
            event = Answered(turn, call, arguments, answer(world, made, arguments))
            world = repeat_call(world, event)
            events.append(event)
    if end is EndReason.STOPPED:
        events.append(Replied(len(turns) + 1, Reply(words)))
    return score(CASE, guidance, (*events, Ended(end)))


def counts(found: Score) -> tuple[int, int]:
    return found.recovered_faults, found.random_faults


TO_PAID = [READ, PARSE, select("data_2")]
"""Makes data_3, the rows that are to be delivered."""
ANSWER = "ANSWER: 4"


def test_an_episode_without_a_fault_has_none_to_recover_from() -> None:
    found = score_turns(TO_PAID, [post("data_3"), write("data_3")], words=ANSWER)
    assert (found.outcome, counts(found), found.unrecovered_fault) == (Outcome.FULL, (0, 0), None)


def test_each_transient_fault_counts_and_a_permanent_one_once_for_what_is_down() -> None:
    found = score_turns([transient(READ)], [transient(READ)], [READ])
    assert counts(found) == (2, 2)
    found = score_turns(*([permanent(READ)] for _ in range(3)), [permanent(READ, "in.csv")], [permanent(CONNECT)])
    assert (counts(found), found.permanent_faults, found.recovered_permanent_faults) == ((0, 3), 3, 0)


def test_the_counts_of_a_kind_are_its_own() -> None:
    calls: list[ToolCall | Faulty] = [
        wrong(READ),
        READ,
        permanent(PARSE),
        CONNECT,
        lost(post("data_3"), has_happened=False),
    ]
    found = score_turns(calls)
    assert (found.random_faults, found.permanent_faults, found.lost_reply_faults, found.implicit_faults) == (3, 1, 1, 1)
    recovered = (found.recovered_permanent_faults, found.recovered_lost_reply_faults, found.recovered_implicit_faults)
    assert recovered == (1, 0, 1)


RECOVERED: dict[str, tuple[list[ToolCall | Faulty], bool]] = {
    "the same call again": ([transient(READ), READ], True),
    "the same tool on something else": ([transient(READ), READ_OTHER], False),
    "the same call again, in vain": ([transient(PARSE), PARSE], False),
    "a call before the fault": ([READ, transient(READ_OTHER)], False),
    "another tool for the same purpose": ([READ, permanent(PARSE), CONNECT], True),
    "another tool for another purpose": ([permanent(CONNECT), READ], False),
    "what the goal does not need": ([transient(SCAN), READ], False),
    "what was there already": ([READ, transient(READ)], True),
}


@pytest.mark.parametrize("name", RECOVERED)
def test_an_explicit_fault_is_recovered_by_the_same_call_or_another_for_its_purpose(name: str) -> None:
    calls, is_recovered = RECOVERED[name]
    assert counts(score_turns(calls)) == (int(is_recovered), 1)


def test_a_needed_step_that_was_passed_over_is_recovered_once_the_goal_is_reached() -> None:
    """The reader is down; the connector brings the rows, for which the text is not needed."""
    found = score_turns(
        [permanent(READ)], [CONNECT, select("data_1")], [post("data_2"), write("data_2"), count("data_2")], words=ANSWER
    )
    assert (found.outcome, counts(found)) == (Outcome.FULL, (1, 1))


@pytest.mark.parametrize("has_happened", [True, False])
@pytest.mark.parametrize("is_repeated", [True, False])
def test_a_lost_reply_is_recovered_if_the_delivery_is_there_once(*, has_happened: bool, is_repeated: bool) -> None:
    again = [post("data_3")] if is_repeated else []
    found = score_turns(TO_PAID, [lost(post("data_3"), has_happened=has_happened)], again, [write("data_3")], words="4")
    is_right = has_happened is not is_repeated
    assert (found.outcome is Outcome.FULL, counts(found)) == (is_right, (int(is_right), 1))
    if not is_right:
        assert found.unrecovered_fault == "lost reply fault of network_poster in turn 2"
        assert found.failure_class is FailureClass.UNRECOVERED_FAULT


def test_writing_a_file_twice_after_a_lost_reply_is_no_duplicate() -> None:
    found = score_turns([*TO_PAID, lost(write("data_3"), has_happened=True), write("data_3")])
    assert counts(found) == (1, 1)


QUEUE_TASK = replace(
    JOB,
    milestones=(
        *JOB.milestones[:3],
        Milestone(Fact.of(FactKind.QUEUE, "jobs", PAID), needs=(2,), is_deliverable=True),
        Milestone(Fact.of(FactKind.QUEUE, "jobs", ROWS), needs=(1,), is_deliverable=True),
    ),
    actions=(
        *JOB.actions[:4],
        Action(Call("integration_queue", {"name": "jobs", "data": reference(3)}), (2,), 3),
        Action(Call("integration_queue", {"name": "jobs", "data": reference(2)}), (1,), 4),
    ),
)
QUEUED: dict[str, tuple[list[str], int]] = {
    "each once": (["data_3", "data_2"], 1),
    "the other twice": (["data_3", "data_2", "data_2"], 1),
    "the one with the fault twice": (["data_3", "data_3", "data_2"], 0),
    "the one with the fault in place of the other": (["data_3", "data_3"], 1),
    "the one with the fault in place of the other, and what nobody asked for": (["data_3", "data_3", "data_4"], 1),
    "the other alone": (["data_2"], 0),
}


@pytest.mark.parametrize("name", QUEUED)
def test_a_duplicate_is_one_of_what_the_lost_call_delivered_and_does_harm(name: str) -> None:
    queued, recovered = QUEUED[name]
    guidance: BenchmarkGuidance = Guidance(QUEUE_TASK, perfect_plan(QUEUE_TASK))
    first, *others = [tool_call("integration_queue", name="jobs", data=data) for data in queued]
    calls: list[ToolCall | Faulty] = [lost(first, has_happened=True), *others]
    if name == "the other alone":
        calls = [lost(tool_call("integration_queue", name="jobs", data="data_3"), has_happened=False), first]
    assert counts(score_turns([*TO_PAID, READ_OTHER], calls, guidance=guidance)) == (recovered, 1)


FROM_WRONG: list[ToolCall | Faulty] = [READ, wrong(PARSE), select("data_2")]
"""Makes data_3 from the wrong rows data_2."""
USED: dict[str, tuple[list[ToolCall | Faulty], bool]] = {
    "not noticed": (FROM_WRONG, False),
    "got again, and not used": ([*FROM_WRONG, PARSE], False),
    "got again, and used": ([*FROM_WRONG, PARSE, select("data_4")], True),
    "got again, and used otherwise": ([*FROM_WRONG, PARSE, select("data_4", value="open")], False),
    "got again, and the wrong one used again": ([*FROM_WRONG, PARSE, select("data_2")], False),
    "got again, and used by another tool": ([*FROM_WRONG, PARSE, count("data_4")], False),
    "got again before it was used": ([READ, wrong(PARSE), PARSE, select("data_3")], True),
    "one of two uses made anew": ([*FROM_WRONG, count("data_2"), PARSE, select("data_5")], False),
    "got again, and used in vain": ([*FROM_WRONG, PARSE, transient(select("data_4"))], False),
    "got again after it was used in vain": ([READ, wrong(PARSE), transient(select("data_2")), PARSE], True),
    "got again, and a call without arguments": (
        [*FROM_WRONG, PARSE, tool_call("data_processing_filter"), select("data_4")],
        True,
    ),
}


@pytest.mark.parametrize("name", USED)
def test_a_wrong_result_is_recovered_if_what_was_made_from_it_is_made_anew(name: str) -> None:
    calls, is_recovered = USED[name]
    found = score_turns(calls)
    assert (found.recovered_implicit_faults, found.implicit_faults) == (int(is_recovered), 1)


@pytest.mark.parametrize(("words", "recovered"), [("ANSWER: 4", 1), ("ANSWER: 5", 0), ("Done.", 0)])
def test_a_wrong_result_that_was_got_again_must_not_stay_in_the_answer(words: str, recovered: int) -> None:
    found = score_turns(TO_PAID, [wrong(count("data_3"))], [count("data_3")], words=words)
    assert counts(found) == (recovered, 1)


def test_an_answer_that_does_not_rest_on_the_wrong_result_is_no_sign_of_it() -> None:
    found = score_turns([wrong(READ)], [READ], [SCAN], words="ANSWER: 5")
    assert counts(found) == (1, 1)


def test_a_wrong_result_did_no_damage_if_everything_is_right_in_the_end() -> None:
    calls: list[ToolCall | Faulty] = [*FROM_WRONG, CONNECT, select("data_4"), post("data_5"), write("data_5")]
    found = score_turns(calls, words=ANSWER)
    assert (found.outcome, counts(found)) == (Outcome.FULL, (1, 1))


def test_the_fault_that_cost_the_goal_is_named_with_its_kind_effect_and_turn() -> None:
    assert score_turns([READ], [permanent(PARSE)]).unrecovered_fault == (
        "permanent fault of data_processing_parser in turn 2"
    )
    found = score_turns([READ], [SCAN], [wrong(PARSE)], [select("data_3")])
    effect = next(name for name in MUTATORS if mutate(name, ROWS, 0) is not None).replace("_", " ")
    assert found.unrecovered_fault == f"implicit fault ({effect}) of data_processing_parser in turn 3"
    assert found.failure_class is FailureClass.UNRECOVERED_FAULT


def test_the_first_of_two_faults_is_blamed() -> None:
    found = score_turns([transient(READ)], [permanent(CONNECT)], [SCAN])
    assert found.unrecovered_fault == "transient fault of file_operations_reader in turn 1"


def test_a_fault_that_was_tried_again_is_not_blamed_but_the_last_try_is() -> None:
    found = score_turns([transient(READ)], [transient(READ)], [SCAN])
    assert found.unrecovered_fault == "transient fault of file_operations_reader in turn 2"
    assert score_turns([permanent(READ)], [permanent(READ)]).unrecovered_fault == (
        "permanent fault of file_operations_reader in turn 1"
    )
    assert score_turns([transient(READ)], [READ_OTHER]).unrecovered_fault is not None


def test_a_fault_in_the_last_turn_could_not_be_dealt_with() -> None:
    assert score_turns([SCAN], [transient(READ)], end=EndReason.MAX_TURNS).unrecovered_fault is None
    assert score_turns([transient(READ)], [SCAN], end=EndReason.MAX_TURNS).unrecovered_fault is not None


def test_a_fault_that_no_missed_deliverable_rests_on_is_not_blamed() -> None:
    assert score_turns([transient(SCAN)], [READ]).unrecovered_fault is None
    done = score_turns(TO_PAID, [transient(count("data_3"))], [post("data_3")], words=ANSWER)
    assert done.unrecovered_fault is None, "the answer is right; only the file is missing"
    assert score_turns(TO_PAID, [transient(count("data_3"))], words="Done.").unrecovered_fault is not None


def test_a_fault_is_not_blamed_for_a_deliverable_that_does_not_rest_on_what_it_was_for() -> None:
    """The wrong selection was sorted, which is never made good; but what is missing are all the rows."""
    guidance: BenchmarkGuidance = Guidance(QUEUE_TASK, perfect_plan(QUEUE_TASK))
    sort = tool_call("data_processing_transformer", data="data_3", operation="sort", field="id", order="descending")
    turns: list[ToolCall | Faulty] = [READ, PARSE, wrong(select("data_2")), sort, select("data_2")]
    queues = [tool_call("integration_queue", name="jobs", data=data) for data in ("data_5", "data_2")]
    found = score_turns(turns, [queues[0]], guidance=guidance)
    assert (counts(found), found.unrecovered_fault) == ((0, 1), None)
    assert score_turns(turns, [queues[1]], guidance=guidance).unrecovered_fault is not None


@pytest.mark.parametrize("end", EndReason)
def test_a_fault_is_blamed_only_where_the_end_can_come_from_it(end: EndReason) -> None:
    found = score_turns([transient(READ)], [SCAN], end=end)
    can_come_from_it = {EndReason.STOPPED, EndReason.MAX_TURNS, EndReason.AGENT_TIMEOUT, EndReason.GAVE_UP}
    assert (found.unrecovered_fault is not None) == (end in can_come_from_it)


def test_harm_beside_all_deliverables_is_blamed_on_a_fault_only_if_it_comes_from_it() -> None:
    log = tool_call("utility_logger", level="info", message="posted")
    found = score_turns([transient(READ)], TO_PAID, [post("data_3"), write("data_3"), log], words=ANSWER)
    assert (found.failure_class, found.unrecovered_fault) == (FailureClass.HARMFUL_SIDE_EFFECT, None)
