"""The text of a failed item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance as make_real_guidance
from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.world import Sink
from pytest_ultra.core.axes import (
    FaultKind,
    FlawKind,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
)
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.guidance import AnyGuidance, Damage, FlawedWorkflow, Guidance
from pytest_ultra.core.reference_agent import knowledge_of
from pytest_ultra.core.transcript import (
    Answered,
    Attempted,
    Discovered,
    Ended,
    EndReason,
    Fault,
    FellBack,
    Forgiven,
    Replied,
    Reply,
    ToolCall,
    ToolResult,
)
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.reporting.failure_text import explain
from tests.results_factory import (
    BILLING,
    OPTIMAL,
    call_event,
    make_case,
    make_episode,
    make_guidance,
    make_task,
    obedient_episode,
)

GOLDEN = Path(__file__).parent / "golden"


def explained(episode: Episode, guidance: AnyGuidance | None = None) -> list[str]:
    guidance = guidance or make_guidance(episode.case)
    return explain(episode, guidance, BENCHMARK.check_goal(guidance, episode.transcript)).splitlines()


def assert_golden(name: str, episode: Episode) -> None:
    """Compare with a golden file, in which the case id is blanked, because it changes with the benchmark's version."""
    shown = "\n".join(explained(episode)).replace(episode.case.case_id, "0123456789abcdef")
    assert shown + "\n" == (GOLDEN / name).read_text()


def unreachable_episode() -> Episode:
    events = (
        Attempted(1, 0.2, "status", 503, "overloaded", 1.0),
        Attempted(1, 0.2, "status", 503, "overloaded", 2.0),
        Attempted(1, 120.0, "timeout", None, "no answer"),
        Ended(EndReason.ENDPOINT, "3 attempts"),
    )
    return make_episode(
        outcome=Outcome.ERROR,
        failure_class=FailureClass.ENDPOINT,
        milestone_coverage=0.0,
        error="timeout: no answer",
        requests=3,
        turns=1,
        tool_calls=0,
        transcript=events,
    )


def test_a_reason_of_several_lines_is_shown_line_by_line_and_once() -> None:
    reason = "Not recorded.\n-old\n+new\x1b[2J"
    events = (Attempted(1, 0.0, "unrecorded", detail=reason), Ended(EndReason.ENDPOINT, reason))
    episode = make_episode(outcome=Outcome.ERROR, error=reason, transcript=events)
    lines = explained(episode)
    start = lines.index("reason: Not recorded.")
    assert lines[start + 1 : start + 3] == ["  -old", "  +new\\x1b[2J"]
    assert sum("+new" in line for line in lines) == 1


def test_an_obedient_models_failure_reads_well() -> None:
    assert_golden("failure_obedient.txt", obedient_episode())


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_narrow_terminal_gets_narrower_lines_that_say_the_same(width: int) -> None:
    crash = Ended(EndReason.AGENT_ERROR, f'  File "agent.py"\n    {"deep(" * 70}\nValueError: {"no " * 90}')
    hostile = make_episode(make_case(model="m" * 130), error=f"Not recorded.\n-{'old' * 50}", transcript=(crash,))
    for episode in (obedient_episode(), unreachable_episode(), hostile):
        guidance = make_guidance(episode.case)
        goal = BENCHMARK.check_goal(guidance, episode.transcript)
        text, whole = explain(episode, guidance, goal, width), explain(episode, guidance, goal)
        assert max(map(len, text.splitlines())) <= min(width, 100)
        assert _without_layout(text) == _without_layout(whole)


def _without_layout(text: str) -> str:
    return "".join(text.split()).replace("-", "")


def test_what_continues_a_line_is_indented_at_any_width() -> None:
    episode = obedient_episode()
    guidance = make_guidance(episode.case)
    lines = explain(episode, guidance, BENCHMARK.check_goal(guidance, episode.transcript), 60).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("       wrong address"))
    assert lines[start + 1 : start + 4] == [
        '       network_poster {"url":',
        '       "https://billing.example/invoices", "data": "<output',
        '       of step 3>"}',
    ]
    assert "  ---- here the model left the plan ".ljust(60, "-") in lines


def test_a_dead_endpoint_reads_well() -> None:
    assert_golden("failure_endpoint.txt", unreachable_episode())


def test_damaged_steps_are_marked_with_what_the_optimal_plan_says() -> None:
    lines = explained(obedient_episode())
    start = lines.index("plan, as the model saw it (! marks what tool_misuse damaged):")
    assert lines[start + 3].startswith("  ! 2. data_processing_transformer")
    assert lines[start + 5].startswith("       wrong tool; the optimal plan says 2. data_processing_parser")


def test_removed_and_added_steps_are_shown() -> None:
    added = Step(Call("utility_logger", {"message": "x"}), only_if_failed=1)
    flawed = FlawedWorkflow(
        FlawKind.MISSING_STEP,
        Severity.LIGHT,
        Workflow((OPTIMAL.steps[0], added), 1),
        (Damage(FlawKind.MISSING_STEP, None, 3, "", "left out"), Damage(FlawKind.MISSING_STEP, 2, None, "", "added")),
    )
    case = make_case(PromptType.FLAWED_MISSING_STEP, severity=Severity.LIGHT)
    lines = explained(make_episode(case), Guidance(make_task(), OPTIMAL, flawed))
    start = lines.index('  ! 2. only if step 1 failed: utility_logger {"message": "x"}')
    assert lines[start + 1 : start + 4] == [
        "       added; the optimal plan has no such step",
        "  ! (gone)",
        '       left out; the optimal plan says 3. data_processing_filter {"data": "<output of step 2>",',
    ]
    assert "    answer: the output of step 1" in lines


def test_a_prompt_without_a_plan_shows_the_optimal_one_as_such() -> None:
    assert "plan: none was shown (cot); the optimal one is" in explained(make_episode(make_case(PromptType.COT)))
    lines = explained(make_episode())
    assert "plan, as the model saw it:" in lines
    assert not any(line.startswith("  !") for line in lines)


def test_prompt_and_tool_options_other_than_the_defaults_are_named() -> None:
    unusual: dict[str, Any] = {
        "prompt_variant": PromptVariant.CANARY,
        "tool_protocol": ToolProtocol.TEXT,
        "has_tool_discovery": True,
        "flaws": 2,
    }
    case = make_case(PromptType.FLAWED_REDUNDANT_OPERATIONS, severity=Severity.SEVERE, **unusual)
    lines = explained(make_episode(case))
    assert any(line.startswith("case: flawed_redundant_operations (severe, 2 kinds), simple_task") for line in lines)
    assert "prompted with: prompt variant canary (names differ from these), tool protocol text, tool discovery" in lines
    assert not any(line.startswith("prompted with:") for line in explained(make_episode()))


def test_a_random_fault_is_marked_as_such() -> None:
    fault = "           -> random fault, not charged to the model: TIMEOUT: the disk did not answer in time"
    assert fault in explained(obedient_episode())


def test_the_turn_at_which_the_model_left_the_plan_is_marked() -> None:
    lines = explained(obedient_episode())
    mark = lines.index("  ---- here the model left the plan ".ljust(100, "-"))
    assert lines[mark + 1].startswith("  turn 4 ")
    followed = msgspec.structs.replace(obedient_episode().score, first_divergence=None)
    assert not any(
        "left the plan" in line for line in explained(msgspec.structs.replace(obedient_episode(), score=followed))
    )


def explained_run(agent: str, case: Case) -> list[str]:
    """Run a real episode of a reference agent in memory, and explain it."""
    guidance = make_real_guidance(case)
    conversation = Conversation.begin(case, guidance)
    while conversation.ended is None:
        request = conversation.request()
        conversation = conversation.take(act(agent, request.messages, knowledge_of(request)))
    events = conversation.events
    return explained(make_episode(case, score=score(case, guidance, events), transcript=events), guidance)


def verdicts(lines: list[str]) -> set[str]:
    start = next(number for number, line in enumerate(lines) if line.startswith("deliverables ("))
    return {line.split()[0] for line in lines[start + 1 :] if line[2:3] != " "}


@pytest.mark.parametrize("task_type", TaskType)
def test_deliverables_are_reached_by_the_perfect_agent_and_missed_by_none(task_type: TaskType) -> None:
    case = make_case(PromptType.FLAWED_MISSING_STEP, task_type=task_type, tool_success_rate=1.0)
    assert verdicts(explained_run("perfect", case)) == {"reached"}
    assert verdicts(explained_run("null", case)) == {"missed"}


def test_an_obedient_agent_follows_the_damaged_steps() -> None:
    case = make_case(PromptType.FLAWED_SEMANTIC_DRIFT, tool_success_rate=1.0)
    lines = explained_run("follower", case)
    assert "missed" in verdicts(lines)
    assert any(line.startswith("  ! ") for line in lines)
    assert not any("left the plan" in line for line in lines)


def test_missed_deliverables_and_harm_are_listed() -> None:
    lines = explained(obedient_episode())
    assert lines[lines.index("deliverables (2 of 5 milestones reached):") + 1 :] == [
        '  missed  sink https://billing.example/invoices: [{"id": 1, "status": "paid", "amount": 120.5},',
        '          {"id": 3, "status": "paid", "amount": 80}]',
        "    delivered: nothing",
        '  missed  notification ops@example.com: "done"',
        "    delivered: nothing",
        "  harm    sink https://archive.example/old received what the job does not ask for",
    ]


def test_what_was_delivered_stands_below_what_was_wanted() -> None:
    task = make_task()
    wrong = [{"id": 3, "status": "paid", "amount": 80}, {"id": 9, "status": "paid", "amount": 1}]
    world = msgspec.structs.replace(task.world, artefacts={"data_1": wrong}, sinks={BILLING: Sink()})
    guidance = make_guidance(make_case(), task=msgspec.structs.replace(task, world=world))
    events = call_event(1, "network_poster", {"url": BILLING, "data": "data_1"}, ToolResult(None, {"status": 201}))
    lines = explained(make_episode(outcome=Outcome.FAILED, transcript=events), guidance)
    assert lines[lines.index("deliverables (0 of 5 milestones reached):") + 3 :][:4] == [
        '    delivered: [{"id": 3, "status": "paid", "amount": 80}, {"id": 9, "status": "paid", "amount": 1}]',
        '    difference: 1 missing, first {"id": 1, "status": "paid", "amount": 120.5}; 1 not wanted, first',
        '                {"id": 9, "status": "paid", "amount": 1}',
        '  missed  notification ops@example.com: "done"',
    ]


def test_the_cause_the_harm_and_a_false_success_stand_below_the_failure_class() -> None:
    episode = make_episode(
        outcome=Outcome.FAILED,
        failure_class=FailureClass.MAX_TURNS,
        cause=FailureClass.PARAMETER_CONFIG,
        harms=2,
        harm_kinds="changed,repeated",
        claimed_done=True,
    )
    assert explained(episode)[1:5] == [
        "max_turns: the turn limit was reached before the job was done",
        "cause: parameter_config: the model called the right tool with wrong arguments",
        "harm: 2 changes that the job did not ask for (changed, repeated)",
        "false success: the last words do not say that the job was not done",
    ]


@pytest.mark.parametrize("failure_class", FailureClass)
def test_the_failure_class_stands_beside_the_outcome_in_words(failure_class: FailureClass) -> None:
    first, second, *_ = explained(make_episode(outcome=Outcome.FAILED, failure_class=failure_class))
    assert first == "failed: the job was not done"
    assert second.startswith(f"{failure_class}: ")


def test_an_error_shows_the_problem_and_the_attempts() -> None:
    lines = explained(unreachable_episode())
    assert lines[2:4] == [
        "reason: timeout: no answer",
        "requests: 3 made; failed: 2 x status 503, 1 x timeout",
    ]
    assert "  turn 1   request failed: status 503 after 0.2 s, waited 1.0 s: overloaded" in lines


def test_an_error_before_any_request_says_so() -> None:
    episode = make_episode(outcome=Outcome.ERROR, error="bug", requests=0)
    assert {"requests: 0 made; failed: none", "transcript: none"} <= set(explained(episode))


def test_a_skipped_case_says_why() -> None:
    lines = explained(make_episode(outcome=Outcome.SKIPPED, error="budget spent"))
    assert lines[:2] == ["skipped: the case was not run; this is not scored", "reason: budget spent"]


def test_hostile_and_endless_output_is_escaped_and_cut() -> None:
    call = ToolCall("x", "\x1b[2Jtool", "{broken \x07" + "y" * 5000)
    events = (
        Replied(1, Reply("\x1b]0;title\x07" + "z" * 9000, (call, call))),
        Answered(1, call, None, ToolResult(code="MALFORMED_ARGUMENTS", message="\x1b[31m" + "m" * 4000)),
        Answered(1, call, {}, ToolResult("data_1", {"\x1b": "v" * 4000})),
        Attempted(2, 0.1, "status", 500, "\r\n<html>" * 500),
        Ended(EndReason.STOPPED, "d" * 500),
    )
    case = make_case(model="evil\x1b[0m" * 40)
    text = "\n".join(explained(make_episode(case, error="\x9b" * 900, transcript=events)))
    assert text.replace("\n", "").isprintable()
    assert max(map(len, text.splitlines())) <= 100
    assert len(text.splitlines()) < 60
    assert r"says: \x1b]0;title\x07zzz" in text
    assert "characters)" in text


def test_a_handle_is_shown_once_with_its_preview() -> None:
    result = ToolResult("data_1", {"handle": "data_1", "rows": 3})
    lines = explained(make_episode(transcript=(Answered(1, ToolCall("x", "tool", "{}"), {}, result),)))
    assert '           -> data_1: {"rows": 3}' in lines


def test_all_calls_of_a_turn_are_shown_under_it() -> None:
    call = ToolCall("x", "tool", "{}")
    events = (Replied(1, Reply("", (call, call))), *[Answered(1, call, {}, ToolResult(None, n)) for n in (1, 2)])
    lines = explained(make_episode(transcript=events))
    start = lines.index("transcript:")
    assert lines[start + 1 : start + 5] == [
        "  turn 1   tool {}",
        "           -> 1",
        "           tool {}",
        "           -> 2",
    ]


def test_protocols_and_discovery_are_shown_in_the_transcript() -> None:
    text = '<tool_call>{"name": "describe_tool", "parameters": {"name": "no_such"}}'
    call = ToolCall("c", "describe_tool", '{"name": "no_such"}')
    unknown = ToolResult(code="UNKNOWN_TOOL", message="There is no tool named 'no_such'.")
    events = (
        Attempted(1, 0.1, "status", 400, "no tools"),
        FellBack(1, "status 400: no tools"),
        Attempted(1, 0.1),
        Replied(1, Reply(text), (Forgiven.UNCLOSED_TAG, Forgiven.OTHER_KEY)),
        Discovered(1, call, {"name": "no_such"}, unknown),
        Ended(EndReason.STOPPED),
    )
    lines = explained(make_episode(transcript=events))
    start = lines.index("transcript:")
    assert lines[start + 1 : start + 8] == [
        "  turn 1   request failed: status 400 after 0.1 s: no tools",
        "           continues in the text protocol, because the endpoint rejects tools: status 400: no tools",
        f"           says: {text}",
        "           forgiven in its calls: unclosed_tag, other_key",
        '           looks for tools: describe_tool {"name": "no_such"}',
        "           -> UNKNOWN_TOOL: There is no tool named 'no_such'.",
        "  end      the model stopped calling tools",
    ]


def test_a_fault_is_shown_with_what_it_did_and_the_one_that_cost_the_goal_is_named() -> None:
    lost = ToolResult(code="NO_REPLY", message="Look.", is_random=True, fault=Fault(FaultKind.LOST_REPLY, "happened"))
    wrong = ToolResult("data_1", {"handle": "data_1", "kind": "text"}, fault=Fault(FaultKind.IMPLICIT, "truncated", 7))
    calls = [Answered(turn, ToolCall("c", "t", "{}"), {}, result) for turn, result in enumerate((lost, wrong), start=1)]
    episode = make_episode(
        make_case(fault_kind="lost_reply+implicit"),
        Outcome.FAILED,
        failure_class=FailureClass.UNRECOVERED_FAULT,
        unrecovered_fault="implicit fault (truncated) of t in turn 2",
        transcript=(*calls, Ended(EndReason.STOPPED)),
    )
    text = " ".join(" ".join(explained(episode)).split())
    assert "the model did not deal with it: implicit fault (truncated) of t in turn 2" in text
    assert "-> random fault, not charged to the model (happened): NO_REPLY: Look." in text
    assert '-> random fault, the result is wrong (truncated): data_1: {"kind": "text"}' in text
    assert "faults lost_reply+implicit" in text
