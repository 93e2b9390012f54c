"""Two small calls to a model, a plain one and one with a tool, and what they show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, NamedTuple

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest, MeteredReply
from pytest_ultra.core.endpoint_check import EndpointCheck, KeyState, ToolSupport
from pytest_ultra.core.guidance import AnyGuidance, Guidance
from pytest_ultra.core.json_types import ToolSchema
from pytest_ultra.core.transcript import Reply
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.tool_rejection import REJECTS_TOOLS
from pytest_ultra.errors import AttemptFailedError

_PLAIN = "Answer with the word ready, and nothing else."
_WITH_TOOL = "Use the tool `add` to add 2 and 3. Do not answer in words."
_ARGUMENTS = {"a": 2, "b": 3}
_NUMBER = {"type": "number"}
_TOOL: ToolSchema = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {"type": "object", "properties": {"a": _NUMBER, "b": _NUMBER}, "required": ["a", "b"]},
    },
}
_KEY_STATUSES = (401, 403)


class _Result(NamedTuple):
    """The last attempt at a call, and what was changed before it."""

    reply: Reply | None
    failure: AttemptFailedError | None
    seconds: float
    changes: tuple[str, ...]


async def probe(
    endpoint: Endpoint, case: Case, *, address: str, has_key: bool, now: Callable[[], float] = monotonic
) -> EndpointCheck:
    """Call a model twice, as a run with this case would, but without retries; only rejected requests are rewritten."""
    plain = await _ask(endpoint, _request(case, _PLAIN), now)
    is_reachable = plain.failure is None or plain.failure.status is not None
    found = EndpointCheck(case.model, address, is_reachable=is_reachable, key=_judge_key(plain, has_key=has_key))
    if plain.failure is not None:
        return _with_failure(found, plain.failure)
    called = await _ask(endpoint, _request(case, _WITH_TOOL, (_TOOL,)), now)
    found = msgspec.structs.replace(
        found,
        tools=_judge_tools(called),
        changes=(*plain.changes, *called.changes),
        latency_s=plain.seconds,
        **_of_reply(called if called.reply is not None else plain),
    )
    return found if called.failure is None else _with_failure(found, called.failure)


def _request(case: Case, text: str, tools: tuple[ToolSchema, ...] = ()) -> ChatRequest:
    nothing: AnyGuidance = Guidance(None, Workflow(()))  # only the embedded demo endpoint reads it
    return ChatRequest(case, nothing, 1, ({"role": "user", "content": text},), tools)


async def _ask(endpoint: Endpoint, request: ChatRequest, now: Callable[[], float]) -> _Result:
    changes: list[str] = []
    while True:
        started = now()
        try:
            reply = await endpoint.attempt(request)
        except AttemptFailedError as failure:
            change = endpoint.adapt(request, failure)
            if change is None:
                return _Result(None, failure, now() - started, tuple(changes))
            changes.append(change)
        else:
            return _Result(reply, None, now() - started, tuple(changes))


def _with_failure(found: EndpointCheck, failure: AttemptFailedError) -> EndpointCheck:
    return msgspec.structs.replace(found, problem=str(failure), advice=failure.advice)


def _judge_key(plain: _Result, *, has_key: bool) -> KeyState:
    if plain.failure is None:
        return KeyState.ACCEPTED if has_key else KeyState.NONE
    return KeyState.REJECTED if plain.failure.status in _KEY_STATUSES else KeyState.UNKNOWN


def _judge_tools(called: _Result) -> ToolSupport:
    if called.failure is not None:
        return ToolSupport.REJECTED if called.failure.status in REJECTS_TOOLS else ToolSupport.UNKNOWN
    is_native = called.reply is not None and any(
        call.name == "add" and _holds_arguments(call.arguments) for call in called.reply.tool_calls
    )
    return ToolSupport.NATIVE if is_native else ToolSupport.NO_CALL


def _holds_arguments(text: str) -> bool:
    try:
        return bool(json.loads(text) == _ARGUMENTS)
    except (ValueError, RecursionError):
        return False


def _of_reply(result: _Result) -> Mapping[str, Any]:
    reply = result.reply or Reply()
    quota = reply.quota if isinstance(reply, MeteredReply) else None
    has_speed = reply.completion_tokens and result.seconds > 0
    return {
        "answered_by": reply.model,
        "fingerprint": reply.fingerprint,
        "tokens_per_s": reply.completion_tokens / result.seconds if has_speed else None,
        "quota_left": None if quota is None else quota.left,
        "quota_reset_s": None if quota is None else quota.reset_s,
    }
