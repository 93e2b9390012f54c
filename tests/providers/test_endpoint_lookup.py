"""A model's name is resolved to its endpoint, or the message says why it cannot be."""

from __future__ import annotations

import pytest

from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.profiles import PROVIDERS

KEY = "sk-very-secret"
PROVIDER_LIST = (
    "openai, demo, azure, anthropic, google, openrouter, groq, together, mistral, deepseek, xai, cohere, fireworks, "
    "cerebras, nvidia, huggingface, bedrock, ollama, vllm, sglang, llama.cpp, lmstudio, litellm"
)


@pytest.mark.parametrize(
    ("model", "provider", "name", "url"),
    [
        ("gpt-4o-mini", "openai", "gpt-4o-mini", "https://api.openai.com/v1/chat/completions"),
        ("openai/gpt-4o", "openai", "gpt-4o", "https://api.openai.com/v1/chat/completions"),
        ("openai/demo", "openai", "demo", "https://api.openai.com/v1/chat/completions"),
        ("demo", "demo", "mixture", "http://127.0.0.1:1/v1/chat/completions"),
        ("demo?latency=0.1", "demo", "?latency=0.1", "http://127.0.0.1:1/v1/chat/completions"),
        ("demo/one-call", "demo", "one-call", "http://127.0.0.1:1/v1/chat/completions"),
        (
            "demo/perfect?latency=0.05&error_rate=0.01",
            "demo",
            "perfect?latency=0.05&error_rate=0.01",
            "http://127.0.0.1:1/v1/chat/completions",
        ),
        ("groq/llama-3.1-8b", "groq", "llama-3.1-8b", "https://api.groq.com/openai/v1/chat/completions"),
        (
            "openrouter/meta-llama/llama-3.1-8b:free",
            "openrouter",
            "meta-llama/llama-3.1-8b:free",
            "https://openrouter.ai/api/v1/chat/completions",
        ),
        ("azure/mine", "azure", "mine", "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("ollama/qwen3:4b", "ollama", "qwen3:4b", "http://127.0.0.1:11434/v1/chat/completions"),
        ("llama.cpp/any", "llama.cpp", "any", "http://127.0.0.1:8080/v1/chat/completions"),
    ],
)
def test_a_name_is_resolved_to_its_provider_and_address(model: str, provider: str, name: str, url: str) -> None:
    environ = {variable: KEY for known in PROVIDERS.values() for variable in known.key_variables}
    environ["AZURE_OPENAI_ENDPOINT"] = "https://r.openai.azure.com/"
    spec = resolve(model, base_url=None, environ=environ)
    assert (spec.provider, spec.name, spec.url("http://127.0.0.1:1/v1")) == (provider, name, url)


@pytest.mark.parametrize(
    ("model", "base_url", "name", "url"),
    [
        ("gpt-4o", "http://127.0.0.1:8000/v1/", "gpt-4o", "http://127.0.0.1:8000/v1/chat/completions"),
        ("meta-llama/Llama-3.1-8B", "http://h/v1", "meta-llama/Llama-3.1-8B", "http://h/v1/chat/completions"),
        ("ollama/qwen3", "http://h:1/v1", "qwen3", "http://h:1/v1/chat/completions"),
        ("m", "https://h/v1/chat/completions", "m", "https://h/v1/chat/completions"),
        ("m", "https://h/v1?api-version=7", "m", "https://h/v1/chat/completions?api-version=7"),
        ("m", "http://[::1]:8080", "m", "http://[::1]:8080/chat/completions"),
    ],
)
def test_a_base_url_applies_to_any_model_and_needs_no_key(model: str, base_url: str, name: str, url: str) -> None:
    spec = resolve(model, base_url=base_url, environ={})
    assert (spec.name, spec.url()) == (name, url)
    assert "authorization" not in spec.headers()


def test_a_base_url_does_not_apply_to_demo_models() -> None:
    assert resolve("demo/null", base_url="http://h/v1", environ={}).is_demo


def test_the_environment_may_set_the_base_url_of_openai() -> None:
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://gateway/openai/"}
    assert resolve("m", base_url=None, environ=environ).url() == "http://gateway/openai/chat/completions"


def test_a_gateway_may_serve_any_model_without_its_provider() -> None:
    environ = {"OPENAI_API_KEY": KEY}
    with pytest.raises(ConfigurationError, match="mean anthropic/claude-x"):
        resolve("claude-x", base_url=None, environ=environ)
    assert resolve("openai/claude-x", base_url=None, environ=environ).name == "claude-x"
    assert resolve("claude-x", base_url="http://gateway/v1", environ=environ).name == "claude-x"
    assert (
        resolve("claude-x", base_url=None, environ=environ | {"OPENAI_BASE_URL": "http://gateway"}).name == "claude-x"
    )


@pytest.mark.parametrize(
    ("model", "base_url", "variable", "header", "value"),
    [
        ("m", None, "OPENAI_API_KEY", "authorization", f"Bearer {KEY}"),
        ("m", "http://h/v1", "OPENAI_API_KEY", "authorization", f"Bearer {KEY}"),
        ("a/b", "http://h/v1", "OPENAI_API_KEY", "authorization", f"Bearer {KEY}"),
        ("vllm/m", None, "VLLM_API_KEY", "authorization", f"Bearer {KEY}"),
        ("google/m", None, "GOOGLE_API_KEY", "authorization", f"Bearer {KEY}"),
        ("azure/m", "https://h/v1", "AZURE_OPENAI_API_KEY", "api-key", KEY),
    ],
)
def test_a_key_is_sent_if_there_is_one(
    model: str, base_url: str | None, variable: str, header: str, value: str
) -> None:
    spec = resolve(model, base_url=base_url, environ={variable: f" {KEY}\n"})
    assert spec.headers()[header] == value


def test_a_key_is_in_no_representation() -> None:
    spec = resolve("m", base_url=None, environ={"OPENAI_API_KEY": KEY})
    assert "key=Secret(***)" in repr(spec)
    assert KEY not in f"{spec!r} {spec} {spec.key} {spec.key!r}"


def test_demo_models_get_no_key() -> None:
    assert not resolve("demo", base_url=None, environ={"OPENAI_API_KEY": KEY}).key


@pytest.mark.parametrize(
    ("model", "base_url", "environ", "message"),
    [
        (
            "opnai/gpt-4o",
            None,
            {},
            (
                f"There is no provider 'opnai' (in the model 'opnai/gpt-4o'). Valid: {PROVIDER_LIST}. If it is part of "
                "the model's own name, add the provider: openrouter/opnai/gpt-4o, or --ultra-base-url."
            ),
        ),
        (
            "gpt-4o",
            None,
            {"OPENAI_API_KEY": " "},
            (
                "The model 'gpt-4o' needs an API key. Set OPENAI_API_KEY; or try --ultra-model demo, which needs none, "
                "or --ultra-base-url for your own server."
            ),
        ),
        (
            "google/gemini",
            None,
            {},
            (
                "The model 'google/gemini' needs an API key. Set GEMINI_API_KEY or GOOGLE_API_KEY; or try "
                "--ultra-model demo, which needs none, or --ultra-base-url for your own server."
            ),
        ),
        (
            "m",
            None,
            {"OPENAI_API_KEY": f"{KEY}\nand more"},
            (
                "The key in OPENAI_API_KEY contains characters that are not valid in a key (line breaks, or letters "
                "outside ASCII). Set it again, without quotation marks."
            ),
        ),
        (
            "groq/",
            None,
            {"GROQ_API_KEY": KEY},
            "'groq/' names no model. Valid: NAME or PROVIDER/NAME, as in gpt-4o-mini or ollama/llama3.1.",
        ),
        (
            "demo/",
            None,
            {},
            f"'demo/' names no demo agent. Valid: demo, or demo/AGENT, where AGENT is {', '.join(ReferenceAgent)}.",
        ),
        ("", None, {}, "'' names no model. Valid: NAME or PROVIDER/NAME, as in gpt-4o-mini or ollama/llama3.1."),
        (
            "azure/mine",
            None,
            {"AZURE_OPENAI_API_KEY": KEY},
            (
                "The provider 'azure' needs the address of your resource. Set AZURE_OPENAI_ENDPOINT, as in "
                "https://NAME.openai.azure.com, or pass --ultra-base-url."
            ),
        ),
        (
            "m",
            "localhost:8080",
            {},
            "--ultra-base-url cannot be 'localhost:8080'. Valid: an http or https URL, as in http://127.0.0.1:8080/v1.",
        ),
        (
            "m",
            "http://h:port/v1",
            {},
            "--ultra-base-url cannot be 'http://h:port/v1'. Valid: an http or https URL, as in http://127.0.0.1:8080/v1.",
        ),
        (
            "m",
            None,
            {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "ftp://h"},
            "OPENAI_BASE_URL cannot be 'ftp://h'. Valid: an http or https URL, as in http://127.0.0.1:8080/v1.",
        ),
        (
            "m",
            f"http://user:{KEY}@h/v1",
            {},
            (
                "--ultra-base-url contains a user name or password. Remove it from the URL, and put a key into "
                "the provider's variable, as in OPENAI_API_KEY."
            ),
        ),
        (
            "m",
            "http://h/v1",
            {"HTTP_PROXY": f"socks5://u:{KEY}@p:1080"},
            (
                "The proxy in http_proxy (or HTTP_PROXY) has the scheme 'socks5'. Valid: http, https. Unset it, or "
                "add the endpoint's host to NO_PROXY to connect directly."
            ),
        ),
        (
            "demo/perfekt",
            None,
            {},
            (
                f"There is no demo agent 'perfekt'. Valid: {', '.join(ReferenceAgent)}. `demo` alone means "
                "demo/mixture; for a model named demo, write openai/demo."
            ),
        ),
        (
            "demo/perfect?delay=1",
            None,
            {},
            (
                "A demo agent has no parameter 'delay'. Valid: latency, error_rate, as in "
                "demo/perfect?latency=0.05&error_rate=0.01."
            ),
        ),
        (
            "demo?latency=slow",
            None,
            {},
            "A demo agent's latency cannot be 'slow'. Valid: seconds per call, 0 or more, as in latency=0.05.",
        ),
        (
            "demo/null?latency=inf",
            None,
            {},
            "A demo agent's latency cannot be 'inf'. Valid: seconds per call, 0 or more, as in latency=0.05.",
        ),
        (
            "demo?error_rate=1.5",
            None,
            {},
            "A demo agent's error_rate cannot be '1.5'. Valid: a share from 0 to 1, as in error_rate=0.05.",
        ),
    ],
)
def test_a_message_contains_the_bad_value_the_valid_ones_and_a_way_out(
    model: str, base_url: str | None, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(model, base_url=base_url, environ=environ)
    assert str(caught.value) == message
    assert KEY not in message


def test_an_endpoint_with_a_key_has_one_id_that_reveals_neither() -> None:
    def name(base_url: str, key: str) -> str:
        return resolve("m", base_url=base_url, environ={"OPENAI_API_KEY": key}).endpoint_id()

    first = name("http://Host:1/v1", "sk-secret")
    assert first == name("http://host:1/v1/", "sk-secret")
    assert len({first, name("http://host:1/v1", "sk-other"), name("http://host:2/v1", "sk-secret")}) == 3
    assert first.isalnum()
    assert "secret" not in first


def test_the_embedded_endpoint_is_named_by_its_address() -> None:
    spec = resolve("demo", base_url=None, environ={})
    assert spec.endpoint_id("http://127.0.0.1:1/v1") != spec.endpoint_id("http://127.0.0.1:2/v1")
