"""Who serves a model: from the name that the user wrote to an address, a key and the endpoint's name for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

import msgspec

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.demo_name import DEFAULT_AGENT, parse_agent_name
from pytest_ultra.providers.proxies import find_proxy
from pytest_ultra.providers.redaction import show_url
from pytest_ultra.providers.secret import Secret
from pytest_ultra.providers.served_endpoints import Served

_PATH = "/chat/completions"


class Provider(msgspec.Struct, frozen=True):
    """A known way to reach models. Variables are names in the environment, the first that is set counts.

    `base_url` is empty where it must come from the user; with `url_suffix`, what the variable holds lacks it.
    """

    base_url: str
    key_variables: tuple[str, ...] = ()
    needs_key: bool = True
    url_variable: str = ""
    url_suffix: str = ""
    key_header: str = "authorization"


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        "openai": Provider("https://api.openai.com/v1", ("OPENAI_API_KEY",), url_variable="OPENAI_BASE_URL"),
        "demo": Provider("", needs_key=False),
        "azure": Provider(
            "",
            ("AZURE_OPENAI_API_KEY",),
            url_variable="AZURE_OPENAI_ENDPOINT",
            url_suffix="/openai/v1",
            key_header="api-key",
        ),
        "anthropic": Provider("https://api.anthropic.com/v1", ("ANTHROPIC_API_KEY",)),
        "google": Provider(
            "https://generativelanguage.googleapis.com/v1beta/openai", ("GEMINI_API_KEY", "GOOGLE_API_KEY")
        ),
        "openrouter": Provider("https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",)),
        "groq": Provider("https://api.groq.com/openai/v1", ("GROQ_API_KEY",)),
        "together": Provider("https://api.together.xyz/v1", ("TOGETHER_API_KEY",)),
        "mistral": Provider("https://api.mistral.ai/v1", ("MISTRAL_API_KEY",)),
        "deepseek": Provider("https://api.deepseek.com/v1", ("DEEPSEEK_API_KEY",)),
        "ollama": Provider("http://127.0.0.1:11434/v1", ("OLLAMA_API_KEY",), needs_key=False),
        "vllm": Provider("http://127.0.0.1:8000/v1", ("VLLM_API_KEY",), needs_key=False),
        "llama.cpp": Provider("http://127.0.0.1:8080/v1", ("LLAMA_API_KEY",), needs_key=False),
    }
)


KEY_VARIABLES = tuple(name for provider in PROVIDERS.values() for name in provider.key_variables)


class ModelSpec(msgspec.Struct, frozen=True):
    """Where and how to ask for one model. `base_url` is empty for demo models: their endpoint starts with the run.

    `others` are further endpoints that serve it; `label` tells one of several from the others.
    """

    provider: str
    name: str
    base_url: str
    key: Secret = Secret()
    key_header: str = "authorization"
    label: str = ""
    others: tuple[ModelSpec, ...] = ()

    @property
    def endpoints(self) -> tuple[ModelSpec, ...]:
        """This one and all others, in the order of their routes."""
        return (self, *self.others)

    @property
    def is_demo(self) -> bool:
        return self.provider == "demo"

    def url(self, demo_url: str = "") -> str:
        parts = urlsplit(self.base_url or demo_url)
        return parts._replace(path=parts.path.rstrip("/") + _PATH).geturl()

    def endpoint_id(self, demo_url: str = "") -> str:
        """Return a name for the endpoint together with the key, which gives neither away."""
        parts = urlsplit(self.url(demo_url))
        said = f"{parts.scheme}://{parts.netloc.lower()}{parts.path} {self.key.reveal()}"
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    def endpoint_ids(self, demo_url: str = "") -> tuple[str, ...]:
        return tuple(spec.endpoint_id(demo_url) for spec in self.endpoints)

    def headers(self) -> dict[str, str]:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self.key:
            scheme = "Bearer " if self.key_header == "authorization" else ""
            headers[self.key_header] = scheme + self.key.reveal()
        return headers


def resolve(
    model: str, *, base_url: str | None, environ: Mapping[str, str], served: Sequence[Served] = ()
) -> ModelSpec:
    """Turn a model as the user wrote it into where and how to ask for it.

    Without a prefix it is one of openai's. `base_url` moves every model but demo ones; with it an unknown prefix is a
    part of the name, and no key is required. `served` are its endpoints, if it has some of its own. Raises
    `ConfigurationError`; its message never holds a key.
    """
    if not served:
        return _resolve(model, base_url, "--ultra-base-url", environ)
    first, *others = [_resolve_served(model, base_url, environ, one) for one in served]
    return msgspec.structs.replace(first, others=tuple(others))


def _resolve_served(model: str, base_url: str | None, environ: Mapping[str, str], served: Served) -> ModelSpec:
    place = f'[tool.pytest_ultra.models."{model}"]'
    if served.key_env and not environ.get(served.key_env, "").strip():
        raise ConfigurationError(
            f"{place} takes a key from the environment variable {served.key_env!r}, which is not set. Set it, or leave "
            "out that endpoint."
        )
    source = f"{place} base_url" if served.base_url else "--ultra-base-url"
    spec = _resolve(model, served.base_url or base_url, source, environ, served.key_env)
    if spec.is_demo:
        raise ConfigurationError(f"{place}: a demo model is served by the run itself. Take its endpoints out.")
    return msgspec.structs.replace(spec, name=served.name or spec.name, label=served.label)


def _resolve(model: str, base_url: str | None, source: str, environ: Mapping[str, str], key_env: str = "") -> ModelSpec:
    provider_name, name = _split(model, has_base_url=bool(base_url))
    if provider_name == "demo":
        parse_agent_name(name)
        return ModelSpec("demo", name or DEFAULT_AGENT, "")
    provider = PROVIDERS[provider_name]
    address = _check_url(base_url, source) if base_url else _base_url(provider_name, environ)
    find_proxy(address, environ)
    variables = (key_env,) if key_env else provider.key_variables
    key = _key(model, variables, is_required=provider.needs_key and not base_url, environ=environ)
    return ModelSpec(provider_name, name, address, key, provider.key_header)


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
            "If it is a part of the model's own name, say who serves it: openrouter/" + model + ", or --ultra-base-url."
        )
    if prefix != "demo" and not name.strip():
        raise ConfigurationError(
            f"{model!r} names no model. Valid: NAME or PROVIDER/NAME, as in gpt-4o-mini or ollama/llama3.1."
        )
    return prefix, name


def _base_url(provider_name: str, environ: Mapping[str, str]) -> str:
    provider = PROVIDERS[provider_name]
    from_environment = environ.get(provider.url_variable, "").strip()
    if from_environment:
        address = _check_url(from_environment, provider.url_variable)
        return address if address.endswith(provider.url_suffix) else address + provider.url_suffix
    if not provider.base_url:
        raise ConfigurationError(
            f"The provider {provider_name!r} needs the address of your resource. Set {provider.url_variable}, "
            "as in https://NAME.openai.azure.com, or pass --ultra-base-url."
        )
    return provider.base_url


def _check_url(url: str, source: str) -> str:
    """Return a base URL without a trailing slash or the path that we add ourselves."""
    parts = _parse_url(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"{source} cannot be {show_url(url)!r}: it is an http or https URL, as in http://127.0.0.1:8080/v1."
        )
    if parts.username or parts.password:
        raise ConfigurationError(
            f"{source} holds a user name or password. Leave it out of the URL, and give a key by the provider's "
            "variable, as in OPENAI_API_KEY."
        )
    path = parts.path.rstrip("/").removesuffix(_PATH)
    return parts._replace(path=path, fragment="").geturl()


def _parse_url(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read for its check
    except ValueError:
        return None
    return parts


def _key(model: str, variables: Sequence[str], *, is_required: bool, environ: Mapping[str, str]) -> Secret:
    variable = next((name for name in variables if environ.get(name, "").strip()), "")
    key = environ.get(variable, "").strip()
    if not key and is_required:
        raise ConfigurationError(
            f"The model {model!r} needs an API key. Set {' or '.join(variables)}; or try "
            "--ultra-model demo, which needs none, or --ultra-base-url for a server of your own."
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(
            f"The key in {variable} has characters that no key has (line breaks, or letters beyond ASCII). "
            "Set it again, without quotation marks."
        )
    return Secret(key)
