"""Whatever the environment, a model's name and the base URL hold: an endpoint, or one error for the user."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.config_redaction import ConfigRedactor
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.profiles import KEY_VARIABLES, PROVIDERS
from pytest_ultra.providers.proxies import find_proxy
from tests.fuzzing import check_linear_time, fuzz

PARTS = [
    *(
        "http://",
        "https://",
        "socks5://",
        "//",
        "a",
        "A.b",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "[",
        "]",
        "::",
        ":",
        "@",
    ),
    *(":80", ":99999", ":-1", ":\u0661", "/", "/v1", "/chat/completions", "?", "key=x", "#", ",", "*", ".", " ", "\n"),
    *(
        "10.0.0.0/8",
        "/33",
        "%",
        "%zz",
        "\0",
        "\udc80",
        "\udcff",
        "xn--",
        "\u2100",
        "openai",
        "gpt-4o",
        "demo",
        "ollama/",
    ),
]
TEXTS = st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=6).map("".join)
PROXIES = [f"{scheme}_proxy" for scheme in ("http", "https", "all", "no")]
ADDRESSES = [provider.url_variable for provider in PROVIDERS.values() if provider.url_variable]
ENVIRONMENTS = st.dictionaries(st.sampled_from([*PROXIES, *ADDRESSES, *KEY_VARIABLES]), TEXTS, max_size=5)
MODELS = TEXTS | st.sampled_from([f"{name}/m" for name in PROVIDERS])


@fuzz(150)
@given(MODELS, st.none() | TEXTS, ENVIRONMENTS)
@example("m", "http://a/\udcff", {})
def test_a_model_has_an_endpoint_or_an_error(model: str, base_url: str | None, environ: dict[str, str]) -> None:
    try:
        spec = resolve(model, base_url=base_url, environ=environ)
    except ConfigurationError:
        return
    if not spec.is_demo:
        find_proxy(spec.url(), environ)
        assert all(value.isprintable() for value in spec.headers().values())
        assert len(spec.endpoint_id()) == 32


@fuzz(30)
@given(TEXTS, ENVIRONMENTS)
def test_an_environment_of_any_text_is_redacted(text: str, environ: dict[str, str]) -> None:
    assert isinstance(ConfigRedactor(environ).text(text), str)


@pytest.mark.parametrize("name", ["all_proxy", "no_proxy", "OPENAI_BASE_URL", "OPENAI_API_KEY"])
@fuzz(5)
@given(unit=TEXTS.filter(bool))
def test_a_long_variable_is_read_in_linear_time(name: str, unit: str) -> None:
    def read(size: int) -> None:
        environ = {"OPENAI_API_KEY": "sk-0", name: unit * (size // len(unit))}
        try:
            resolve("gpt-4o", base_url=None, environ=environ)
        except ConfigurationError as error:
            assert str(error)  # noqa: PT017 - either is fine

    check_linear_time(read)
