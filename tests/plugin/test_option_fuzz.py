"""Whatever text an option, an ini key or a table of endpoints has, it is a value or one error for the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.core.request_parameters import NEUTRAL, decode_identity, encode_identity
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.gate_options import GATES
from pytest_ultra.options.option import Option
from pytest_ultra.options.option_parsers import parse
from pytest_ultra.options.option_table import OPTIONS
from pytest_ultra.providers.demo_name import parse_agent_name
from pytest_ultra.providers.served_endpoints import parse_tables, read_tables
from tests.fuzzing import HOSTILE_VALUES, check_linear_time, damage, fuzz

NUMBERS = [value.decode(errors="surrogateescape") for value in HOSTILE_VALUES if len(value) < 5001]
WORDS = [
    "all",
    "flawed",
    "optimal",
    "demo",
    "gpt-4o",
    "on",
    "off",
    "auto",
    "30,20",
    "0.5",
    "a=1,2",
    "http://a",
    "http://[",
]
PARTS = st.sampled_from([*NUMBERS, *WORDS, *"=,/?&@: \n\0\u0660\u00b2\ud800"]) | st.text(max_size=5)
TEXTS = st.lists(PARTS, max_size=5).map("".join)


def value_of(option: Option, texts: list[str]) -> Any:
    try:
        return parse(option, texts)
    except ValueError:
        return None


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
@fuzz(15)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
def test_an_option_is_a_value_that_can_be_stored_or_an_error(option: Option, texts: list[str]) -> None:
    value = value_of(option, texts)
    if option not in GATES and isinstance(value, int | float):
        assert msgspec.json.decode(msgspec.json.encode(value)) == value


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_is_read_in_linear_time(option: Option) -> None:
    for unit in ("a,", "=", "1", "a=0.5\n", " ", "1,"):
        check_linear_time(lambda size, unit=unit: value_of(option, [unit * (size // len(unit))]))  # type: ignore[misc]


AGENTS = st.sampled_from([*map(str, ReferenceAgent), "", "perfec"])
QUERIES = st.lists(st.sampled_from(["?", "&", "=", "latency", "error_rate", "%", "%ff", "%00", *NUMBERS]) | TEXTS)


@fuzz(100)
@given(AGENTS, QUERIES.map("".join))
def test_a_demo_model_is_an_agent_or_an_error(agent: str, query: str) -> None:
    try:
        name = parse_agent_name(f"{agent}?{query}")
    except ConfigurationError:
        return
    assert name.latency >= 0
    assert 0 <= name.error_rate <= 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.just("http://["),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["endpoints", "base_url", "key_env", "name"]) | st.text(), inner, max_size=3)
        | st.dictionaries(st.sampled_from(["request", "headers", "x-team", "max_tokens"]), inner, max_size=3)
    ),
    max_leaves=10,
)
ENDPOINTS = st.fixed_dictionaries({}, optional={"base_url": VALUES, "key_env": VALUES, "name": VALUES})
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "endpoints": st.lists(ENDPOINTS | VALUES, max_size=3),
        "request": st.dictionaries(st.text() | st.sampled_from(["seed", "max_tokens"]), VALUES, max_size=3),
        "headers": st.dictionaries(st.sampled_from(["x-team", "Host", "a b"]), VALUES | st.just("A_1"), max_size=3),
    },
)


@fuzz(100)
@given(st.dictionaries(st.text(), TABLES | VALUES, max_size=2) | VALUES)
def test_a_table_of_models_can_be_used_and_stored_or_is_an_error(models: Any) -> None:
    try:
        tables = parse_tables({"tool": {"pytest_ultra": {"models": models}}})
    except ConfigurationError:
        return
    for table in tables.values():
        assert all(one.label for one in table.endpoints)
        assert decode_identity(encode_identity(table.request)).keys() == table.request.keys() - NEUTRAL
        msgspec.json.encode([table.request, table.headers])


TOML = b"""[tool.pytest_ultra.models."gpt"]
endpoints = [{base_url = "http://127.0.0.1:1/v1", key_env = "A_KEY"}, {name = "other", key_env = "B_KEY"}]
request = {max_tokens = 2000, stop = ["a"]}
headers = {"x-team" = "TEAM"}
"""


@fuzz(100)
@given(data=st.data())
def test_a_damaged_pyproject_toml_is_an_error(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(damage(TOML, data))
    try:
        read_tables(path)
    except ConfigurationError:
        return
