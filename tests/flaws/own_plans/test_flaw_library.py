"""Flaws as a library: a plan of any tools is damaged as asked, or refused with a reason; nothing is overstated."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

import pytest_ultra
from pytest_ultra.core.axes import FlawKind, Severity, Visibility
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Workflow, read, referenced_step
from pytest_ultra.errors import ConfigurationError, UnflawableError
from pytest_ultra.flaws.linter import FindingKind
from pytest_ultra.flaws.own_plans.flaw_library import CostProof, FlawedPlan, inject, lint
from pytest_ultra.flaws.own_plans.plan_document import plan_schema, read_plan
from tests.flaws.own_plans.shop import PLAN, TEXT, TOOLS, WORDS, reaches_goal, tool
from tests.fuzzing import fuzz

SCHEMA = jsonschema_rs.validator_for(plan_schema())
PROPERTIES: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "string", "format": "date", "examples": ["2026-03-01"]},
    {"type": "string", "pattern": "^[a-z]+-[0-9]{2}$"},
    {"enum": ["late", "open", 3, None]},
    {"type": "integer", "minimum": 0, "maximum": 9},
    {"type": "number", "default": 1.5},
    {"type": "boolean"},
    {"type": "array", "items": {"type": "string"}},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    {"anyOf": [{"type": "string"}, {"type": "null"}]},
    {},
]
FITTING: list[list[Json]] = [
    ["ann@x.example", "reports/week-30.csv", "", "weekly", "žluťoučký kůň"],
    ["2026-02-28", "9999-12-31"],
    ["ab-01", "zz-99"],
    ["late", 3, None],
    [0, 5, 9],
    [0, -1.5, 1e308],
    [True, False],
    [[], ["a", "b"]],
    [{"a": 1}, {"a": 2, "b": "week 7"}],
    ["x", None],
    [None, {"k": [1]}, 10**30],
]
"""Values that fit the schema at the same place in `PROPERTIES`."""
NAMES = ("get_order", "find", "refund", "send-mail", "fs.write", "sweep")
ARGUMENTS = ("id", "to", "value")


@st.composite
def tool_sets(draw: st.DrawFn) -> dict[str, dict[str, int]]:
    """The arguments of some tools, each with the number of its schema."""
    schemas = st.dictionaries(st.sampled_from(ARGUMENTS), st.integers(0, len(PROPERTIES) - 1), max_size=3)
    return draw(st.dictionaries(st.sampled_from(NAMES), schemas, min_size=1, max_size=4))


def describe(tools: dict[str, dict[str, int]]) -> Json:
    return {
        name: {
            "type": "object",
            "properties": {argument: PROPERTIES[number] for argument, number in sorted(arguments.items())},
            "required": sorted(arguments)[:2],
        }
        for name, arguments in tools.items()
    }


@st.composite
def plans(draw: st.DrawFn, tools: dict[str, dict[str, int]], *, is_sound: bool) -> Json:
    """Plans of these tools. Those that are not sound name unknown tools, and outputs that are not there."""
    steps: list[Json] = []
    count = draw(st.integers(1, 7))
    for number in range(1, count + 1):
        name = draw(st.sampled_from(sorted(tools) if is_sound else [*sorted(tools), "unknown"]))
        arguments: dict[str, Json] = {}
        for argument, schema in sorted(tools.get(name, {}).items()):
            earlier = draw(st.integers(1 - number if is_sound else -count - 1, 3)) if number > 1 else 1
            path = draw(st.sampled_from(["", ": id", ": rows[0].id"]))
            value = draw(st.sampled_from(FITTING[schema]))
            arguments[argument] = f"<output of step {-earlier}{path}>" if earlier < 0 else value
        step: dict[str, Json] = {"tool": name, "arguments": arguments}
        if is_sound:
            step |= draw(st.sampled_from([{}, {}, {"fallback": dict(step)}]))
        else:
            step |= draw(st.sampled_from([{}, {}, {"only_if_failed": 2}, {"fallback": {"tool": "find"}}]))
        steps.append(step)
    if is_sound and draw(st.booleans()):
        steps.append({**steps[-1], "only_if_failed": count})
    return {"steps": steps, "answer": draw(st.integers(1, count if is_sound else 9))}


KINDS, SEVERITIES, VISIBILITIES = st.sampled_from(FlawKind), st.sampled_from(Severity), st.sampled_from(Visibility)


@fuzz(80)
@given(st.data(), KINDS, SEVERITIES, VISIBILITIES, st.none() | st.just("Send week 30 to ann@x.example: late ab-01."))
def test_any_sound_plan_is_damaged_as_the_result_says(
    data: st.DataObject, kind: FlawKind, severity: Severity, wanted: Visibility, words: str | None
) -> None:
    drawn = data.draw(tool_sets())
    tools, plan = describe(drawn), data.draw(plans(drawn, is_sound=True))
    arguments = {"tools": tools, "visibility": wanted, "words": words, "seed": 7}
    try:
        flawed = inject(plan, kind, severity, **arguments)
    except (ConfigurationError, UnflawableError) as error:
        event(type(error).__name__)
        is_refused = isinstance(error, ConfigurationError)
        assert is_refused is bool(lint(plan, tools)) or "unused" in str(lint(plan, tools))
        return
    event(f"{kind} {flawed.visibility}")
    assert_sound_result(flawed, read_plan(plan), kind, severity)
    assert inject(plan, kind, severity, **arguments).document() == flawed.document()


def assert_sound_result(flawed: FlawedPlan, sound: Workflow, kind: FlawKind, severity: Severity) -> None:
    """The plan reads as it is said to, from JSON and from text, and nothing but the listed damage is new."""
    assert SCHEMA.is_valid(flawed.plan)
    assert read_plan(flawed.plan) == flawed.workflow == read(flawed.text)
    assert flawed.workflow != sound
    assert bool(flawed.proof.findings) is (flawed.visibility is Visibility.PLAN)
    count = len(sound.steps)
    most = count - 1 if kind is FlawKind.MISSING_STEP else count
    assert len(flawed.damages) == min(severity.damaged_steps(count), most)
    damaged = {damage.flawed_step for damage in flawed.damages}
    gone = {damage.optimal_step for damage in flawed.damages}
    added = sum(damage.optimal_step is None for damage in flawed.damages)
    removed = sum(damage.flawed_step is None for damage in flawed.damages)
    assert len(flawed.workflow.steps) == count + added - removed
    steps = enumerate(flawed.workflow.steps, start=1)
    kept = [step.call for number, step in steps if number not in damaged]
    right = [step.call for number, step in enumerate(sound.steps, start=1) if number not in gone]
    assert [(call.tool, *map(is_reference, call.arguments.values())) for call in kept if not removed] == [
        (call.tool, *map(is_reference, call.arguments.values())) for call in right if not removed
    ]
    json.dumps(flawed.document(), allow_nan=False)


def is_reference(value: Json) -> bool:
    return referenced_step(value) is not None


@fuzz(50)
@given(st.data(), KINDS, VISIBILITIES)
def test_no_plan_makes_it_crash(data: st.DataObject, kind: FlawKind, wanted: Visibility) -> None:
    drawn = data.draw(tool_sets())
    tools, plan = describe(drawn), data.draw(plans(drawn, is_sound=False))
    findings = lint(plan, tools)
    try:
        flawed = inject(plan, kind, Severity.MEDIUM, tools=tools, visibility=wanted)
    except (ConfigurationError, UnflawableError):
        return
    assert all(finding.kind is FindingKind.UNUSED_OUTPUT for finding in findings)
    assert flawed.workflow != read_plan(plan)


@pytest.mark.parametrize(
    ("kind", "visibility"),
    [pair for pair in product(FlawKind, (Visibility.PLAN, Visibility.JOB)) if pair != ("missing_step", "plan")],
)
def test_every_kind_has_a_place_in_a_plan_of_a_shop(kind: FlawKind, visibility: Visibility) -> None:
    flawed = inject(PLAN, kind, "light", tools=TOOLS, visibility=visibility, words=WORDS)
    assert (flawed.kind, flawed.visibility, flawed.severity) == (kind, visibility, Severity.LIGHT)
    assert_sound_result(flawed, read_plan(PLAN), kind, Severity.LIGHT)


@pytest.mark.parametrize("kind", FlawKind)
def test_a_rehearsal_proves_that_the_goal_is_missed(kind: FlawKind) -> None:
    plans: list[Json] = []

    def rehearse(plan: dict[str, Json]) -> bool:
        is_reached = reaches_goal(plan)
        plans.append(json.dumps(plan))
        plan["steps"][0]["arguments"] = {}  # a rehearsal may do with its plan what it likes
        return is_reached

    for severity in Severity:
        flawed = inject(PLAN, kind, severity, tools=TOOLS, words=WORDS, rehearse=rehearse)
        assert json.loads(plans[0]) == PLAN, "the sound plan is rehearsed too"
        assert reaches_goal(flawed.plan) is (kind is FlawKind.REDUNDANT_OPERATIONS)
        assert flawed.visibility is Visibility.JOB
        assert (flawed.proof.cost, flawed.proof.unproved) == (CostProof.REHEARSAL, ())


def test_without_a_rehearsal_or_words_the_result_says_what_is_not_proved() -> None:
    reduced = inject(PLAN, "missing_step", "light", tools=TOOLS)
    assert reduced.proof.cost is CostProof.STRUCTURE
    assert reduced.document()["proof"]["unproved"] == [
        "whether the result is wrong: no rehearsal was given",
        "what shows the flaw, the job's words or only the world: no words were given",
    ]
    with pytest.raises(ConfigurationError, match="the sound plan does not reach the goal in its rehearsal"):
        inject(PLAN, "missing_step", "light", tools=TOOLS, rehearse=lambda plan: not reaches_goal(plan))
    with pytest.raises(UnflawableError, match="parameter_error of severity light has no place in this plan of 5 steps"):
        inject(PLAN, "parameter_error", "light", tools=TOOLS, rehearse=lambda _: True)


def test_a_step_without_which_the_same_calls_are_made_is_no_missing_step() -> None:
    """Without a rehearsal, a flaw is in what the plan hands over or answers, not in what it looks at in passing."""
    steps = [
        {"tool": "find", "arguments": {"email": "a@x.example"}},
        {"tool": "refund", "arguments": {"order": "o1", "percent": 5}},
        {"tool": "cancel", "arguments": {"order": "o2"}},
    ]
    missing = {
        inject({"steps": steps}, "missing_step", "light", tools=TOOLS, seed=seed).damages[0].optimal_step
        for seed in range(12)
    }
    assert missing == {2, 3}


def test_with_the_words_a_value_that_they_do_not_name_is_one_for_the_world_to_show() -> None:
    words = "Refund ann@x.example a part of her late order, as the policy says."
    flawed = inject(PLAN, "parameter_error", "light", tools=TOOLS, visibility="world", words=words)
    assert flawed.visibility is Visibility.WORLD
    assert flawed.damages[0].flawed_step in (4, 5)
    without = inject(PLAN, "parameter_error", "light", tools=TOOLS, visibility="world")
    assert (without.visibility, without.wanted_visibility) == (Visibility.JOB, Visibility.WORLD)


def test_another_tool_of_the_same_effect_is_named_where_there_is_one() -> None:
    """A careless author mistakes a refund for a cancellation, not for a look-up."""
    chosen = set()
    for seed in range(20):
        flawed = inject(PLAN, "tool_misuse", "light", tools=TOOLS, seed=seed)
        number = flawed.damages[0].flawed_step or 0
        chosen.add((PLAN["steps"][number - 1]["tool"], flawed.plan["steps"][number - 1]["tool"]))
    looking, acting = {"find", "orders", "pick"}, {"refund", "cancel", "notify"}
    assert len(chosen) > 4
    assert all({right, wrong} <= looking or {right, wrong} <= acting for right, wrong in chosen)


def test_a_path_into_the_answer_stays() -> None:
    plan = {"steps": PLAN["steps"][:3], "answer": "<output of step 3: order.total>"}
    flawed = inject(plan, "parameter_error", "light", tools=TOOLS)
    assert flawed.plan["answer"] == "<output of step 3: order.total>"
    assert flawed.text.endswith("Finally, answer with <output of step 3: order.total>.")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "typo"}, "kind: 'typo' is not valid; choose from sequence_disorder, tool_misuse"),
        ({"severity": "bad"}, "severity: 'bad' is not valid; choose from light, medium, severe"),
        ({"visibility": "all"}, "visibility: 'all' is not valid; choose from plan, job, world"),
        ({"workflow": {"steps": PLAN["steps"] * 11}}, "the plan has 55 steps; give one of at most 50"),
        ({"seed": "\ud800"}, "seed is not JSON ('utf-8' codec"),
        (
            {"tools": TOOLS[1:]},
            "the linter has findings in the sound plan, 1 in all: step 1: there is no tool 'find'; correct the",
        ),
        (
            {"workflow": {"steps": PLAN["steps"][:2]}},
            "the linter has findings in the sound plan, 1 in all: the plan neither hands anything",
        ),
        (
            {
                "workflow": {
                    "steps": [{**PLAN["steps"][0], "fallback": {"tool": "find", "arguments": {"email": 1}}}],
                    "answer": 1,
                }
            },
            'the linter has findings in the sound plan, 1 in all: step 1: email: 1 breaks the rule type "string"',
        ),
    ],
)
def test_an_error_says_what_would_be_right(changed: dict[str, Any], message: str) -> None:
    arguments = {"workflow": PLAN, "kind": "missing_step", "severity": "light", "tools": TOOLS, **changed}
    with pytest.raises(ConfigurationError) as caught:
        inject(**arguments)
    assert str(caught.value).startswith(message)


def test_the_same_flaw_comes_out_with_any_hash_seed() -> None:
    """Also through the public names, which are imported when they are first used."""
    script = (
        "import json, sys, pytest_ultra; plan, tools = json.load(sys.stdin); "
        "print([pytest_ultra.inject(plan, kind, 'medium', tools=tools, seed=s).document() "
        f"for kind in {[str(kind) for kind in FlawKind]} for s in range(2)])"
    )
    outputs = [
        subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", script],
            input=json.dumps([PLAN, TOOLS]),
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert pytest_ultra.inject is inject
    assert pytest_ultra.lint is lint


def test_the_linter_accepts_outputs_and_literals_in_any_argument() -> None:
    assert lint(PLAN, TOOLS) == ()
    swapped = {"steps": [PLAN["steps"][1], PLAN["steps"][0], *PLAN["steps"][2:]]}
    kinds = [finding.kind for finding in lint(swapped, TOOLS)]
    assert kinds == [FindingKind.FORWARD_REFERENCE]
    twice = {"steps": [*PLAN["steps"], PLAN["steps"][3]]}
    assert [finding.kind for finding in lint(twice, TOOLS)] == [FindingKind.REPEATED]


def test_a_tool_whose_result_the_sound_plan_leaves_unused_may_inform_the_reader() -> None:
    checking = {"steps": [*PLAN["steps"], {"tool": "orders", "arguments": {"customer": "<output of step 1: id>"}}]}
    checking["steps"][-1]["arguments"]["customer"] = "<output of step 1: name>"
    assert [finding.kind for finding in lint(checking, TOOLS)] == [FindingKind.UNUSED_OUTPUT]
    assert inject(checking, "missing_step", "light", tools=TOOLS).proof.findings == ()


def test_a_tool_without_an_output_is_known_by_its_output_schema() -> None:
    silent = {**tool("ping", "", host=TEXT), "outputSchema": {"type": "null"}}
    plan = {
        "steps": [
            {"tool": "ping", "arguments": {"host": "a"}},
            {"tool": "cancel", "arguments": {"order": "<output of step 1>"}},
        ]
    }
    assert [finding.kind for finding in lint(plan, [*TOOLS, silent])] == [FindingKind.NO_OUTPUT]
