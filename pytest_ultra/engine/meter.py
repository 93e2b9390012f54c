"""What an engine is at: calls in flight and held up, answers, tokens and money, counted as they come."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from time import monotonic

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.prices import Price
from pytest_ultra.core.progress import Burden, Cohort, ShardProgress
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.endpoint_limiter import Permit
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limiter import Limiter
from pytest_ultra.errors import AttemptFailedError


class Meter:
    """Starts from what is known of the shard; every method may be called from any thread."""

    def __init__(self, start: ShardProgress, prices: Mapping[str, Price], now: Callable[[], float] = monotonic) -> None:
        self._start = start
        self._prices = prices
        self._now = now
        self._lock = threading.Lock()
        self._known: set[Case] = set()
        self._expected: dict[Case, int] = {}
        self._answers: Counter[Case] = Counter()
        self._ahead: Counter[tuple[int, int]] = Counter()
        self._ended: Counter[tuple[int, int]] = Counter()
        self._done = self._reused = 0
        self._in_flight = self._waiting = 0
        self._answered = self._tokens = 0
        self._latency_s = self._latency_s2 = 0.0
        self._cost = 0.0 if prices else None
        self._burden = Burden()

    def plan(self, case: Case, requests: int) -> None:
        """Note a case that is to be lived, and how many requests it is expected to make; once a case."""
        with self._lock:
            if case not in self._known:
                self._known.add(case)
                self._expected[case] = requests
                self._ahead[requests, 0] += 1

    def keep(self, case: Case, *, is_reused: bool) -> None:
        """Count a case that had its episode before; once a case."""
        with self._lock:
            if case not in self._known:
                self._known.add(case)
                self._done += 1
                self._reused += is_reused

    def finish(self, case: Case) -> None:
        """Count a case's first episode; of one that is lived again, only what it spends is counted."""
        with self._lock:
            answers = self._answers.pop(case, 0)
            expected = self._expected.pop(case, None)
            if expected is not None:
                self._done += 1
                self._ahead[expected, answers] -= 1
                self._ended[expected, answers] += 1

    def hold_up(self, calls: int) -> None:
        """Note that so many more calls wait for limits; a negative number: so many fewer."""
        with self._lock:
            self._waiting += calls

    def begin_call(self) -> tuple[float, int]:
        """Return when it was begun, and how many calls are in flight then, for `answer`."""
        with self._lock:
            self._in_flight += 1
            return self._now(), self._in_flight

    def end_call(self) -> None:
        with self._lock:
            self._in_flight -= 1

    def answer(self, case: Case, reply: Reply, begun: tuple[float, int]) -> None:
        price = self._prices.get(case.model)
        begun_at, in_flight = begun
        taken_s = self._now() - begun_at
        with self._lock:
            self._answered += 1
            self._latency_s += taken_s
            self._latency_s2 += taken_s * taken_s
            self._tokens += reply.prompt_tokens + reply.completion_tokens
            if price is not None:
                self._cost = (self._cost or 0.0) + price.cost(reply.prompt_tokens, reply.completion_tokens)
            expected = self._expected.get(case)
            if expected is not None:
                answers = self._answers[case]
                self._answers[case] = answers + 1
                if not answers and taken_s > 0:
                    self._burden = self._burden.plus(math.log(in_flight), math.log(taken_s))
                self._ahead[expected, answers] -= 1
                self._ahead[expected, answers + 1] += 1

    def read(self) -> ShardProgress:
        start = self._start
        with self._lock:
            return ShardProgress(
                number=start.number,
                worker=start.worker,
                planned=start.planned,
                slots=start.slots,
                most_answers=start.most_answers,
                done=start.done + self._done,
                reused=start.reused + self._reused,
                in_flight=self._in_flight,
                waiting=self._waiting,
                answers=start.answers + self._answered,
                latency_s=start.latency_s + self._latency_s,
                latency_s2=start.latency_s2 + self._latency_s2,
                burden=self._burden,
                tokens=start.tokens + self._tokens,
                cost=_add(start.cost, self._cost),
                ended=(*start.ended, *_cohorts(self._ended)),
                ahead=_cohorts(self._ahead),
            )


def _add(cost: float | None, more: float | None) -> float | None:
    return None if cost is None and more is None else (cost or 0.0) + (more or 0.0)


def _cohorts(counts: Counter[tuple[int, int]]) -> tuple[Cohort, ...]:
    return tuple(Cohort(expected, answers, count) for (expected, answers), count in counts.items() if count > 0)


class MeteredEndpoint:
    """Has the meter count what another endpoint is asked and answers."""

    def __init__(self, endpoint: Endpoint, meter: Meter) -> None:
        self._endpoint = endpoint
        self._meter = meter

    async def attempt(self, request: ChatRequest) -> Reply:
        begun = self._meter.begin_call()
        try:
            reply = await self._endpoint.attempt(request)
            self._meter.answer(request.case, reply, begun)
            return reply
        finally:
            self._meter.end_call()

    async def aclose(self) -> None:
        await self._endpoint.aclose()


class MeteredLimiter:
    """Has the meter count whom another limiter holds up."""

    def __init__(self, limiter: Limiter, meter: Meter) -> None:
        self._limiter = limiter
        self._meter = meter

    async def enter(self, request: ChatRequest) -> Permit | GivenUp | None:
        self._meter.hold_up(1)
        try:
            return await self._limiter.enter(request)
        finally:
            self._meter.hold_up(-1)

    def leave(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        self._limiter.leave(permit, result)

    async def rest(self, model: str, seconds: float) -> None:
        self._meter.hold_up(1)
        try:
            await self._limiter.rest(model, seconds)
        finally:
            self._meter.hold_up(-1)

    def dismiss(self, model: str, verdict: GivenUp) -> None:
        self._limiter.dismiss(model, verdict)

    def exclude(self, permit: Permit | None) -> bool:
        return self._limiter.exclude(permit)

    def has_other(self, permit: Permit | None) -> bool:
        return self._limiter.has_other(permit)

    def close(self) -> None:
        self._limiter.close()
