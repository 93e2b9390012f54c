"""The endpoints of a model are read from pyproject.toml, and bad tables are rejected with a message."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.served_endpoints import ModelTable, Served, parse_tables, read_tables

KEYS = {"KEY_A": "sk-aaaaaaaaaaaa", "KEY_B": "sk-bbbbbbbbbbbb"}
TABLE = """
[tool.pytest_ultra.models."gpt-4o-mini"]
endpoints = [
    {key_env = "KEY_A"},
    {base_url = "https://eu.example.com/v1", key_env = "KEY_B", name = "mini"},
    {base_url = "http://127.0.0.1:8000/v1"},
]
"""


def parse(text: str) -> dict[str, ModelTable]:
    return parse_tables(tomllib.loads(text))


def test_a_model_has_the_endpoints_of_its_table(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(TABLE)
    served = read_tables(path)["gpt-4o-mini"].endpoints
    spec = resolve("gpt-4o-mini", base_url=None, environ=KEYS, served=served)
    assert [(one.url(), one.name, one.key.reveal()) for one in spec.endpoints] == [
        ("https://api.openai.com/v1/chat/completions", "gpt-4o-mini", "sk-aaaaaaaaaaaa"),
        ("https://eu.example.com/v1/chat/completions", "mini", "sk-bbbbbbbbbbbb"),
        ("http://127.0.0.1:8000/v1/chat/completions", "gpt-4o-mini", ""),
    ]
    assert len(set(spec.endpoint_ids())) == 3


def test_two_keys_of_one_address_are_two_endpoints() -> None:
    served = (Served(key_env="KEY_A"), Served(key_env="KEY_B"))
    spec = resolve("gpt-4o-mini", base_url="http://h/v1", environ=KEYS, served=served)
    assert len(set(spec.endpoint_ids())) == 2
    assert [one.label for one in spec.endpoints] == ["KEY_A", "KEY_B"]


def test_a_table_may_hold_parameters_and_headers_without_endpoints() -> None:
    [table] = parse(
        '[tool.pytest_ultra.models.m]\nrequest = {max_completion_tokens = 9, stop = ["a"]}\nheaders = {X-Team = "T"}'
    ).values()
    assert table == ModelTable((), {"max_tokens": 9, "stop": ["a"]}, {"x-team": "T"})


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'", "[tool.pytest_ultra]\nother = 1", "tool = 1"])
def test_without_tables_there_are_none(text: str) -> None:
    assert parse(text) == {}


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert read_tables(tmp_path / "pyproject.toml") == {}


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool")
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml cannot be read: "):
        read_tables(path)


MISUSES = {
    "not a list": ('endpoints = "x"', "needs a list of one or more endpoints"),
    "empty": ("endpoints = []", "needs a list of one or more endpoints"),
    "nothing": ("", "needs a list of one or more endpoints"),
    "parameters": ("request = 1", "request is not a table of parameters; write request = { max_tokens = 2000, "),
    "reserved": ('request = {model = "x"}', "request: the parameter 'model' cannot be set; use --ultra-model"),
    "a date": ("request = {seed = 2026-11-27}", "request: the value of 'seed' cannot be datetime.date(2026, 11, 27)"),
    "headers": ('headers = {"x-team" = 1}', 'headers is not a table of names of variables; write headers = { "x-team"'),
    "a secret": ('headers = {"x-key" = "sk-secret"}', "headers: the header 'x-key' needs the name of an environment"),
    "other": ("endpoint = []", "has no 'endpoint'. Valid: endpoints"),
    "not a table": ('endpoints = ["http://h"]', "endpoint 1 is not a table"),
    "a key": ('endpoints = [{key = "sk-secret"}]', "endpoint 1 has no 'key'. Valid: base_url, key_env, name"),
    "key as name": ('endpoints = [{key_env = "sk-secret"}]', "it may be a key, so it is not shown"),
    "not a text": ("endpoints = [{base_url = 1}]", "endpoint 1: base_url is not a text"),
    "twice": ('endpoints = [{name = "a"}, {name = "a"}]', "has the endpoint 'a' twice"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_bad_table_is_reported_with_a_way_out_and_without_a_key(misuse: str) -> None:
    text, message = MISUSES[misuse]
    with pytest.raises(ConfigurationError) as caught:
        parse(f'[tool.pytest_ultra.models."m"]\n{text}')
    assert message in str(caught.value)
    assert '[tool.pytest_ultra.models."m"]' in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_models_that_are_not_a_table_are_reported() -> None:
    with pytest.raises(ConfigurationError, match="is not a table of models"):
        parse("[tool.pytest_ultra]\nmodels = 1")


@pytest.mark.parametrize(
    ("model", "served", "message"),
    [
        ("m", Served(key_env="KEY_C"), "the environment variable 'KEY_C', which is not set. Set it, or remove"),
        ("m", Served(base_url="ftp://h"), "base_url cannot be 'ftp://h'"),
        ("demo/perfect", Served(base_url="http://h"), "the run itself serves demo models"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_reported(model: str, served: Served, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(model, base_url=None, environ=KEYS, served=[served])
    assert message in str(caught.value)
    assert f'[tool.pytest_ultra.models."{model}"]' in str(caught.value)


def test_a_file_that_is_nested_too_deeply_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("a = " + "[" * 3000)
    with pytest.raises(ConfigurationError, match=r"^pyproject\.toml cannot be read: it is nested too deeply"):
        read_tables(tmp_path / "pyproject.toml")
