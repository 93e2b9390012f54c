"""The protocol of each model: what the user asked for, or what suits its provider and is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec as find_module
from types import MappingProxyType

import msgspec

from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.errors import ConfigurationError


class Sdk(msgspec.Struct, frozen=True):
    """The package that speaks a protocol. `extra` installs it; `is_default` is whether `auto` uses it."""

    label: str
    provider: str
    extra: str
    package: str
    module: str
    is_default: bool = True


SDKS: Mapping[ModelApi, Sdk] = MappingProxyType(
    {
        ModelApi.RESPONSES: Sdk("Responses", "openai", "openai", "openai", "openai", is_default=False),
        ModelApi.MESSAGES: Sdk("Messages", "anthropic", "anthropic", "anthropic", "anthropic"),
        ModelApi.GEMINI: Sdk("Gemini API", "google", "google", "google-genai", "google.genai"),
    }
)
CHAT_LABEL = "chat completions"


def is_installed(sdk: Sdk) -> bool:
    """Return whether an SDK can be imported, without importing it."""
    with suppress(ImportError, ValueError):
        return find_module(sdk.module) is not None
    return False


def choose_api(
    wanted: ModelApi,
    model: str,
    provider: str,
    *,
    has_base_url: bool,
    can_use: Callable[[Sdk], bool] = is_installed,
) -> ModelApi:
    """Return the protocol in which to ask a model. Raises `ConfigurationError` if it cannot be the wanted one.

    At a base URL of the user's, `auto` is chat completions, which most servers speak, whatever the model's name.
    """
    if wanted is ModelApi.AUTO:
        own = find_own_api(provider)
        return own if own and not has_base_url and can_use(SDKS[own]) else ModelApi.CHAT
    if wanted is ModelApi.CHAT:
        return wanted
    sdk = SDKS[wanted]
    if provider == "demo" or (provider != sdk.provider and not has_base_url):
        spoken = [ModelApi.CHAT, *(api for api, each in SDKS.items() if each.provider == provider)]
        raise ConfigurationError(
            f"--ultra-api {wanted}: the provider {provider!r} (of the model {model!r}) does not speak it. Valid for "
            f"this model: auto, {', '.join(spoken)}; {wanted} is for {sdk.provider}/NAME, or a server at "
            "--ultra-base-url."
        )
    if not can_use(sdk):
        raise ConfigurationError(
            f"--ultra-api {wanted} needs the package {sdk.package}, which is not installed: "
            f"{install_command(sdk)}; or use --ultra-api auto."
        )
    return wanted


def find_own_api(provider: str) -> ModelApi | None:
    """Return the protocol that `auto` uses for a provider if its SDK is installed; None if that is always chat."""
    return next((api for api, sdk in SDKS.items() if sdk.is_default and sdk.provider == provider), None)


def install_command(sdk: Sdk) -> str:
    return f"pip install 'pytest-ultra[{sdk.extra}]'"


def describe_api(api: ModelApi, provider: str, *, has_base_url: bool) -> str:
    """Return a protocol in words: by which package, or which package would give another one."""
    if api in SDKS:
        sdk = SDKS[api]
        with suppress(PackageNotFoundError):
            return f"{sdk.label} by {sdk.package} {version(sdk.package)}"
        return sdk.label
    own = find_own_api(provider)
    if own and not has_base_url and not is_installed(SDKS[own]):
        return f"{CHAT_LABEL}; for {SDKS[own].label}: {install_command(SDKS[own])}"
    return CHAT_LABEL
