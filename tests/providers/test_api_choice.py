"""Which protocol a model is asked in: what the user wants, the provider speaks and is installed."""

from __future__ import annotations

import pytest

from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.api_choice import Sdk, choose_api, describe_api
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.profiles import PROVIDERS

AUTO, CHAT = ModelApi.AUTO, ModelApi.CHAT


def yes(_: Sdk) -> bool:
    return True


def no(_: Sdk) -> bool:
    return False


@pytest.mark.parametrize("provider", PROVIDERS)
def test_auto_uses_an_sdk_for_two_providers_where_it_is_installed(provider: str) -> None:
    own = {"anthropic": ModelApi.MESSAGES, "google": ModelApi.GEMINI}.get(provider, CHAT)
    assert choose_api(AUTO, "m", provider, has_base_url=False, can_use=yes) is own
    assert choose_api(AUTO, "m", provider, has_base_url=False, can_use=no) is CHAT
    assert choose_api(AUTO, "m", provider, has_base_url=True, can_use=yes) is CHAT
    assert choose_api(CHAT, "m", provider, has_base_url=False, can_use=yes) is CHAT


def test_an_explicit_choice_is_honoured_for_its_provider_and_at_any_base_url() -> None:
    for api, provider in (
        (ModelApi.RESPONSES, "openai"),
        (ModelApi.MESSAGES, "anthropic"),
        (ModelApi.GEMINI, "google"),
    ):
        assert choose_api(api, "m", provider, has_base_url=False, can_use=yes) is api
        assert choose_api(api, "m", "openai", has_base_url=True, can_use=yes) is api


def test_a_protocol_that_the_provider_does_not_speak_is_a_usage_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        choose_api(ModelApi.RESPONSES, "anthropic/claude", "anthropic", has_base_url=False, can_use=yes)
    assert str(caught.value) == (
        "--ultra-api responses: the provider 'anthropic' (of the model 'anthropic/claude') does not speak it. Valid "
        "for this model: auto, chat, messages; responses is for openai/NAME, or a server at --ultra-base-url."
    )
    with pytest.raises(ConfigurationError):
        choose_api(ModelApi.MESSAGES, "demo", "demo", has_base_url=True, can_use=yes)


def test_a_missing_package_is_a_usage_error_that_names_the_command() -> None:
    with pytest.raises(ConfigurationError) as caught:
        choose_api(ModelApi.MESSAGES, "anthropic/claude", "anthropic", has_base_url=False, can_use=no)
    assert str(caught.value) == (
        "--ultra-api messages needs the package anthropic, which is not installed: pip install "
        "'pytest-ultra[anthropic]'; or use --ultra-api auto."
    )


def test_a_protocol_in_words() -> None:
    assert describe_api(CHAT, "openai", has_base_url=False) == "chat completions"
    assert describe_api(CHAT, "anthropic", has_base_url=True) == "chat completions"
    assert describe_api(ModelApi.GEMINI, "google", has_base_url=False).startswith("Gemini API")


def test_limits_are_the_same_in_all_protocols() -> None:
    environ = {"OPENAI_API_KEY": "k"}
    chat = resolve("gpt", base_url=None, environ=environ)
    assert chat.api is CHAT
    assert chat.endpoint_id() == resolve("gpt", base_url=None, environ=environ, api=AUTO).endpoint_id()
