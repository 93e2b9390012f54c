"""The endpoint of models that are asked through a provider's own SDK: one attempt at a request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from pytest_ultra.core.bounds import bound_reply
from pytest_ultra.core.chat_request import ChatRequest, metered
from pytest_ultra.core.generation_end import ERROR_FINISHES, normalize_finish
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.token_usage import estimate_missing
from pytest_ultra.core.transcript import Reply
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.dialects.learned_dialects import LearnedDialects, Route
from pytest_ultra.providers.error_body import excerpt
from pytest_ultra.providers.failed_attempts import describe_failure
from pytest_ultra.providers.model_spec import ModelSpec
from pytest_ultra.providers.quota import read_quota
from pytest_ultra.providers.redaction import Redact
from pytest_ultra.providers.sdk.adapter import CHANGEABLE, SdkAdapter
from pytest_ultra.providers.sdk.sdk_http import find_connection_failure, open_http_client, read_response, receiving
from pytest_ultra.providers.transport import HttpResponse
from pytest_ultra.providers.verdicts import failure_inside, rejection

_ADAPTERS: Mapping[ModelApi, tuple[str, str]] = MappingProxyType(
    {
        ModelApi.RESPONSES: ("responses", "ResponsesAdapter"),
        ModelApi.MESSAGES: ("messages", "MessagesAdapter"),
        ModelApi.GEMINI: ("gemini", "GeminiAdapter"),
    }
)
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


class SdkEndpoint:
    """The endpoint of all models of a run that are asked through an SDK; `specs` is keyed like those of HttpEndpoint.

    Open it inside the running loop that will use it. The caller limits the time of an attempt.
    """

    def __init__(
        self,
        specs: Mapping[str, ModelSpec],
        *,
        environ: Mapping[str, str],
        redact: Redact,
        streams: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._specs = specs
        self._adapters: dict[Route, SdkAdapter] = {
            (model, number): _open_adapter(one, environ, streams=streams)
            for model, spec in specs.items()
            for number, one in enumerate(spec.endpoints)
            if one.api in _ADAPTERS
        }
        self._dialects = LearnedDialects(
            {route: adapter.dialect for route, adapter in self._adapters.items()}, CHANGEABLE
        )
        self._redact = redact
        self._now = now

    def serves(self, request: ChatRequest) -> bool:
        return (request.case.model, request.route) in self._adapters

    async def attempt(self, request: ChatRequest) -> Reply:
        """Send the request once. Raises `AttemptFailedError`, without secrets, if no usable answer comes back."""
        route = request.case.model, request.route
        spec = self._specs[request.case.model].endpoints[request.route]
        used = self._dialects.of(request)
        adapter = self._adapters[route]
        with receiving() as answers:
            try:
                answer = await adapter.send(request, used.dialect)
                reply = self._read(adapter, answer, request.turn)
            except Exception as error:  # noqa: BLE001 - SDKs raise errors of many kinds, and none may escape
                response = read_response(answers, error)
                failure = self._judge(error, response, spec)
                requested = () if self._dialects.has_answered(request) else (*request.requested, *spec.neutral)
                raise describe_failure(
                    failure, response, used, label=spec.label, redact=self._redact, requested=requested
                ) from None
        self._dialects.observe_answer(request, used)
        quota = read_quota(answers[-1].headers, now=self._now) if answers else None
        read = estimate_missing(bound_reply(reply), request).with_texts(self._redact)
        return read if quota is None else metered(read, quota)

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        """Leave out or lower what a rejection names."""
        return self._dialects.adapt(request, failure)

    async def aclose(self) -> None:
        for adapter in self._adapters.values():
            await adapter.aclose()

    def _read(self, adapter: SdkAdapter, answer: Any, turn: int) -> Reply:
        reply = adapter.read(answer, turn)
        if normalize_finish(reply.finish_reason) in ERROR_FINISHES:
            raise ValueError(f"finish reason {reply.finish_reason!r}")
        return reply

    def _judge(self, error: Exception, response: HttpResponse | None, spec: ModelSpec) -> AttemptFailedError:
        """Return the failed attempt: the answer decides if there is one, by the table for all endpoints."""
        if response is not None and not 200 <= response.status < 300:  # noqa: PLR2004 - the bounds of success in HTTP
            return rejection(response, spec.provider, now=self._now)
        broken = find_connection_failure(error)
        if broken is not None:
            return broken
        if response is None:
            return AttemptFailedError(AttemptProblem.MALFORMED, f"{type(error).__name__}: {error}")
        what = excerpt(response.body) if response.body else f"{type(error).__name__}: {error}"
        malformed = AttemptFailedError(AttemptProblem.MALFORMED, f"no answer of the protocol {spec.api}: {what}")
        return failure_inside(response, malformed, spec.provider, now=self._now)


def _open_adapter(spec: ModelSpec, environ: Mapping[str, str], *, streams: bool) -> SdkAdapter:
    module, name = _ADAPTERS[spec.api]
    kind = getattr(import_module(f"pytest_ultra.providers.sdk.{module}"), name)
    headers = {name: value.reveal() for name, value in spec.own_headers.items()}
    adapter: SdkAdapter = kind(spec, open_http_client(spec.base_url, environ, headers), streams=streams)
    return adapter
