"""A stored command line contains no secret, and the rest stays readable."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ultra.providers.config_redaction import ConfigRedactor
from tests.fuzzing import check_linear_time, fuzz

ENVIRON = {
    "OPENAI_API_KEY": "key-of-openai",
    "MY_ENDPOINT": "key-by-its-name",
    "GITHUB_TOKEN": "token-of-github",
    "DB_PASSWORD": "password-of-db",
    "SHORT_SECRET": "none",
    "HOME": "/home/somebody",
}


@pytest.mark.parametrize(
    ("args", "kept"),
    [
        (["--ultra-model", "gpt-4o-mini", "-n", "3"], ["--ultra-model", "gpt-4o-mini", "-n", "3"]),
        (["--ultra-max-tokens", "1000"], ["--ultra-max-tokens", "1000"]),
        (["tests/test_token.py::test_it[key]"], ["tests/test_token.py::test_it[key]"]),
        (["--dir=/home/somebody", "none"], ["--dir=/home/somebody", "none"]),
        (["-k", "key-of-openai"], ["-k", "***"]),
        (["--x=key-by-its-name,token-of-github;password-of-db"], ["--x=***,***;***"]),
        (["--my-api-key", "abc", "--next", "abc"], ["--my-api-key", "***", "--next", "abc"]),
        (["--my-api-key=abc def", "x"], ["--my-api-key=***", "x"]),
        (["--auth-token", "--next"], ["--auth-token", "--next"]),
        (["-o", "my_secret=abc"], ["-o", "my_secret=***"]),
        (["--header", "Authorization: Basic abc"], ["--header", "Authorization: ***"]),
        (["--header=x Bearer abc"], ["--header=x Bearer ***"]),
        (["--url=https://me:abc@host/v1"], ["--url=https://***@host/v1"]),
        (["--url=me:abc/d@host/v1", "me:abc@host"], ["--url=***@host/v1", "***@host"]),
        (["test_it.py::test_it[a@b]", "a:b", "a@b"], ["test_it.py::test_it[a@b]", "a:b", "a@b"]),
        (["http://host/v1?code=abc&x=1"], ["http://host/v1?***"]),
        (["demo/perfect?fail=1"], ["demo/perfect?fail=1"]),
        (["x sk-abcdefghij-klm y"], ["x *** y"]),
    ],
)
def test_only_secrets_are_removed_from_a_command_line(args: list[str], kept: list[str]) -> None:
    assert ConfigRedactor(ENVIRON, ["MY_ENDPOINT"]).command(args) == kept


def test_texts_are_redacted_at_any_depth() -> None:
    value = {"a": ["key-of-openai", 1, None, {"b": "x token-of-github"}], "c": ("password-of-db",), "d": 0.5}
    assert ConfigRedactor(ENVIRON).value(value) == {"a": ["***", 1, None, {"b": "x ***"}], "c": ["***"], "d": 0.5}


def test_the_name_of_an_agent_before_its_model_is_no_secret() -> None:
    redactor = ConfigRedactor(ENVIRON, (), ["my_agent:solve", "other:run"])
    args = ["--ultra-agent=mine=my_agent:solve@demo,other:run@demo/perfect", "-k", "my_agent:solve@demo or me:abc@host"]
    assert redactor.command(args) == [*args[:2], "my_agent:solve@demo or ***@host"]
    assert redactor.value(["my_agent:solve@key-of-openai"]) == ["my_agent:solve@***"]


PARTS = [
    *("a", "-", ".", "=", ":", ": ", "'", "@", "/", "?", "#", " ", "\n", "http://", "https://", "token", "tokens"),
    *("x_key", "secret", "bearer ", "sk-", "\ud800"),
]
UNITS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("".join)


@fuzz(30)
@given(st.sampled_from(PARTS), UNITS)
@example("", "a")
@example("", "a:/")
@example("", "=a:")
@example("", "http://a")
@example("", "token")
@example("", "token=")
@example("bearer", " ")
def test_a_text_of_any_length_is_redacted_in_linear_time(start: str, unit: str) -> None:
    redactor = ConfigRedactor(ENVIRON)

    def read(size: int) -> None:
        text = start + unit * (size // len(unit))
        redactor.command([f"--{text}", text])

    check_linear_time(read, 8_000)
