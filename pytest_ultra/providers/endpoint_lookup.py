"""Resolve a model name to its endpoint: the address, the key, and the endpoint's own name for the model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import msgspec

from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.core.request_parameters import neutral_parameters
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.api_choice import choose_api
from pytest_ultra.providers.demo_name import DEFAULT_AGENT, parse_agent_name
from pytest_ultra.providers.model_spec import PATH, ModelSpec
from pytest_ultra.providers.profiles import KEY_VARIABLES, MODEL_NAMES, PROVIDERS
from pytest_ultra.providers.proxies import find_proxy
from pytest_ultra.providers.redaction import Redactor, Secret, find_secrets, redact_url
from pytest_ultra.providers.request_headers import resolve_headers, secrets_of
from pytest_ultra.providers.served_endpoints import Served


class EndpointSettings(Protocol):
    """The settings of a run that decide where its models are served, each keyed by the user's model names.

    `request` holds the parameters of requests, `header` the variables of their headers.
    """

    @property
    def base_url(self) -> str | None: ...

    @property
    def redis(self) -> str | None: ...

    @property
    def served(self) -> Mapping[str, Sequence[Served]]: ...

    @property
    def request(self) -> Mapping[str, Mapping[str, Any]]: ...

    @property
    def header(self) -> Mapping[str, Mapping[str, str]]: ...

    @property
    def api(self) -> ModelApi: ...


def find_spec(settings: EndpointSettings, model: str) -> ModelSpec:
    """Resolve one model of a run. Raises `ConfigurationError` if it cannot be reached."""
    spec = resolve(
        model,
        base_url=settings.base_url,
        environ=os.environ,
        served=settings.served.get(model, ()),
        headers=settings.header.get(model, {}),
        api=settings.api,
    )
    neutral = neutral_parameters(settings.request.get(model, {}))
    others = tuple(msgspec.structs.replace(other, neutral=neutral) for other in spec.others)
    return msgspec.structs.replace(spec, neutral=neutral, others=others)


def find_redactor(settings: EndpointSettings) -> Redactor:
    """Return a redactor of every key that a provider or an endpoint may use, and of those in headers and base URLs."""
    served = [one for endpoints in settings.served.values() for one in endpoints]
    bases = [os.environ.get(provider.url_variable, "") for provider in PROVIDERS.values()]
    secrets = find_secrets(
        os.environ,
        (*KEY_VARIABLES, *(one.key_env for one in served)),
        (settings.base_url or "", settings.redis or "", *bases, *(one.base_url for one in served)),
    )
    variables = {variable for headers in settings.header.values() for variable in headers.values()}
    return Redactor(secrets.union(*(secrets_of(os.environ.get(name, "").strip()) for name in variables)))


def resolve(
    model: str,
    *,
    base_url: str | None,
    environ: Mapping[str, str],
    served: Sequence[Served] = (),
    headers: Mapping[str, str] = MappingProxyType({}),
    api: ModelApi = ModelApi.CHAT,
) -> ModelSpec:
    """Resolve a model name, as the user wrote it, to its endpoint.

    A name without a prefix means openai. `base_url` applies to all models except demo ones; with it, an unknown prefix
    is part of the name, and no key is required. `served` lists the model's own endpoints, if any; `headers` names the
    variable of each header's value. Raises `ConfigurationError`, whose message never contains a secret.
    """
    if not served:
        return _resolve(model, base_url, "--ultra-base-url", environ, headers=headers, api=api)
    first, *others = [_resolve_served(model, base_url, environ, one, headers=headers, api=api) for one in served]
    return msgspec.structs.replace(first, others=tuple(others))


def _resolve_served(
    model: str,
    base_url: str | None,
    environ: Mapping[str, str],
    served: Served,
    *,
    headers: Mapping[str, str],
    api: ModelApi,
) -> ModelSpec:
    place = f'[tool.pytest_ultra.models."{model}"]'
    if served.key_env and not environ.get(served.key_env, "").strip():
        raise ConfigurationError(
            f"{place} takes a key from the environment variable {served.key_env!r}, which is not set. Set it, or "
            "remove that endpoint."
        )
    source = f"{place} base_url" if served.base_url else "--ultra-base-url"
    address = served.base_url or base_url
    spec = _resolve(model, address, source, environ, headers=headers, api=api, key_env=served.key_env)
    if spec.is_demo:
        raise ConfigurationError(f"{place}: the run itself serves demo models. Remove the endpoints.")
    return msgspec.structs.replace(spec, name=served.name or spec.name, label=served.label)


def _resolve(
    model: str,
    base_url: str | None,
    source: str,
    environ: Mapping[str, str],
    *,
    headers: Mapping[str, str],
    api: ModelApi,
    key_env: str = "",
) -> ModelSpec:
    provider_name, name = _split(model, has_base_url=bool(base_url))
    chosen = choose_api(api, model, provider_name, has_base_url=bool(base_url))
    if provider_name == "demo":
        parse_agent_name(name)
        return ModelSpec("demo", name or DEFAULT_AGENT, "")
    provider = PROVIDERS[provider_name]
    address = _check_url(base_url, source) if base_url else _base_url(provider_name, environ)
    if "/" not in model and address == PROVIDERS["openai"].base_url:
        _check_owner(name)
    find_proxy(address, environ)
    variables = (key_env,) if key_env else provider.key_variables
    own_headers = resolve_headers(headers, environ)
    has_key_header = provider.key_header in own_headers
    key = _key(model, variables, is_required=not (base_url or has_key_header) and provider.needs_key, environ=environ)
    return ModelSpec(
        provider_name,
        name,
        address,
        key,
        provider.key_header,
        own_headers=own_headers,
        api=chosen,
        is_own_address=bool(base_url),
    )


def _split(model: str, *, has_base_url: bool) -> tuple[str, str]:
    prefix, slash, name = model.partition("/")
    if not slash:
        agent, mark, query = model.partition("?")
        prefix, name = ("demo", mark + query) if agent == "demo" else ("openai", model)
    elif prefix not in PROVIDERS and has_base_url:
        prefix, name = "openai", model
    if prefix not in PROVIDERS:
        raise ConfigurationError(
            f"There is no provider {prefix!r} (in the model {model!r}). Valid: {', '.join(PROVIDERS)}. "
            "If it is part of the model's own name, add the provider: openrouter/" + model + ", or --ultra-base-url."
        )
    if prefix == "demo" and slash and not name.partition("?")[0]:
        raise ConfigurationError(
            f"{model!r} names no demo agent. Valid: demo, or demo/AGENT, where AGENT is {', '.join(ReferenceAgent)}."
        )
    if prefix != "demo" and not name.strip():
        raise ConfigurationError(
            f"{model!r} names no model. Valid: NAME or PROVIDER/NAME, as in gpt-4o-mini or ollama/llama3.1."
        )
    return prefix, name


def _check_owner(name: str) -> None:
    """Raise `ConfigurationError` if a name without a provider is that of another provider's model, and not OpenAI's."""
    owner = next((owner for owner, names in MODEL_NAMES.items() if name.startswith(names)), None)
    if owner is not None:
        raise ConfigurationError(
            f"{name!r} without a provider means openai/{name}, but such names are those of {owner}'s models. Did you "
            f"mean {owner}/{name}? If not, write openai/{name}."
        )


def _base_url(provider_name: str, environ: Mapping[str, str]) -> str:
    provider = PROVIDERS[provider_name]
    from_environment = environ.get(provider.url_variable, "").strip()
    if from_environment:
        address = _check_url(from_environment, provider.url_variable)
        return address if address.endswith(provider.url_suffix) else address + provider.url_suffix
    if not provider.base_url:
        raise ConfigurationError(
            f"The provider {provider_name!r} needs the address of your resource. Set {provider.url_variable}, "
            f"as in {provider.example_url}, or pass --ultra-base-url."
        )
    return provider.base_url


def _check_url(url: str, source: str) -> str:
    """Return a base URL without a trailing slash, and without the path that `ModelSpec.url` adds."""
    parts = _parse_url(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"{source} cannot be {redact_url(url)!r}. Valid: an http or https URL, as in http://127.0.0.1:8080/v1."
        )
    if parts.username or parts.password:
        raise ConfigurationError(
            f"{source} contains a user name or password. Remove it from the URL, and put a key into the provider's "
            "variable, as in OPENAI_API_KEY."
        )
    path = parts.path.rstrip("/").removesuffix(PATH)
    return parts._replace(path=path, fragment="").geturl()


def _parse_url(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port, url.encode()  # raise if they are invalid
    except ValueError:
        return None
    return parts


def _key(model: str, variables: Sequence[str], *, is_required: bool, environ: Mapping[str, str]) -> Secret:
    variable = next((name for name in variables if environ.get(name, "").strip()), "")
    key = environ.get(variable, "").strip()
    if not key and is_required:
        raise ConfigurationError(
            f"The model {model!r} needs an API key. Set {' or '.join(variables)}; or try "
            "--ultra-model demo, which needs none, or --ultra-base-url for your own server."
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(
            f"The key in {variable} contains characters that are not valid in a key (line breaks, or letters outside "
            "ASCII). Set it again, without quotation marks."
        )
    return Secret(key)
