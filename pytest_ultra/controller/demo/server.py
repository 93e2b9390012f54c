"""The HTTP server of the embedded endpoint: reference agents with the latency and error rate in their name."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from aiohttp import web

from pytest_ultra.benchmark.reference_agents import AgentFunction, in_text_protocol
from pytest_ultra.benchmark.shown_conversation import KNOWING_ONLY_THE_PROMPT, recognize
from pytest_ultra.controller.demo import BACKLOG
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.reference_agent import Knowledge, ReferenceAgent
from pytest_ultra.core.token_usage import CHARS_PER_TOKEN
from pytest_ultra.core.transcript import Reply
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.demo_name import AgentName, parse_agent_name
from pytest_ultra.providers.wire import KNOWLEDGE_HEADER, ReceivedRequest, decode_request, encode_reply
from pytest_ultra.providers.wire_fields import UNREADABLE

_MAX_HEADER_BYTES = 4 * 1024 * 1024


class ErrorAnswer(Exception):  # noqa: N818 - an answer, not an error of ours
    """Ends a request with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


async def open_server(act: AgentFunction, listener: socket.socket | None = None) -> asyncio.Server:
    """Serve on `listener`, or on a free port of loopback without one."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    protocol = web.Server(DemoHandler(act), access_log=None, max_field_size=_MAX_HEADER_BYTES)
    return await asyncio.get_running_loop().create_server(protocol, sock=listener, backlog=BACKLOG)


class DemoHandler:
    """Answers requests. `act` returns the reply of an agent.

    Whether an attempt fails depends only on the request and on the number of its failures so far. So failures are the
    same in every run, at any concurrency, and no request fails forever.
    """

    def __init__(self, act: AgentFunction) -> None:
        self._act = act
        self._failures: Counter[bytes] = Counter()

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        try:
            return _json(200, await self._route(request))
        except ErrorAnswer as answer:
            error = {"message": answer.message, "type": "demo_endpoint"}
            return _json(answer.status, msgspec.json.encode({"error": error}))

    async def _route(self, request: web.BaseRequest) -> bytes:
        match request.method, request.path:
            case "POST", "/v1/chat/completions":
                return await self._complete(await request.content.read(), request.headers)
            case "GET", "/v1/models":
                models = [{"id": agent, "object": "model", "owned_by": "pytest-ultra"} for agent in ReferenceAgent]
                return msgspec.json.encode({"object": "list", "data": models})
        raise ErrorAnswer(
            404, f"There is no {request.method} {request.path}. Valid: POST /v1/chat/completions, GET /v1/models."
        )

    async def _complete(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        received, name = _decode(body)
        knowledge_text = headers.get(KNOWLEDGE_HEADER, "").encode()
        knowledge = _decode_knowledge(knowledge_text) if knowledge_text else _recognize(received, name.agent)
        is_failure = name.error_rate > 0 and self._draw_failure(name.error_rate, body + knowledge_text)
        await asyncio.sleep(name.latency)
        if is_failure:
            raise ErrorAnswer(500, f"This answer fails on purpose: error_rate={name.error_rate:g}.")
        act = self._act if received.tools else in_text_protocol(self._act)
        reply = _reply(act, name.agent, received.messages, knowledge)
        return encode_reply(_with_usage(reply, body), received.model)

    def _draw_failure(self, error_rate: float, request: bytes) -> bool:
        key = hashlib.blake2b(request, digest_size=16).digest()
        attempt = self._failures[key]
        chance = int.from_bytes(hashlib.blake2b(key + attempt.to_bytes(4), digest_size=8).digest()) / 2**64
        if chance < error_rate:
            self._failures[key] += 1
            return True
        del self._failures[key]  # a later episode of the same case meets the same failures
        return False


def _decode(body: bytes) -> tuple[ReceivedRequest, AgentName]:
    try:
        received = decode_request(body)
        return received, parse_agent_name(received.model)
    except UNREADABLE as error:
        raise ErrorAnswer(400, f"The body is not a chat completions request: {error}.") from None
    except ConfigurationError as error:
        raise ErrorAnswer(404, str(error)) from None


def _decode_knowledge(text: bytes) -> Knowledge:
    try:
        return msgspec.json.decode(text, type=Knowledge)
    except UNREADABLE:
        raise ErrorAnswer(400, f"{KNOWLEDGE_HEADER} holds nothing that --ultra-model demo would send.") from None


def _recognize(received: ReceivedRequest, agent: str) -> Knowledge:
    """Return what the conversation itself shows, for a client that is not ours."""
    offered = [str(tool.get("function", {}).get("name")) for tool in received.tools]
    knowledge = recognize(agent, received.messages, offered)
    if knowledge is None:
        raise ErrorAnswer(
            400,
            f"The demo agent {agent} needs more than the conversation: use it in a run, as by --ultra-model demo or "
            f"--ultra-agent MODULE:ATTR@demo. Without a run: {', '.join(KNOWING_ONLY_THE_PROMPT)}.",
        )
    return knowledge


def _reply(act: AgentFunction, agent: str, messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    try:
        return act(agent, messages, knowledge)
    except Exception as error:  # our own bug: name it, as a bare 500 would be retried
        raise ErrorAnswer(400, f"The demo agent {agent} failed: {type(error).__name__}: {error}") from error


def _with_usage(reply: Reply, body: bytes) -> Reply:
    """Add token counts, estimated from lengths so that they are reproducible."""
    length = len(reply.text) + sum(len(call.name) + len(call.arguments) for call in reply.tool_calls)
    return msgspec.structs.replace(
        reply,
        prompt_tokens=len(body) // CHARS_PER_TOKEN,
        completion_tokens=max(1, length // CHARS_PER_TOKEN),
    )


def _json(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json")
