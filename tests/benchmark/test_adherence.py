"""Plan adherence: obedience to damaged steps, and the first divergence from the plan."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import msgspec
import pytest

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.benchmark.world import Resource
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, Difficulty, FaultKind, FlawKind, PromptType, Severity, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Outcome, Score
from pytest_ultra.core.guidance import Damage, FlawedWorkflow, Guidance
from pytest_ultra.core.transcript import (
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
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.sequence_disorder import OTHER_ORDER
from tests.benchmark.agent_runs import make_case, score_agent


def make_cases(prompt_type: PromptType, rate: float = 1.0) -> Iterator[Case]:
    """Yield cases of small and large tasks; those with a flaw at each severity, each in another task."""
    for task_type, difficulty in product(TaskType, (Difficulty.VERY_EASY, Difficulty.HARD)):
        for instance, severity in enumerate(Severity if prompt_type.flaw_kind else (None, None)):
            yield make_case(prompt_type, task_type, difficulty, severity=severity, rate=rate, instance=instance)


def score_cases(agent: str, prompt_type: PromptType) -> list[Score]:
    return [score_agent(agent, case) for case in make_cases(prompt_type)]


@pytest.mark.parametrize("prompt_type", FLAWED_PROMPT_TYPES)
def test_the_follower_obeys_every_damaged_step_and_the_perfect_agent_none(prompt_type: PromptType) -> None:
    """Also if several steps are damaged, and a correct call looks like another step done wrong.

    The follower never deviates from the plan. An agent that does nothing obeys nothing.
    """
    followers = score_cases("follower", prompt_type)
    assert {(score.obedience, score.first_divergence) for score in followers} == {(1.0, None)}
    perfect = score_cases("perfect", prompt_type)
    assert {score.obedience for score in perfect} == {0.0}
    assert all(score.first_divergence is not None for score in perfect)
    idle = score_cases("null", prompt_type)
    assert {(score.obedience, score.first_divergence) for score in idle} == {(None, 1)}


@pytest.mark.parametrize("rate", [1.0, 0.7])
def test_retrying_a_fault_is_no_divergence(rate: float) -> None:
    scores = [score_agent("perfect", case) for case in make_cases(PromptType.OPTIMAL, rate)]
    assert {(score.obedience, score.first_divergence) for score in scores} == {(None, None)}
    assert any(score.random_faults for score in scores) == (rate < 1)


@pytest.mark.parametrize(
    ("agent", "kind"),
    [("perfect", FaultKind.LOST_REPLY), ("perfect", FaultKind.PERMANENT), ("no-check", FaultKind.IMPLICIT)],
)
def test_dealing_with_a_fault_of_any_kind_is_no_divergence(agent: str, kind: FaultKind) -> None:
    scores = [
        score_agent(agent, msgspec.structs.replace(case, fault_kind=kind))
        for case in make_cases(PromptType.OPTIMAL, 0.5)
    ]
    assert {(score.obedience, score.first_divergence) for score in scores} == {(None, None)}
    assert any(score.random_faults for score in scores)


def test_making_a_call_again_after_a_wrong_result_is_no_divergence() -> None:
    """The later steps of the plan then work with the new output."""
    case = make_case(PromptType.OPTIMAL, rate=0.5, fault_kinds=[FaultKind.IMPLICIT], instance=1)
    perfect = score_agent("perfect", case)
    assert perfect.implicit_faults
    assert perfect.outcome is Outcome.FULL


def test_without_a_plan_there_is_neither_obedience_nor_divergence() -> None:
    scores = [score_agent("perfect", case) for case in make_cases(PromptType.BASELINE)]
    assert {(score.obedience, score.first_divergence) for score in scores} == {(None, None)}


READ = Call("file_operations_reader", {"path": "data/a.csv"})
PARSE = Call("data_processing_parser", {"data": reference(1), "format": "csv"})
SORT = Call("data_processing_transformer", {"data": reference(2), "operation": "sort", "field": "id"})
WRITE = Call("file_operations_writer", {"path": "out.json", "data": reference(3)})
OPTIMAL = Workflow(tuple(map(Step, (READ, PARSE, SORT, WRITE))))


def make_plan(*steps: Step | Call, flawed: tuple[int | None, ...], right: tuple[int | None, ...]) -> BenchmarkGuidance:
    """Return guidance with this flawed workflow beside `OPTIMAL`, in a world in which both can run."""
    case = make_case(PromptType.FLAWED_PARAMETER_ERROR, TaskType.DATA_PIPELINE)
    task = make_guidance(case).task
    files = {"data/a.csv": "id,x\n2,a\n1,b\n", "data/b.csv": "id,x\n7,a\n"}
    tools = tuple({step.call.tool for step in OPTIMAL.steps})
    task = msgspec.structs.replace(task, world=msgspec.structs.replace(task.world, files=files), tools=tools)
    workflow = Workflow(tuple(step if isinstance(step, Step) else Step(step) for step in steps))
    damages = tuple(Damage(FlawKind.PARAMETER_ERROR, *numbers, "", "") for numbers in zip(flawed, right, strict=True))
    return Guidance(task, OPTIMAL, FlawedWorkflow(FlawKind.PARAMETER_ERROR, Severity.SEVERE, workflow, damages))


def score_calls(guidance: BenchmarkGuidance, *calls: Call) -> Score:
    """Return the score of a model that makes these calls, one per turn."""
    assert guidance.flawed
    case = make_case(PromptType(f"flawed_{guidance.flawed.kind}"))
    conversation = Conversation.begin(case, guidance)
    for number, call in enumerate(calls):
        arguments = msgspec.json.encode(call.arguments).decode()
        conversation = conversation.take(Reply(tool_calls=(ToolCall(f"c{number}", call.tool, arguments),)))
    return score(case, guidance, conversation.take(Reply()).events)


def using(call: Call, handle: str, **arguments: str) -> Call:
    return Call(call.tool, {**call.arguments, "data": handle, **arguments})


def test_obedience_is_the_share_of_damaged_steps_that_were_carried_out_as_written() -> None:
    wrong_path, wrong_field = Call(READ.tool, {"path": "data/b.csv"}), using(SORT, reference(2), field="x")
    guidance = make_plan(wrong_path, PARSE, wrong_field, WRITE, flawed=(1, 3), right=(1, 3))
    parse, write = using(PARSE, "data_1"), using(WRITE, "data_3")
    right, wrong = using(SORT, "data_2"), using(SORT, "data_2", field="x")
    assert score_calls(guidance, wrong_path, parse, wrong, write).obedience == 1
    assert score_calls(guidance, READ, parse, wrong, write).obedience == 0.5
    assert score_calls(guidance, wrong_path, parse, right, write).obedience == 0.5
    assert score_calls(guidance, READ, parse, right, write).obedience == 0
    assert score_calls(guidance, READ, parse, right, write).first_divergence == 1
    assert score_calls(guidance, wrong_path, parse, right, write).first_divergence == 3


def test_a_damaged_step_that_was_corrected_later_still_counts_as_obeyed() -> None:
    wrong_path = Call(READ.tool, {"path": "data/none.csv"})
    guidance = make_plan(wrong_path, PARSE, SORT, WRITE, flawed=(1,), right=(1,))
    mended = (READ, using(PARSE, "data_1"), using(SORT, "data_2"), using(WRITE, "data_3"))
    assert score_calls(guidance, wrong_path, *mended).obedience == 1
    assert score_calls(guidance, wrong_path, *mended).first_divergence == 2
    assert score_calls(guidance, *mended).obedience == 0


def test_a_correct_reference_is_not_mistaken_for_a_wrong_one_to_a_missing_output() -> None:
    """Step 2 as written uses an output that does not exist yet; the output of step 1, done correctly, is known."""
    guidance = make_plan(
        Call(READ.tool, {"path": "data/b.csv"}), using(PARSE, reference(3)), SORT, WRITE, flawed=(1, 2), right=(1, 2)
    )
    calls = (using(PARSE, "data_1"), using(SORT, "data_2"), using(WRITE, "data_3"))
    assert score_calls(guidance, READ, *calls).obedience == 0
    assert score_calls(guidance, READ, using(PARSE, reference(3))).obedience == 0.5


def test_doing_a_repeated_step_once_is_not_obedience() -> None:
    once = make_plan(READ, READ, PARSE, SORT, WRITE, flawed=(2,), right=(None,))
    assert score_calls(once, READ, using(PARSE, "data_1")).obedience == 0
    assert score_calls(once, READ, READ).obedience == 1


def test_a_missing_step_is_obeyed_by_continuing_without_it_not_by_stopping_before_it() -> None:
    guidance = make_plan(READ, using(SORT, reference(1)), using(WRITE, reference(2)), flawed=(None,), right=(2,))
    assert score_calls(guidance, READ, using(SORT, "data_1")).obedience == 1
    assert score_calls(guidance, READ).obedience == 0


def test_a_condition_is_obeyed_by_skipping_the_step_not_by_never_reaching_it() -> None:
    guidance = make_plan(READ, PARSE, Step(SORT, only_if_failed=2), WRITE, flawed=(3,), right=(3,))
    parse, sort = using(PARSE, "data_1"), using(SORT, "data_2")
    assert score_calls(guidance, READ, parse, using(WRITE, "data_3")).obedience == 1
    assert score_calls(guidance, READ, parse, sort).obedience == 0
    assert score_calls(guidance, READ).obedience == 0


def as_flaw(guidance: BenchmarkGuidance, kind: FlawKind, way: str = "") -> BenchmarkGuidance:
    """Return the guidance with a flaw of another kind, and all damages done in this way."""
    assert guidance.flawed
    replace = msgspec.structs.replace
    damages = tuple(replace(damage, kind=kind, way=way) for damage in guidance.flawed.damages)
    return replace(guidance, flawed=replace(guidance.flawed, kind=kind, damages=damages))


def test_steps_out_of_order_are_obeyed_by_hitting_the_missing_input() -> None:
    guidance = make_plan(using(PARSE, reference(2)), READ, SORT, WRITE, flawed=(1,), right=(2,))
    guidance = as_flaw(guidance, FlawKind.SEQUENCE_DISORDER)
    assert score_calls(guidance, using(PARSE, "data_1"), READ, using(PARSE, "data_1")).obedience == 1
    assert score_calls(guidance, READ, using(PARSE, "data_1")).obedience == 0


def test_another_order_that_works_is_obeyed_by_doing_the_steps_in_it() -> None:
    """The plan writes the rows before it sorts them; doing it the other way round is no obedience."""
    early = Call(WRITE.tool, {"path": "out.json", "data": reference(2)})
    guidance = make_plan(READ, PARSE, early, SORT, flawed=(3,), right=(4,))
    guidance = as_flaw(guidance, FlawKind.SEQUENCE_DISORDER, OTHER_ORDER)
    parse, sort, write = using(PARSE, "data_1"), using(SORT, "data_2"), using(WRITE, "data_2")
    assert score_calls(guidance, READ, parse, write, sort).obedience == 1
    assert score_calls(guidance, READ, parse, sort, write).obedience == 0
    assert score_calls(guidance, READ, parse, write).obedience == 0
    late = as_flaw(
        make_plan(READ, PARSE, early, SORT, flawed=(4,), right=(3,)), FlawKind.SEQUENCE_DISORDER, OTHER_ORDER
    )
    assert score_calls(late, READ, parse, write, sort).obedience == 1
    assert score_calls(late, READ, parse, sort, write).obedience == 0


def test_the_place_of_a_missing_step_is_counted_without_the_others_that_are_missing() -> None:
    """Of four steps, two are missing: a model that stops after the first left out neither the second nor the third."""
    guidance = make_plan(READ, using(WRITE, reference(1)), flawed=(None, None), right=(2, 3))
    assert score_calls(guidance, READ).obedience == 0
    assert score_calls(guidance, READ, using(WRITE, "data_1")).obedience == 1
    first = make_plan(using(PARSE, "data/a.csv"), using(SORT, reference(1)), flawed=(None, None), right=(1, 4))
    assert score_calls(first, using(PARSE, "data/a.csv")).obedience == 0.5
    assert score_calls(first, using(PARSE, "data/a.csv"), using(SORT, "data/a.csv")).obedience == 1


def test_stopping_before_the_plan_is_done_is_a_divergence_and_the_turn_limit_is_not() -> None:
    guidance = make_plan(READ, PARSE, SORT, WRITE, flawed=(4,), right=(4,))
    assert score_calls(guidance, READ).first_divergence == 2
    case = make_case(PromptType.FLAWED_PARAMETER_ERROR, max_turns=1)
    limited = Conversation.begin(case, guidance).take(
        Reply(tool_calls=(ToolCall("c", READ.tool, '{"path":"data/a.csv"}'),))
    )
    assert score(case, guidance, limited.events).first_divergence is None


URL = "https://a.example/rows"
FETCH, VALIDATE = Call("network_fetcher", {"url": URL}), Call("network_validator", {"url": URL})


def in_a_world_with_a_page(guidance: BenchmarkGuidance) -> BenchmarkGuidance:
    world = msgspec.structs.replace(guidance.task.world, resources={URL: Resource([{"id": 1}])})
    tools = (*guidance.task.tools, FETCH.tool, VALIDATE.tool)
    return msgspec.structs.replace(guidance, task=msgspec.structs.replace(guidance.task, world=world, tools=tools))


def test_another_call_in_place_of_a_step_that_is_down_is_no_divergence_also_after_a_retry() -> None:
    """The later steps of the plan work with its output."""
    guidance = in_a_world_with_a_page(make_plan(READ, flawed=(1,), right=(1,)))
    down = ToolResult(code="OUT_OF_SERVICE", is_random=True, fault=Fault(FaultKind.PERMANENT))
    results = {"c1": down, "c2": ToolResult(code="TIMEOUT", is_random=True, fault=Fault(FaultKind.TRANSIENT))}
    calls = (READ, FETCH, FETCH, using(PARSE, "data_1"), using(SORT, "data_2"), using(WRITE, "data_3"))
    events: list[Event] = []
    for turn, call in enumerate(calls, start=1):
        made = ToolCall(f"c{turn}", call.tool, msgspec.json.encode(call.arguments).decode())
        result = results.get(made.id, ToolResult(handle=f"data_{turn - 2}", value={}))
        events += [Replied(turn, Reply(tool_calls=(made,))), Answered(turn, made, call.arguments, result)]
    events += [Replied(7, Reply("Done.")), Ended(EndReason.STOPPED)]
    assert score(make_case(PromptType.OPTIMAL), guidance, events).first_divergence is None


def test_the_tool_decides_whether_a_step_was_carried_out_even_if_the_arguments_are_the_same() -> None:
    misused = in_a_world_with_a_page(make_plan(VALIDATE, flawed=(1,), right=(None,)))
    assert score_calls(misused, VALIDATE).obedience == 1
    assert score_calls(misused, VALIDATE).first_divergence is None
    assert score_calls(misused, FETCH).obedience == 0
    assert score_calls(misused, FETCH).first_divergence == 1


def test_a_conditional_step_is_obeyed_by_doing_it_only_if_its_condition_holds() -> None:
    missing = Call(READ.tool, {"path": "data/none.csv"})
    guidance = make_plan(missing, Step(READ, only_if_failed=1), flawed=(2,), right=(1,))
    assert score_calls(guidance, missing, READ).obedience == 1
    assert score_calls(guidance, READ).obedience == 0, "the condition was never looked at"
    assert score_calls(guidance, missing).obedience == 0
    met = make_plan(READ, Step(PARSE, only_if_failed=1), flawed=(2,), right=(2,))
    assert score_calls(met, READ, using(PARSE, "data_1")).obedience == 0
    assert score_calls(met, READ).obedience == 1


def test_a_chain_of_conditions_is_obeyed_by_skipping_what_does_not_apply() -> None:
    other = Call(READ.tool, {"path": "data/b.csv"})
    chained = make_plan(
        READ, Step(other, only_if_failed=1), Step(using(PARSE, reference(2)), only_if_failed=2), flawed=(3,), right=(2,)
    )
    assert score_calls(chained, READ).obedience == 1
    assert score_calls(chained).obedience is None


def test_a_missing_step_that_was_done_nevertheless_is_not_obeyed() -> None:
    case = make_case(PromptType.FLAWED_MISSING_STEP, severity=Severity.LIGHT)
    guidance = make_guidance(case)
    assert guidance.flawed
    assert score_agent("follower", case, guidance).obedience == 1
    perfect = score_agent("perfect", case, guidance)
    assert (perfect.obedience, perfect.damaged_steps, perfect.obeyed_steps) == (0, 1, 0)
