"""The measures of an episode: route, cause, harm, last words, sound steps and look-ups."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ultra.benchmark.decisions import Decision, Misreading, Skill
from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.goal_check import check_goal
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.scoring.route import find_cheapest_route
from pytest_ultra.benchmark.task import Action, BenchmarkGuidance, Milestone
from pytest_ultra.benchmark.world import Sink
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import FailureClass, Outcome, Score
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.transcript import Answered, Ended, EndReason, Event, Replied, Reply, ToolCall, ToolResult
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from tests.benchmark.agent_runs import make_case, run_script, tool_call
from tests.benchmark.test_scoring import (
    AUTH,
    CASE,
    CONNECT,
    DONE,
    FILTER,
    GUIDANCE,
    JOB,
    OTHER,
    READ,
    SCAN,
    SINK,
    Turns,
    parse,
    post,
    select,
)

FALLING = tool_call("data_processing_transformer", data="data_3", operation="sort", field="id", order="descending")
LOG = tool_call("utility_logger", level="info", message="posted")


def score_turns(*turns: list[ToolCall] | str, guidance: BenchmarkGuidance = GUIDANCE) -> Score:
    return score(CASE, guidance, run_script(CASE, guidance, *turns).events)


def score_end(reason: EndReason, *turns: list[ToolCall]) -> Score:
    return score(CASE, GUIDANCE, run_script(CASE, GUIDANCE, *turns).end(reason).events)


SHORT = Action(Call("integration_connector", {"datastore": "in_db"}), (), 2)
WITH_SHORT = Guidance(msgspec.structs.replace(JOB, actions=(*JOB.actions, SHORT)), GUIDANCE.optimal)
BY_CONNECTOR = [CONNECT, select("data_1"), AUTH, post("data_2")]


def test_the_route_is_the_one_that_fits_the_calls_best() -> None:
    """A short way through the connector beside the way through reader and parser."""
    task = WITH_SHORT.task
    routes = {
        called: [action.call.tool for action in find_cheapest_route(task, called)]
        for called in (
            ("file_operations_reader", "data_processing_parser"),
            ("file_operations_reader", "integration_connector"),
            ("integration_connector",),
            (),
            ("file_operations_reader", "data_processing_parser", "integration_connector"),
        )
    }
    auth, *long = [action.call.tool for action in JOB.actions]
    short = [auth, "integration_connector", *long[2:]]
    assert list(routes.values()) == [[auth, *long], short, short, short, short]


@pytest.mark.parametrize(
    ("calls", "route_calls", "efficiency"), [(BY_CONNECTOR, 4, 1.0), (DONE, 5, 1.0), ([SCAN, *BY_CONNECTOR], 4, None)]
)
def test_efficiency_precision_and_recall_are_about_the_route_that_was_taken(
    calls: list[ToolCall], route_calls: int, efficiency: float | None
) -> None:
    renumbered = [SCAN, CONNECT, select("data_2"), AUTH, post("data_3")] if calls[0] == SCAN else calls
    found = score_turns(renumbered, "", guidance=WITH_SHORT)
    assert (found.outcome, found.route_calls, found.tool_recall) == (Outcome.FULL, route_calls, 1)
    assert found.efficiency == (efficiency or pytest.approx(4 / 5))
    assert found.tool_precision == (1 if efficiency else pytest.approx(4 / 5))


def test_a_tool_off_the_route_lowers_precision_also_if_another_route_needs_it() -> None:
    found = score_turns([READ, CONNECT, select("data_2"), AUTH, post("data_3")], "", guidance=WITH_SHORT)
    assert found.tool_precision == pytest.approx(4 / 5)
    assert found.tool_recall == 1


LOOK_UP = Call("file_operations_scanner", {"pattern": "*"})
TO_LOOK_UP = Decision(Skill.LOOK_UP, "which file is meant", (LOOK_UP, LOOK_UP, JOB.actions[1].call), (Misreading(),))
WITH_DECISION = Guidance(msgspec.structs.replace(JOB, decisions=(TO_LOOK_UP,)), GUIDANCE.optimal)


@pytest.mark.parametrize(
    ("before", "route_calls", "efficiency"), [([], 5, 1), ([SCAN], 6, 1), ([SCAN, SCAN], 6, pytest.approx(6 / 7))]
)
def test_a_look_up_that_a_decision_needs_is_part_of_the_route_if_it_was_made(
    before: list[ToolCall], route_calls: int, efficiency: float
) -> None:
    """Once, and only if the route does not contain it anyway."""
    first = len(before) + 1
    done = [AUTH, READ, parse(f"data_{first}"), select(f"data_{first + 1}"), post(f"data_{first + 2}")]
    found = score_turns([*before, *done], "", guidance=WITH_DECISION)
    assert (found.outcome, found.route_calls, found.efficiency) == (Outcome.FULL, route_calls, efficiency)
    assert (found.tool_precision, found.tool_recall) == (1, 1)


def test_a_needed_look_up_that_met_a_fault_is_not_part_of_the_route() -> None:
    events = run_script(CASE, WITH_DECISION, [SCAN], "").events
    failed: tuple[Event, ...] = tuple(
        msgspec.structs.replace(event, result=ToolResult(code="TIMEOUT", is_random=True))
        if isinstance(event, Answered)
        else event
        for event in events
    )
    assert score(CASE, WITH_DECISION, events).route_calls == 6
    assert score(CASE, WITH_DECISION, failed).route_calls == 5


def test_the_route_of_an_answer_ends_with_what_the_answer_needs() -> None:
    milestones = (*JOB.milestones[:4], Milestone(Fact.of(FactKind.ANSWER, "", 2), needs=(2,), is_deliverable=True))
    task = msgspec.structs.replace(JOB, milestones=milestones, actions=JOB.actions[:4])
    assert [action.reaches for action in find_cheapest_route(task, ())] == [1, 2]


BAD_FIELD = select(field="no")
CAUSES: dict[str, tuple[EndReason, list[list[ToolCall]], FailureClass | None]] = {
    "an error": (EndReason.MAX_TURNS, [[READ, parse(), BAD_FIELD]], FailureClass.PARAMETER_CONFIG),
    "a missing input": (EndReason.AGENT_TIMEOUT, [[post()]], FailureClass.DEPENDENCY),
    "a wrong value": (
        EndReason.MAX_TURNS,
        [[AUTH, READ, parse(), select(value="open"), post()]],
        FailureClass.WRONG_DELIVERABLE,
    ),
    "a needless tool": (EndReason.MAX_TURNS, [[READ, SCAN]], FailureClass.TOOL_SELECTION),
    "nothing wrong": (EndReason.MAX_TURNS, [[READ, parse()]], None),
    "nothing at all": (EndReason.AGENT_TIMEOUT, [], None),
    "a corrected error": (EndReason.AGENT_TIMEOUT, [[READ, parse(), BAD_FIELD, select()]], None),
    "an error after a success": (
        EndReason.AGENT_TIMEOUT,
        [[READ, parse(), select(), BAD_FIELD]],
        FailureClass.PARAMETER_CONFIG,
    ),
    "an end that is its own cause": (EndReason.TRUNCATED, [[READ, parse(), BAD_FIELD]], None),
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_stays_beside_a_class_that_names_only_the_end(name: str) -> None:
    reason, turns, cause = CAUSES[name]
    found = score_end(reason, *turns)
    assert (found.failure_class, found.cause) == (FailureClass(reason.value), cause)


def test_giving_up_keeps_its_cause() -> None:
    found = score_turns([READ, parse()], [BAD_FIELD], [BAD_FIELD], [BAD_FIELD])
    assert (found.failure_class, found.cause) == (FailureClass.GAVE_UP, FailureClass.PARAMETER_CONFIG)


def test_a_class_that_is_a_cause_and_a_full_episode_have_no_other_cause() -> None:
    assert score_turns([READ, parse(), BAD_FIELD], "").cause is None
    assert score_turns(DONE, "Done.").cause is None
    assert score_end(EndReason.ENDPOINT, [post()]).cause is None


HARMFUL: dict[str, tuple[Turns, FailureClass, int, str]] = {
    "beside a right deliverable": (([*DONE, LOG], ""), FailureClass.HARMFUL_SIDE_EFFECT, 1, "unasked"),
    "twice and elsewhere": (
        ([*DONE, post(), post(), post(url=OTHER)], ""),
        FailureClass.HARMFUL_SIDE_EFFECT,
        3,
        "unasked,repeated",
    ),
    "without the deliverable": (
        ([AUTH, READ, parse(), select(), post(url=OTHER)], ""),
        FailureClass.WRONG_DELIVERABLE,
        1,
        "unasked",
    ),
    "beside an error": (
        ([AUTH, READ, parse(), select(), LOG, post("data_9")], ""),
        FailureClass.DEPENDENCY,
        1,
        "unasked",
    ),
    "until the turns were used up": (
        (DONE[:4], *([LOG] for _ in range(29))),
        FailureClass.MAX_TURNS,
        29,
        "unasked",
    ),
    "with an input overwritten": (
        ([AUTH, READ, parse(), select(), tool_call("file_operations_writer", path="in.csv", data="data_3")], ""),
        FailureClass.TOOL_SELECTION,
        1,
        "changed",
    ),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harm_is_counted_whatever_else_was_reached_and_never_partial(name: str) -> None:
    turns, failure_class, harms, kinds = HARMFUL[name]
    found = score(CASE, GUIDANCE, run_script(CASE, GUIDANCE, *turns).events)
    assert (found.outcome, found.failure_class, found.harms, found.harm_kinds) == (
        Outcome.FAILED,
        failure_class,
        harms,
        kinds,
    )
    assert len(check_goal(GUIDANCE, run_script(CASE, GUIDANCE, *turns).events).harms) == harms


def test_without_harm_the_count_is_zero_and_no_kind_is_named() -> None:
    found = score_turns(DONE, "")
    assert (found.outcome, found.harms, found.harm_kinds) == (Outcome.FULL, 0, "")


@pytest.mark.parametrize(
    ("calls", "words", "claimed", "is_false"),
    [
        ([READ], "Done.", True, True),
        ([READ], "NOT DONE: no session", False, False),
        (DONE, "Done.", True, False),
        (DONE, "NOT DONE: I could not check it", False, False),
        ([*DONE, LOG], "All done.", True, True),
    ],
)
def test_last_words_that_claim_success_are_false_if_the_job_was_not_done(
    calls: list[ToolCall], words: str, *, claimed: bool, is_false: bool
) -> None:
    found = score_turns(calls, words)
    assert (found.claimed_done, found.is_false_success) == (claimed, is_false)


def test_a_model_that_did_not_end_the_episode_claims_nothing() -> None:
    for reason in (EndReason.MAX_TURNS, EndReason.GAVE_UP, EndReason.TRUNCATED):
        found = score_end(reason, [READ])
        assert (found.claimed_done, found.is_false_success) == (None, False)


def sound(*turns: list[ToolCall] | str) -> tuple[int, int]:
    found = score_turns(*turns)
    return found.sound_steps, found.distrusted_steps


def test_a_sound_plan_that_is_carried_out_is_not_distrusted() -> None:
    assert sound(DONE, "") == (5, 0)
    assert sound([AUTH], [READ, READ], [parse("data_2")], [select("data_3")], [post("data_4")], "") == (5, 0)


def test_a_needed_step_that_was_left_undone_is_distrusted() -> None:
    assert sound([AUTH, READ, parse(), select(value="open"), post()], "") == (5, 1)
    assert sound([READ], "") == (5, 4)


def test_a_step_whose_purpose_was_reached_in_another_way_is_not_distrusted() -> None:
    assert sound([CONNECT, select("data_1"), AUTH, post("data_2")], "") == (5, 0)


def test_steps_that_the_model_did_not_come_to_are_not_counted() -> None:
    assert score_end(EndReason.MAX_TURNS, [AUTH, READ]).sound_steps == 2
    assert score_end(EndReason.MAX_TURNS, [AUTH, READ, parse()]).distrusted_steps == 0
    stopped = score_end(EndReason.GAVE_UP, [AUTH, READ])
    assert (stopped.sound_steps, stopped.distrusted_steps) == (5, 3)
    assert sound("Nothing.") == (0, 0)


def test_a_step_that_met_a_fault_was_carried_out() -> None:
    fault = ToolResult(code="TIMEOUT", is_random=True)
    events: tuple[Event, ...] = tuple(
        msgspec.structs.replace(event, result=fault) if isinstance(event, Answered) else event
        for event in run_script(CASE, GUIDANCE, [AUTH, READ], "").events
    )
    found = score(CASE, GUIDANCE, events)
    assert (found.sound_steps, found.distrusted_steps) == (5, 3)


def test_a_step_that_uses_the_second_of_two_equal_steps_is_recognised_by_its_output() -> None:
    """The parser met a fault, so that only the call shows that the plan was followed."""
    auth, read, to_parse = (action.call for action in JOB.actions[:3])
    twice = Call(to_parse.tool, {**to_parse.arguments, "data": reference(3)})
    guidance = Guidance(JOB, Workflow((Step(auth), Step(read), Step(read), Step(twice))))
    for data, distrusted in (("data_2", 0), ("data_9", 1)):
        events = run_script(CASE, guidance, [AUTH, READ, READ, parse(data)], "").events
        fault = ToolResult(code="TIMEOUT", is_random=True)
        faulty = tuple(
            msgspec.structs.replace(event, result=fault)
            if isinstance(event, Answered) and event.call.name == to_parse.tool
            else event
            for event in events
        )
        found = score(CASE, guidance, faulty)
        assert (found.sound_steps, found.distrusted_steps) == (3, distrusted)


def test_a_conditional_step_and_one_without_a_purpose_are_not_needed() -> None:
    check = Step(Call("file_operations_scanner", {"pattern": "*"}))
    steps = GUIDANCE.optimal.steps
    odd = Workflow((check, msgspec.structs.replace(steps[0], only_if_failed=1)))
    guidance = Guidance(JOB, odd)
    assert score_turns([SCAN], "", guidance=guidance).sound_steps == 0


@pytest.mark.parametrize("prompt_type", [PromptType.BASELINE, PromptType.COT])
def test_without_a_plan_no_step_is_sound(prompt_type: PromptType) -> None:
    case = make_case(prompt_type)
    assert score(case, GUIDANCE, run_script(case, GUIDANCE, DONE, "").events).sound_steps == 0


LOOK_UPS: dict[str, tuple[list[ToolCall], int]] = {
    "none": (DONE, 0),
    "a look beside the plan": ([*DONE, SCAN, SCAN], 2),
    "the same file again": ([*DONE, READ], 1),
    "another way that was used": (BY_CONNECTOR, 0),
    "another way that was only looked at": ([*DONE, CONNECT], 1),
    "a look that found nothing": ([*DONE, tool_call("file_operations_reader", path="none")], 0),
    "a change": ([*DONE, LOG], 0),
    "a session": ([*DONE, AUTH], 1),
    "work on data that was thrown away": ([*DONE, FALLING], 1),
    "the plan's work with another value": ([AUTH, READ, parse(), select(value="open")], 1),
}


@pytest.mark.parametrize("name", LOOK_UPS)
def test_look_ups_are_calls_that_only_look_and_that_nothing_needs(name: str) -> None:
    calls, look_ups = LOOK_UPS[name]
    assert score_turns(calls, "").look_ups == look_ups


def test_a_look_that_the_plan_has_is_not_beyond_it() -> None:
    optimal = Workflow((Step(Call("file_operations_scanner", {"pattern": "*"})), *GUIDANCE.optimal.steps))
    guidance = Guidance(JOB, optimal)
    assert score_turns([*DONE, SCAN], "", guidance=guidance).look_ups == 0
    assert score_turns([*DONE, SCAN, SCAN], "", guidance=guidance).look_ups == 1


def test_the_reference_to_data_does_not_matter_for_what_a_look_up_is() -> None:
    assert GUIDANCE.optimal.steps[3].call.arguments == {"data": reference(3), **FILTER}
    assert score_turns([AUTH, CONNECT, READ, parse("data_2"), select("data_3"), post("data_4")], "").look_ups == 1


def test_what_was_delivered_stands_beside_what_was_wanted() -> None:
    calls = [AUTH, READ, parse(), select(value="open"), post()]
    goal = check_goal(GUIDANCE, run_script(CASE, GUIDANCE, calls, "").events)
    (missed,) = [milestone for milestone in goal.milestones if milestone.delivered]
    assert (missed.place, missed.delivered) == (f"sink {SINK}", ([{"id": 2, "status": "open"}],))
    assert missed.differences[0].split("; ") == [
        "1 items, wanted 2",
        '2 missing, first {"id": 1, "status": "paid"}',
        '1 not wanted, first {"id": 2, "status": "open"}',
    ]


def test_what_was_there_before_is_not_shown_as_delivered_but_the_same_again_is() -> None:
    wrong = [{"id": 2, "status": "open"}]
    world = msgspec.structs.replace(JOB.world, sinks={SINK: Sink("billing", payloads=(wrong, "old"))})
    guidance = Guidance(msgspec.structs.replace(JOB, world=world), GUIDANCE.optimal)
    for calls, delivered in (([AUTH, READ, parse(), select(value="open"), post()], (wrong,)), ([READ], ())):
        goal = check_goal(guidance, run_script(CASE, guidance, calls, "").events)
        assert goal.milestones[-1].delivered == delivered


def test_an_answer_is_shown_as_it_was_given() -> None:
    wanted = Milestone(Fact.of(FactKind.ANSWER, "", 2), needs=(2,), is_deliverable=True)
    guidance = Guidance(msgspec.structs.replace(JOB, milestones=(*JOB.milestones[:4], wanted)), GUIDANCE.optimal)
    for words, delivered in (("ANSWER: 3 rows", ("3 rows",)), ("ANSWER: 3", (3,)), ("NOT DONE: x", ())):
        assert check_goal(guidance, run_script(CASE, guidance, words).events).milestones[-1].delivered == delivered


def test_a_fault_is_recovered_only_by_a_tool_that_serves_the_same_milestone() -> None:
    fault = Answered(1, parse(), {"data": "data_1", "format": "csv"}, ToolResult(code="TIMEOUT", is_random=True))
    for reaches, recovered in ((2, 1), (3, 0)):
        action = msgspec.structs.replace(SHORT, reaches=reaches)
        guidance = Guidance(msgspec.structs.replace(JOB, actions=(*JOB.actions, action)), GUIDANCE.optimal)
        events = (fault, *run_script(CASE, guidance, [CONNECT], "").events)
        assert score(CASE, guidance, events).recovered_faults == recovered


def test_words_beside_the_calls_of_a_stopped_model_are_no_answer() -> None:
    wanted = Milestone(Fact.of(FactKind.ANSWER, "", 2), needs=(2,), is_deliverable=True)
    guidance = Guidance(msgspec.structs.replace(JOB, milestones=(*JOB.milestones[:4], wanted)), GUIDANCE.optimal)
    for words, end, outcome in (
        ("There are 2", EndReason.STOPPED, Outcome.FULL),
        ("There are 2", EndReason.MAX_TURNS, Outcome.FAILED),
        ("ANSWER: 2", EndReason.MAX_TURNS, Outcome.FULL),
    ):
        replied = (Replied(1, Reply(words)), Ended(end))
        assert score(CASE, guidance, replied).outcome is outcome
