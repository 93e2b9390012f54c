"""The endpoint of a run's models: chat completions over aiohttp, other protocols through the providers' SDKs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.core.transcript import Reply
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.http_endpoint import HttpEndpoint, open_endpoint
from pytest_ultra.providers.model_spec import ModelSpec
from pytest_ultra.providers.redaction import Redact

if TYPE_CHECKING:  # only models of other protocols need it
    from pytest_ultra.providers.sdk.sdk_endpoint import SdkEndpoint


class ModelEndpoints:
    """Passes each request to the endpoint that speaks its model's protocol."""

    def __init__(self, http: HttpEndpoint, sdk: SdkEndpoint) -> None:
        self._http = http
        self._sdk = sdk

    async def attempt(self, request: ChatRequest) -> Reply:
        return await self._find(request).attempt(request)

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        return self._find(request).adapt(request, failure)

    async def aclose(self) -> None:
        await self._http.aclose()
        await self._sdk.aclose()

    def _find(self, request: ChatRequest) -> HttpEndpoint | SdkEndpoint:
        return self._sdk if self._sdk.serves(request) else self._http


def open_model_endpoints(
    specs: Mapping[str, ModelSpec],
    *,
    environ: Mapping[str, str],
    redact: Redact,
    demo_url: str = "",
    stream: StreamMode = StreamMode.AUTO,
    request_timeout_s: float | None = None,
    now: Callable[[], float] = time.time,
) -> HttpEndpoint | ModelEndpoints:
    """Return the endpoint of the models. Call it inside the running loop that will use it."""
    http = open_endpoint(
        specs,
        environ=environ,
        demo_url=demo_url,
        request_timeout_s=request_timeout_s,
        redact=redact,
        stream=stream,
        now=now,
    )
    if not uses_sdk(specs):
        return http
    from pytest_ultra.providers.sdk.sdk_endpoint import SdkEndpoint  # noqa: PLC0415 - only other protocols need it

    streams = stream is StreamMode.ON
    return ModelEndpoints(http, SdkEndpoint(specs, environ=environ, redact=redact, streams=streams, now=now))


def uses_sdk(specs: Mapping[str, ModelSpec]) -> bool:
    return any(one.api is not ModelApi.CHAT for spec in specs.values() for one in spec.endpoints)
