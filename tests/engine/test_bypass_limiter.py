"""The bypass limiter paces only the requests that reach a model."""

from __future__ import annotations

import asyncio

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.endpoint_limiter import Permit
from pytest_ultra.engine.limiter import BypassLimiter
from tests.engine.engine_fakes import DONE, make_case, make_request

CLOSED = CallFailed(EndReason.ENDPOINT, "closed")


class Closed:
    """Fails every call, and records its own calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def acquire(self, request: ChatRequest) -> CallFailed:
        self.calls.append(f"acquire {request.case.instance}")
        return CLOSED

    def release(self, *_: object) -> None:
        self.calls.append("release")

    async def back_off(self, model: str, seconds: float) -> None:
        self.calls.append(f"back off {model} {seconds}")

    def cancel_waiting(self, model: str, failure: CallFailed) -> None:
        self.calls.append(f"cancel waiting {model} {failure.detail}")

    def exclude(self, permit: Permit | None) -> bool:
        self.calls.append(f"exclude {permit}")
        return True

    def has_other(self, permit: Permit | None) -> bool:
        self.calls.append(f"has other {permit}")
        return True

    def close(self) -> None:
        self.calls.append("close")

    async def wait_closed(self) -> None:
        self.calls.append("wait closed")


def test_a_kept_answer_needs_no_permit() -> None:
    inner = Closed()
    limiter = BypassLimiter(inner, lambda request: request.case.instance == 1)
    assert asyncio.run(limiter.acquire(make_request(make_case(0)))) is None
    limiter.release(None, DONE)
    assert inner.calls == []
    assert asyncio.run(limiter.acquire(make_request(make_case(1)))) == CLOSED
    assert inner.calls == ["acquire 1"]


def test_all_other_calls_are_forwarded() -> None:
    inner = Closed()
    limiter = BypassLimiter(inner, lambda _: True)
    asyncio.run(limiter.back_off("m", 2.0))
    limiter.cancel_waiting("m", CLOSED)
    assert limiter.exclude(None)
    assert limiter.has_other(None)
    limiter.close()
    asyncio.run(limiter.wait_closed())
    assert inner.calls == [
        "back off m 2.0",
        "cancel waiting m closed",
        "exclude None",
        "has other None",
        "close",
        "wait closed",
    ]
