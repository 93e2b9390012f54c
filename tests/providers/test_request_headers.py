"""The user's headers: their values come from environment variables, go to the model's endpoint, and stay secret."""

from __future__ import annotations

import base64

import pytest

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.request_headers import check_headers, read_headers, secrets_of
from pytest_ultra.providers.served_endpoints import Served

ENVIRON = {"OPENAI_API_KEY": "sk-openai", "TEAM": " platform ", "TOKEN": "Bearer token-of-gateway", "BROKEN": "a\nb"}


def test_headers_are_read_by_name_in_lower_case_and_the_last_counts() -> None:
    assert read_headers(["X-Team=A", " x-b = B_1 ", "", "x-team=C"]) == {"x-team": "C", "x-b": "B_1"}


BAD_HEADERS = {
    "x team=A": "'x team' is not the name of a header; give NAME=ENV_VARIABLE, the name of the variable",
    "=A": "'' is not the name of a header",
    "größe=A": "'größe' is not the name of a header",
    "Content-Type=A": "the header 'Content-Type' cannot be set; the run sets it itself",
    "content-length=A": "the header 'content-length' cannot be set",
    "Host=A": "the header 'Host' cannot be set",
    "x-key=sk-1234": "the header 'x-key' needs the name of an environment variable: capital letters, digits and _",
    "x-key": "as in x-team=TEAM_VARIABLE",
}


@pytest.mark.parametrize("text", BAD_HEADERS)
def test_a_bad_header_is_an_error_that_does_not_show_its_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"^") as caught:
        read_headers([text])
    assert BAD_HEADERS[text] in str(caught.value)
    assert "1234" not in str(caught.value)


def test_headers_are_sent_to_each_endpoint_and_not_to_the_embedded_one() -> None:
    headers = check_headers({"X-Team": "TEAM"})
    served = (Served(base_url="http://a"), Served(base_url="http://b"))
    spec = resolve("m", base_url=None, environ=ENVIRON, served=served, headers=headers)
    assert [one.headers()["x-team"] for one in spec.endpoints] == ["platform", "platform"]
    demo = resolve("demo", base_url=None, environ={}, headers=headers)
    assert demo.headers() == {"content-type": "application/json", "accept": "application/json"}


def test_an_authorization_header_replaces_the_key_which_is_not_needed_then() -> None:
    headers = {"authorization": "TOKEN"}
    spec = resolve("gpt", base_url=None, environ=ENVIRON, headers=headers)
    assert spec.headers()["authorization"] == "Bearer token-of-gateway"
    alone = {"TOKEN": "Basic abcd"}
    other = resolve("gpt", base_url=None, environ=alone, headers=headers)
    assert other.headers()["authorization"] == "Basic abcd"
    assert spec.endpoint_id() != other.endpoint_id(), "another account has other limits"
    assert spec.endpoint_id() != resolve("gpt", base_url=None, environ=ENVIRON).endpoint_id()
    with pytest.raises(ConfigurationError, match="needs an API key"):
        resolve("azure/gpt", base_url=None, environ=alone | {"AZURE_OPENAI_ENDPOINT": "http://h"}, headers=headers)


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (
            "UNSET",
            "The header 'x-team' takes its value from the environment variable 'UNSET', which is not set. Set it",
        ),
        ("BROKEN", "The value in BROKEN, for the header 'x-team', contains characters that are not valid in a header"),
    ],
)
def test_a_variable_without_a_valid_value_is_an_error(variable: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve("gpt", base_url=None, environ=ENVIRON, headers={"x-team": variable})
    assert str(caught.value).startswith(message)


def test_what_a_header_holds_of_a_secret_is_secret_too() -> None:
    assert [*secrets_of("Bearer abc")] == ["Bearer abc", "abc"]
    pair = base64.b64encode(b"user:password").decode()
    assert [*secrets_of(f"Basic {pair}")] == [f"Basic {pair}", pair, "user:password", "password"]
    assert [*secrets_of("Basic ?")] == ["Basic ?", "?"]
    assert [*secrets_of("one two three")] == ["one two three"]
    spec = resolve("gpt", base_url=None, environ=ENVIRON, headers={"authorization": "TOKEN"})
    assert {*spec.secrets()} == {"sk-openai", "Bearer token-of-gateway", "token-of-gateway"}
