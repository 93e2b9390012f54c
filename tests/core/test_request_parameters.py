"""Parameters that the user asks for: each text is a parameter that can be sent, or an error that says what is right."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.request_parameters import (
    NEUTRAL,
    check_parameters,
    decode_identity,
    encode_identity,
    neutral_parameters,
    read_parameters,
)

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,3})?", fullmatch=True).map(lambda name: f"x_{name}")
PARAMETERS = st.dictionaries(NAMES | st.sampled_from(sorted(NEUTRAL)), JSON, max_size=4)


@given(PARAMETERS)
def test_every_json_value_is_read_as_it_is(parameters: dict[str, Any]) -> None:
    assert read_parameters([f"{name}={json.dumps(value)}" for name, value in parameters.items()]) == parameters


@given(PARAMETERS)
def test_the_identity_holds_what_is_not_neutral_whatever_the_order(parameters: dict[str, Any]) -> None:
    text = encode_identity(parameters)
    assert text == encode_identity(dict(reversed(parameters.items())))
    assert {**decode_identity(text), **neutral_parameters(parameters)} == parameters
    assert not decode_identity(text).keys() & NEUTRAL
    assert bool(text) == bool(parameters.keys() - NEUTRAL)


@given(st.lists(st.text(max_size=20) | st.text("{[\"'}]=a1 ,:", max_size=20), max_size=4))
def test_any_text_is_a_parameter_that_can_be_stored_or_an_error(texts: list[str]) -> None:
    try:
        parameters = read_parameters(texts)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either is fine
    else:
        assert msgspec.json.decode(msgspec.json.encode(parameters)) == parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_tokens=2000", {"max_tokens": 2000}),
        ("max_completion_tokens = 2000", {"max_tokens": 2000}),
        ("max_tokens=null", {"max_tokens": None}),
        ("reasoning_effort=low", {"reasoning_effort": "low"}),
        ('reasoning_effort="low"', {"reasoning_effort": "low"}),
        ("reasoning.effort=low", {"reasoning.effort": "low"}),
        ("a=b=c", {"a": "b=c"}),
        ("seed=7", {"seed": 7}),
        ("x=NaN", {"x": "NaN"}),
        ('provider={"order": ["a"]}', {"provider": {"order": ["a"]}}),
        (" ", {}),
    ],
)
def test_a_value_is_json_or_a_word(text: str, expected: dict[str, Any]) -> None:
    assert read_parameters([text]) == expected


def test_of_several_values_the_last_counts() -> None:
    assert read_parameters(["seed=1", "stop=a", "seed=2"]) == {"seed": 2, "stop": "a"}


BAD_TEXTS = {
    "seed": "'seed' is not a parameter; give PARAM=VALUE with a JSON value or a word, as in max_tokens=2000 or",
    "=1": "'=1' is not a parameter; give PARAM=VALUE",
    "seed=": "'seed=' is not a parameter; give PARAM=VALUE",
    "a b=1": "'a b' is not the name of a parameter; give PARAM=VALUE",
    'stop=["a"': "'stop=[\"a\"' begins like JSON, but is not valid JSON (Expecting ',' delimiter",
    "stop={a}": "as in --ultra-request 'stop=[\"END\"]'",
    'stop="a': "begins like JSON, but is not valid JSON",
    "x=" + "[" * 5000: "begins like JSON, but is not valid JSON",
    "x=" + "[" * 11 + "]" * 11: "the value of 'x' is nested more than 10 deep; give a simpler one",
    "x=1e999": "the value of 'x' cannot be inf; give a JSON value",
    f"x={2**63}": f"the value of 'x' cannot be {2**63}; give a JSON value, with numbers of 64 bits",
    "x=\ud800": "the value of 'x' is not valid UTF-8",
    "max_tokens=0": "max_tokens cannot be 0; give a whole number of at least 1, or null for no limit",
    "max_tokens=true": "max_tokens cannot be True; give a whole number",
    "max_completion_tokens=many": "max_completion_tokens cannot be 'many'; give a whole number",
    "model=x": "the parameter 'model' cannot be set; use --ultra-model",
    "messages=[]": "the parameter 'messages' cannot be set; the run writes the conversation itself",
    "tools=[]": "the parameter 'tools' cannot be set; the run offers its own tools; --ultra-tool-protocol says how",
    "functions=[]": "--ultra-tool-protocol says how",
    "function_call=auto": "--ultra-tool-protocol says how",
    "stream=true": "the parameter 'stream' cannot be set; use --ultra-stream",
    "n=3": "the parameter 'n' cannot be set; a turn has one answer; use --ultra-repeats to ask more often",
    "temperature=0": "the parameter 'temperature' cannot be set; use --ultra-temperature",
    "api_key=x": "the parameter 'api_key' seems to hold a secret, and parameters are stored with a run; send it in a",
}


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_a_bad_parameter_is_an_error_that_says_what_is_right(text: str) -> None:
    with pytest.raises(ValueError, match=r"^") as caught:
        read_parameters([text])
    assert BAD_TEXTS[text] in str(caught.value)


def test_both_names_of_the_limit_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"^max_tokens and max_completion_tokens are the same limit under two names"):
        check_parameters({"max_tokens": 1, "max_completion_tokens": 1})


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), b"a", (1,)])
def test_a_value_that_json_cannot_write_is_an_error(value: object) -> None:
    with pytest.raises(ValueError, match="the value of 'x' cannot be"):
        check_parameters({"x": [value]})
