"""Secrets are redacted however they are escaped, and URLs are shown without them."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ultra.providers.redaction import REDACTED, Redactor, find_secrets, redact_url
from tests.fuzzing import check_linear_time, fuzz

ODD = 'sk-Zq7"w/+&<=%2Fk\\9--a'

ESCAPINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "JSON as PHP writes it": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON as Go writes it": lambda text: json.dumps(text)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c"),
    "a path": quote,
    "a query": quote_plus,
    "a query in lower case": lambda text: quote_plus(text).replace("%2F", "%2f").replace("%3C", "%3c"),
    "a query in a query": lambda text: quote(quote(text, safe=""), safe=""),
    "HTML": html.escape,
    "whole, in percent": lambda text: "".join(f"%{ord(char):02x}" for char in text),
    "whole, in percent twice": lambda text: "".join(f"%25{ord(char):02X}" for char in text),
    "whole, in entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "whole, in hexadecimal entities": lambda text: "".join(f"&#X00{ord(char):x}" for char in text),
    "whole, in entities twice": lambda text: "".join(f"&amp;#{ord(char)};" for char in text),
    "whole, in JSON": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "whole, in JSON in JSON": lambda text: "".join(f"\\\\u{ord(char):04X}" for char in text),
    "whole, in a literal": lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
    "whole, in JavaScript": lambda text: "".join(f"\\u{{{ord(char):x}}}" for char in text),
    "entities in percent in JSON": lambda text: "".join(
        f"\\u0025{ord(c):02x}" for char in text for c in f"&#{ord(char)};"
    ),
    "every second character in percent": lambda text: "".join(
        f"%{ord(char):02x}" if at % 2 or char in "%&\\" else char for at, char in enumerate(text)
    ),
    "HTML in numbers": lambda text: text.replace("&", "&#x26;").replace("<", "&#60;"),
}


@pytest.mark.parametrize("escaping", ESCAPINGS)
def test_a_secret_is_redacted_however_it_is_escaped(escaping: str) -> None:
    escaped = ESCAPINGS[escaping](ODD)
    assert Redactor([ODD])(f"<{escaped}> {escaped}") == "<***> ***"


def test_text_beside_an_escaped_secret_is_kept_as_it_is() -> None:
    def whole(text: str) -> str:
        return "".join(f"%{ord(char):02x}" for char in text)

    redact = Redactor(["sk-first-one", "sk-second-one", "p\u00e4sswort"])
    assert redact(f"50%25 {whole('sk-first-one')}&lt;{whole(whole('sk-second-one'))}\\u00e4&#99999999;") == (
        "50%25 ***&lt;***\\u00e4&#99999999;"
    )
    assert redact("p%C3%A4sswort, p\\u00e4sswort, p&#xe4;sswort") == "***, ***, ***"


@given(st.text(st.sampled_from("%&#;\\\\u0073x{}25amp sk-abcdefgh"), max_size=200))
def test_text_of_any_escapes_is_kept_unless_it_holds_the_secret(text: str) -> None:
    assert Redactor(["another-secret"])(text) == text


def test_a_secret_of_any_bytes_is_redacted() -> None:
    assert Redactor(["sk-\udce9-broken"])("my sk-\udce9-broken") == "my ***"


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", ":", ":pw"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_redacted_in_base64_at_any_offset(
    before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(f"{before}{ODD}{after}".encode()).decode()
    left = Redactor([ODD])(encoded)
    assert "***" in left
    assert len(left.replace("***", "")) <= len(encode(f"{before}{after}".encode())) + 6


def test_other_text_is_not_redacted() -> None:
    redact = Redactor(["", "none", "sk-long-enough"])
    assert (
        redact("none of sk-long is sk-long-enough, nor sk long-enough") == "none of sk-long is ***, nor sk long-enough"
    )


def test_a_secret_that_contains_another_is_redacted_as_a_whole() -> None:
    assert Redactor(["password", "user:password"])("user:password, password") == "***, ***"


@pytest.mark.parametrize("secret", [ODD, "sk-" + 300 * "x" + "long"])
def test_the_part_of_a_secret_that_is_left_beside_an_ellipsis_is_redacted(secret: str) -> None:
    redact = Redactor([secret])
    for text in (secret, repr(secret)[1:-1]):
        for length in (4, 9, len(text) - 4):
            if length < 120:
                assert redact.redact_shortened(f"'a {text[:length]}...b' '{text[-length:]}...{text[-length:]}, c'") == (
                    f"'a ...b' '{text[-length:]}..., c'"
                )
    assert redact.redact_shortened("sk-...no, and 'sk-'") == "sk-...no, and 'sk-'"


def test_keys_are_found_in_variables_and_in_urls() -> None:
    environ = {
        "A_KEY": " sk-aaaaaaaaaaaa\n",
        "OTHER": "text",
        "https_proxy": "http://user:pass%40word@proxy:3128",
        "ALL_PROXY": "me:broken/pass@proxy",
        "http_proxy": "me:another//pass@proxy",
    }
    found = find_secrets(environ, ["A_KEY", "MISSING"], ["https://h/v1?api-version=2024-10-21&subscription-key=a%2Fb"])
    assert found >= {"sk-aaaaaaaaaaaa", "pass@word", "pass%40word", "user:pass%40word", "broken/pass", "a%2Fb", "a/b"}
    assert "another//pass" in found
    assert not found & {"text", "2024-10-21", "user"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h:1/v1", "https://h:1/v1"),
        ("ftp://user:pa/ss@h/v1", "ftp://***@h/v1"),
        ("user:password@h/v1", "***@h/v1"),
        (" user:pass//word@h/v1?key=x", "***@h/v1?key=***"),
        ("//user:pass word@h", "//***@h"),
        ("http:/user:password@h", "***@h"),
        (
            "https://h/v1?api_key=abc&api-version=2024&sig=d%20e#x",
            "https://h/v1?api_key=***&api-version=2024&sig=***#x",
        ),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert redact_url(url) == shown


URL_PARTS = ["http://", "//", "a", ":", "@", "?", "&", "=", "key=x", "#", " ", "%20", ".", "\ud800"]
UNITS = st.lists(st.sampled_from(URL_PARTS), min_size=1, max_size=4).map("".join)


@fuzz(30)
@given(st.sampled_from(URL_PARTS), UNITS)
@example("", "1")
@example("", " ")
@example("?", "?")
def test_a_url_of_any_length_is_read_in_linear_time(start: str, unit: str) -> None:
    def read(size: int) -> None:
        url = start + unit * (size // len(unit))
        redact_url(url)
        find_secrets({}, (), [url])

    check_linear_time(read)


ESCAPES = ["\\", "%25", "%", "&amp;", "&#", "u00", "\\u", "x", "0", ";", "2d", "$", "--", "...", "a", "sk", "***"]
SECRETS = [ODD, "$$$$abcd", "\\\\\\\\abcd", "--------", "********", "%25%25%25", "aaaaaaaaa", "a&amp;amp;b"]


@fuzz(15)
@given(st.sampled_from(SECRETS), st.sampled_from(["", *SECRETS]), st.lists(st.sampled_from(ESCAPES), min_size=1))
@example("$$$$abcd", "abcd", ["\\"])
@example("\\\\\\\\abcd", "abcd", ["\\"])
@example("********", "", ["*"])
def test_secrets_in_a_text_of_any_length_are_redacted_in_linear_time(secret: str, start: str, units: list[str]) -> None:
    redact, unit = Redactor([secret]), "".join(units)

    def read(size: int) -> None:
        redact.redact_shortened(start + unit * (size // len(unit)))

    check_linear_time(read)


UNLIKE_THE_MARK = [secret for secret in SECRETS if set(secret) != set(REDACTED)]
"""A secret of asterisks alone is what several marks in a row look like."""


@fuzz(100)
@given(st.sampled_from(UNLIKE_THE_MARK), st.lists(st.sampled_from([*ESCAPES, *SECRETS]) | st.text(max_size=3)))
def test_no_text_keeps_the_secret(secret: str, parts: list[str]) -> None:
    assert secret not in Redactor([secret])("".join(parts))
