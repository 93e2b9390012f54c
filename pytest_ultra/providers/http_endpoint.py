"""The endpoint on HTTP: one attempt at a request to a model."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from pytest_ultra.core.chat_request import ChatRequest, metered
from pytest_ultra.core.reference_agent import knowledge_of
from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.core.token_usage import estimate_missing
from pytest_ultra.core.transcript import Reply
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.dialects.learned_dialects import LearnedDialects
from pytest_ultra.providers.failed_attempts import describe_failure
from pytest_ultra.providers.model_spec import ModelSpec
from pytest_ultra.providers.profiles import find_dialect
from pytest_ultra.providers.quota import read_quota
from pytest_ultra.providers.redaction import Redact, Redactor
from pytest_ultra.providers.transport import HttpResponse, Transport
from pytest_ultra.providers.verdicts import failure_inside, rejection
from pytest_ultra.providers.wire import KNOWLEDGE_HEADER, decode_reply, encode_request


class HttpEndpoint:
    """The endpoint of all models of a run. `specs` is keyed by the model as the user wrote it, like cases.

    `demo_url` is the base URL of the run's embedded endpoint, required for demo models. Without `request_timeout_s`
    the caller limits the time of an attempt, as the engine does. `redact` redacts secrets; by default, the keys.
    """

    def __init__(
        self,
        specs: Mapping[str, ModelSpec],
        transport: Transport,
        *,
        demo_url: str = "",
        request_timeout_s: float | None = None,
        now: Callable[[], float] = time.time,
        redact: Redact | None = None,
        stream: StreamMode = StreamMode.AUTO,
    ) -> None:
        self._routes = {
            model: [(one, one.url(demo_url), one.headers()) for one in spec.endpoints] for model, spec in specs.items()
        }
        self._dialects = LearnedDialects(
            {
                (model, number): msgspec.structs.replace(find_dialect(one.provider, one.base_url), stream=stream)
                for model, spec in specs.items()
                for number, one in enumerate(spec.endpoints)
            }
        )
        self._redact = redact or Redactor(secret for spec in specs.values() for secret in spec.secrets())
        self._transport = transport
        self._timeout_s = request_timeout_s
        self._now = now

    async def attempt(self, request: ChatRequest) -> Reply:
        """Send the request once. Raises `AttemptFailedError`, without secrets, if no chat completion comes back."""
        spec, url, headers = self._routes[request.case.model][request.route]
        if spec.is_demo:
            headers = headers | {KNOWLEDGE_HEADER: _knowledge_text(request)}
        used, response = self._dialects.of(request), None
        body = encode_request(request, spec.name, used.dialect, spec.neutral)
        try:
            response = await self._transport.post(url, headers, body, self._timeout_s)
            read = self._read(response, request.turn, spec)
            reply = estimate_missing(read, len(body)).with_texts(self._redact)
        except AttemptFailedError as error:
            requested = () if self._dialects.has_answered(request) else (*request.requested, *spec.neutral)
            raise describe_failure(
                error, response, used, label=spec.label, redact=self._redact, requested=requested
            ) from None
        self._dialects.observe_answer(request, used)
        return reply

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        """Change the dialect of the request's endpoint if the failure names something in it; return the change."""
        return self._dialects.adapt(request, failure)

    async def aclose(self) -> None:
        await self._transport.aclose()

    def _read(self, response: HttpResponse, turn: int, spec: ModelSpec) -> Reply:
        if not 200 <= response.status < 300:  # noqa: PLR2004 - the bounds of success in HTTP
            raise _with_address_hint(rejection(response, spec.provider, now=self._now), spec)
        try:
            reply = decode_reply(response.body, turn=turn)
        except AttemptFailedError as malformed:
            raise failure_inside(response, malformed, spec.provider, now=self._now) from None
        quota = read_quota(response.headers, now=self._now)
        first_token_s = response.first_token_s
        return reply if quota is None and first_token_s is None else metered(reply, quota, first_token_s)


def open_endpoint(
    specs: Mapping[str, ModelSpec],
    *,
    environ: Mapping[str, str],
    demo_url: str = "",
    request_timeout_s: float | None = None,
    redact: Redact | None = None,
    stream: StreamMode = StreamMode.AUTO,
    now: Callable[[], float] = time.time,
) -> HttpEndpoint:
    """Return an endpoint on real HTTP. Call it inside the running loop that will use it."""
    from pytest_ultra.providers.aiohttp_transport import AiohttpTransport  # noqa: PLC0415 - heavy, so imported when used

    transport = AiohttpTransport(environ)
    return HttpEndpoint(
        specs, transport, demo_url=demo_url, request_timeout_s=request_timeout_s, now=now, redact=redact, stream=stream
    )


def _with_address_hint(failure: AttemptFailedError, spec: ModelSpec) -> AttemptFailedError:
    """Say what is missing if nothing is found at a base URL that has no path: most servers' begins with `/v1`.

    A server that says of the model that it is not found has an API there.
    """
    is_bare = bool(spec.base_url) and not urlsplit(spec.base_url).path
    if failure.status == HTTPStatus.NOT_FOUND and is_bare and "model" not in failure.detail.lower():
        failure.advice = f"did you mean {spec.base_url}/v1 as the base URL? Nothing is found at {spec.base_url}"
    return failure


def _knowledge_text(request: ChatRequest) -> str:
    """Encode the knowledge of a demo agent as ASCII, as headers require."""
    knowledge = knowledge_of(request)
    text = msgspec.json.encode(knowledge).decode()
    return text if text.isascii() else json.dumps(msgspec.to_builtins(knowledge))
