"""Workflows as text: every rendered plan is read back unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.prompts import opening
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.output_path import Path
from pytest_ultra.core.plan_follower import StepResult, advance, answer_text, begin, next_call
from pytest_ultra.core.workflow import (
    ADVICE,
    Call,
    OutputReference,
    Step,
    Workflow,
    read,
    read_reference,
    reference,
    referenced_step,
    render,
)
from tests.benchmark.agent_runs import make_case

NASTY = (
    *('say "hi"', "it's {here}", "}{", "a\nb", "\\", "", "line\u2028separator", "žluťoučký 🐎"),
    *(
        "<output of step 2>",
        "<output of step 2: lines[0].id>",
        "<output of step 2: >",
        "<output of step >",
        "1. Call x with {}",
        ". On a transient error, call it again.",
        ", only if step 1 failed",
    ),
    "If x is down in step 1, call y with {} instead.",
    "Finally, answer with <output of step 1>.",
)
TEXTS = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
CALLS = st.builds(Call, st.sampled_from(list(TOOLS)), st.dictionaries(TEXTS, VALUES, max_size=4))
STEPS = st.builds(Step, CALLS, st.none() | CALLS, st.none() | st.integers(1, 20))
PATHS = st.lists(TEXTS | st.integers(0, 20), max_size=4).map(tuple)
_STEPS = st.lists(STEPS, min_size=1, max_size=8).map(tuple)
WORKFLOWS = st.builds(Workflow, _STEPS) | st.builds(Workflow, _STEPS, st.integers(1, 20), PATHS)


@settings(max_examples=60, deadline=None)
@given(WORKFLOWS)
def test_a_rendered_workflow_is_read_back(workflow: Workflow) -> None:
    assert read(render(workflow)) == workflow


@settings(max_examples=60, deadline=None)
@given(WORKFLOWS)
def test_a_workflow_is_found_in_a_longer_text(workflow: Workflow) -> None:
    before, after = "Do the job: write 3. to 'x'.\n- Call me.\n\nHere is a workflow:", "Good luck.\n1. Be quick."
    assert read(f"{before}\n{render(workflow)}\n\n{after}") == workflow


@settings(max_examples=60, deadline=None)
@given(WORKFLOWS)
def test_one_step_is_one_line_and_numbers_count_from_one(workflow: Workflow) -> None:
    lines = render(workflow).split("\n")
    fallbacks = sum(step.fallback is not None for step in workflow.steps)
    assert lines[0] == ADVICE
    steps = lines[1 + fallbacks :][: len(workflow.steps)]
    assert len(lines) == 1 + fallbacks + len(workflow.steps) + (workflow.answer is not None)
    assert all(line.startswith(f"{number}. Call ") for number, line in enumerate(steps, start=1))


@pytest.mark.parametrize("prompt_type", PromptType)
def test_the_plan_is_read_back_from_a_whole_prompt(prompt_type: PromptType) -> None:
    case = make_case(prompt_type)
    guidance = make_guidance(case)
    shown = read(opening(case, guidance)[1]["content"])
    if not prompt_type.has_plan:
        assert shown is None
    elif prompt_type is PromptType.ALTERNATIVE:
        assert shown == guidance.alternative
        assert shown != guidance.optimal
    elif prompt_type.flaw_kind is None:
        assert shown == guidance.optimal
    else:
        assert guidance.flawed
        assert shown == guidance.flawed.workflow
        assert shown != guidance.optimal


@pytest.mark.parametrize("text", ["", "Just do it.", "1. Call the office.", "Finally, answer with <output of step 1>."])
def test_a_text_without_a_workflow_has_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "argument", ["output of step 1", "<output of step x>", "<output of step 1> ", "", 1, None, [], {}]
)
def test_only_the_exact_text_is_a_reference(argument: Any) -> None:
    assert referenced_step(argument) is None
    assert referenced_step(reference(12)) == 12


def test_a_plan_reads_as_a_person_would_write_it() -> None:
    fetch, connect = Call("network_fetcher", {"url": "u"}), Call("integration_connector", {"datastore": "a"})
    analyze = Call("computation_analyzer", {"data": reference(1), "field": "x"})
    put = Call("utility_cache", {"action": "put", "key": "k"})
    workflow = Workflow((Step(fetch, connect), Step(analyze), Step(put, only_if_failed=1)), answer=2)
    assert render(workflow) == (
        "On a transient error, make the same call again.\n"
        'If network_fetcher is down in step 1, call integration_connector with {"datastore": "a"} instead.\n'
        '1. Call network_fetcher with {"url": "u"}\n'
        '2. Call computation_analyzer with {"data": "<output of step 1>", "field": "x"}\n'
        '3. Call utility_cache with {"action": "put", "key": "k"}, only if step 1 failed\n'
        "Finally, answer with <output of step 2>."
    )


def test_a_plan_with_its_advice_in_each_line_is_still_read() -> None:
    """As plans were rendered before the advice stood above the steps."""
    assert read(
        '1. Call network_fetcher with {"url": "u"}. '
        'On a transient error, call integration_connector with {"datastore": "a"} instead.\n'
        '2. Call computation_analyzer with {"data": "<output of step 1>", "field": "x"}. '
        "On a transient error, call it again.\n"
        '3. Only if step 1 failed: call utility_cache with {"action": "put", "key": "k"}. '
        "On a transient error, call it again.\n"
        "Finally, answer with <output of step 2>."
    ) == Workflow(
        (
            Step(Call("network_fetcher", {"url": "u"}), Call("integration_connector", {"datastore": "a"})),
            Step(Call("computation_analyzer", {"data": reference(1), "field": "x"})),
            Step(Call("utility_cache", {"action": "put", "key": "k"}), only_if_failed=1),
        ),
        answer=2,
    )


@given(st.integers(1, 99), PATHS)
def test_a_reference_to_a_part_of_an_output_is_read_back(step: int, path: Path) -> None:
    assert read_reference(reference(step, path)) == OutputReference(step, path)


@pytest.mark.parametrize("text", ["lines[0", "lines.[0]", ".id", "a b", '["a"] ', "[1.5]", "[true]", '["id"]', "a..b"])
def test_a_text_that_no_path_is_written_as_is_no_reference(text: str) -> None:
    assert read_reference(f"<output of step 2: {text}>") is None


def test_a_moved_reference_keeps_its_path_unless_it_becomes_a_value() -> None:
    call = Call("refund", {"order": reference(3, ("lines", 0, "id")), "note": reference(2), "percent": 50})
    moved = call.with_references(lambda number: reference(number + 1))
    assert moved.arguments == {"order": "<output of step 4: lines[0].id>", "note": reference(3), "percent": 50}
    assert call.with_references(lambda number: f"o{number}").arguments["order"] == "o3"
    assert call.references == (3, 2)
    assert call.literals == {"percent": 50}


def test_a_follower_uses_the_parts_of_outputs_and_answers_with_one() -> None:
    plan = Workflow((Step(Call("find", {})), Step(Call("take", {"id": reference(1, ("rows", 1, "id"))}))), 2, ("n",))
    after = advance(plan, begin(plan), StepResult(is_success=True, output={"rows": [{"id": "a"}, {"id": "b"}]}))
    assert next_call(plan, after) == Call("take", {"id": "b"})
    done = advance(plan, after, StepResult(is_success=True, output={"n": 7}, value={"n": 7}))
    assert answer_text(plan, done) == "Done.\nANSWER: 7"
    astray = advance(plan, begin(plan), StepResult(is_success=True, output={"rows": []}))
    assert next_call(plan, astray) == plan.steps[1].call
