"""A limiter paces what reaches a model, and nothing else."""

from __future__ import annotations

import asyncio

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.engine.endpoint_limiter import Permit
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limiter import SparingLimiter
from tests.engine.engine_fakes import DONE, make_case, make_request

CLOSED = GivenUp(EndReason.ENDPOINT, "closed")


class Closed:
    """Lets nobody through, and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def enter(self, request: ChatRequest) -> GivenUp:
        self.told.append(f"enter {request.case.instance}")
        return CLOSED

    def leave(self, *_: object) -> None:
        self.told.append("leave")

    async def rest(self, model: str, seconds: float) -> None:
        self.told.append(f"rest {model} {seconds}")

    def dismiss(self, model: str, verdict: GivenUp) -> None:
        self.told.append(f"dismiss {model} {verdict.detail}")

    def exclude(self, permit: Permit | None) -> bool:
        self.told.append(f"exclude {permit}")
        return True

    def has_other(self, permit: Permit | None) -> bool:
        self.told.append(f"has other {permit}")
        return True

    def close(self) -> None:
        self.told.append("close")


def test_what_is_answered_from_what_is_kept_passes_at_once_and_leaves_unseen() -> None:
    inner = Closed()
    limiter = SparingLimiter(inner, lambda request: request.case.instance == 1)
    assert asyncio.run(limiter.enter(make_request(make_case(0)))) is None
    limiter.leave(None, DONE)
    assert inner.told == []
    assert asyncio.run(limiter.enter(make_request(make_case(1)))) == CLOSED
    assert inner.told == ["enter 1"]


def test_all_else_is_passed_on() -> None:
    inner = Closed()
    limiter = SparingLimiter(inner, lambda _: True)
    asyncio.run(limiter.rest("m", 2.0))
    limiter.dismiss("m", CLOSED)
    assert limiter.exclude(None)
    assert limiter.has_other(None)
    limiter.close()
    assert inner.told == ["rest m 2.0", "dismiss m closed", "exclude None", "has other None", "close"]
