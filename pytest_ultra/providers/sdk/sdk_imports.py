"""What the SDKs import when a request is made, so that the main thread can import it before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.providers.model_spec import ModelSpec

_SHARED = (
    "pytest_ultra.providers.sdk.sdk_endpoint",
    "httpx2",
    "httpcore2",
    "h11",
    "httpcore2._backends.auto",
    "httpcore2._backends.anyio",
    "httpcore2._async.http11",
    "httpcore2._async.http_proxy",
    "anyio._backends._asyncio",
    "opentelemetry.baggage.propagation",
    "opentelemetry.propagate",
    "google.auth.aio.credentials",
)
"""Those of a package that is not installed are left out by the importer."""
_IMPORTS: Mapping[ModelApi, tuple[str, ...]] = MappingProxyType(
    {
        ModelApi.RESPONSES: ("pytest_ultra.providers.sdk.responses", "openai", "openai.resources.responses.responses"),
        ModelApi.MESSAGES: ("pytest_ultra.providers.sdk.messages", "anthropic", "anthropic.resources.messages"),
        ModelApi.GEMINI: ("pytest_ultra.providers.sdk.gemini", "google.genai"),
    }
)


def find_sdk_imports(specs: Iterable[ModelSpec]) -> tuple[str, ...]:
    """Return the modules that the models' protocols need; none for chat completions."""
    apis = dict.fromkeys(one.api for spec in specs for one in spec.endpoints if one.api in _IMPORTS)
    return (*_SHARED, *(name for api in apis for name in _IMPORTS[api])) if apis else ()
