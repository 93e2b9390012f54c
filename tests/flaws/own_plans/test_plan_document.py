"""Plans as JSON: read and written back, with a published schema, and errors that name the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, read, reference, render
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.flaws.own_plans.plan_document import plan_schema, read_plan, write_plan
from tests.fuzzing import fuzz

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = jsonschema_rs.validator_for(plan_schema())

NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.:/-]{0,9}\Z")
LITERALS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PATHS = st.lists(TEXTS | st.integers(0, 9), max_size=3).map(tuple)
VALUES = st.recursive(
    LITERALS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
ARGUMENTS = st.dictionaries(TEXTS, VALUES | st.builds(reference, st.integers(1, 9), PATHS), max_size=3)
CALLS = st.builds(Call, NAMES, ARGUMENTS)
STEPS = st.lists(st.builds(Step, CALLS, st.none() | CALLS, st.none() | st.integers(1, 9)), min_size=1, max_size=4).map(
    tuple
)
WORKFLOWS = st.builds(Workflow, STEPS) | st.builds(Workflow, STEPS, st.integers(1, 9), PATHS)


@fuzz(40)
@given(WORKFLOWS)
def test_a_plan_is_read_back_from_its_document_and_from_its_text(workflow: Workflow) -> None:
    document = write_plan(workflow)
    assert read_plan(json.loads(json.dumps(document))) == workflow
    assert SCHEMA.is_valid(document)
    assert read(render(workflow)) == workflow


@fuzz(30)
@given(st.data())
def test_a_document_of_another_shape_is_refused_with_a_reason(data: st.DataObject) -> None:
    """Whatever the schema refuses, the reader refuses too, with an error of ours."""
    keys = st.sampled_from(["steps", "tool", "arguments", "fallback", "only_if_failed", "answer", "x"])
    anything = st.recursive(
        LITERALS | TEXTS, lambda e: st.lists(e, max_size=3) | st.dictionaries(keys, e), max_leaves=9
    )
    document = data.draw(anything | st.fixed_dictionaries({"steps": st.lists(anything, max_size=3)}))
    try:
        read_plan(document)
    except ConfigurationError:
        return
    assert SCHEMA.is_valid(document)


ONE = {"tool": "find", "arguments": {}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "plan.json: Expected `object`, got `array`; a plan looks like {"),
        ({"steps": []}, "plan.json: steps: Expected `array` of length >= 1"),
        ({"steps": [ONE, {"arguments": {}}]}, "plan.json: steps[1]: Object missing required field `tool`"),
        ({"steps": [{"tool": "find", "args": {}}]}, "plan.json: steps[0]: Object contains unknown field `args`"),
        ({"steps": [{"tool": "find it"}]}, "plan.json: steps[0].tool: a name has letters, digits and _ . : / -"),
        ({"steps": [{"tool": "find\n"}]}, "plan.json: steps[0].tool: a name has letters"),
        ({"steps": [ONE], "answer": 0}, "plan.json: answer: Expected `int` >= 1"),
        ({"steps": [ONE], "answer": "it"}, "plan.json: answer: 'it' is no reference; write '<output of step 1>'"),
        (
            {"steps": [{"tool": "find", "arguments": {"a": "<output of step one>"}}]},
            "plan.json: steps[0].arguments.a: '<output of step one>' is no reference; write '<output of step 1>'",
        ),
        (
            {"steps": [ONE, {**ONE, "fallback": {"tool": "x", "arguments": {"a": [{"b": "<output of step 1>"}]}}}]},
            "plan.json: steps[1].fallback.arguments.a[0].b: '<output of step 1>' stands inside a list or an object",
        ),
        ({"steps": [{**ONE, "arguments": {"a": float("nan")}}]}, "plan.json is not JSON (Out of range float"),
        ({"steps": [{**ONE, "arguments": {"a": "\ud800"}}]}, "plan.json is not JSON ('utf-8' codec"),
        ({"steps": [{**ONE, "arguments": {"a": b"bytes"}}]}, "plan.json is not JSON (Object of type bytes"),
    ],
)
def test_an_error_names_the_file_the_place_and_what_would_be_right(document: Json, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_plan(document, "plan.json")
    assert str(caught.value).startswith(message)


def test_a_document_that_is_too_deep_or_contains_itself_is_refused() -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    round_about: dict[str, Any] = {}
    round_about["a"] = round_about
    for arguments, problem in (({"a": deep}, "levels deep"), (round_about, "Circular reference")):
        with pytest.raises(ConfigurationError, match=problem):
            read_plan({"steps": [{"tool": "find", "arguments": arguments}]})


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = json.loads((DOCS / "plan.schema.json").read_text())
    assert published == plan_schema(), "run `python docs/tables.py`"
