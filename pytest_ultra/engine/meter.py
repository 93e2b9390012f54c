"""The meter: counts an engine's calls in flight and waiting, its answers, tokens and cost, as they happen."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.prices import Price
from pytest_ultra.core.progress import Burden, Cohort, ModelTally, ShardProgress
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.engine.endpoint import CallFailed, Endpoint
from pytest_ultra.engine.endpoint_limiter import Permit
from pytest_ultra.engine.limiter import Limiter
from pytest_ultra.errors import AttemptFailedError

_RECENT_S = 60.0
"""How long the words of an endpoint say why calls wait."""
_MAX_WORDS = 200


class Meter:
    """Starts from `start`, the shard's progress so far; tests pass with the outcomes in `passing`. Thread-safe."""

    def __init__(
        self,
        start: ShardProgress,
        prices: Mapping[str, Price],
        now: Callable[[], float] = SYSTEM_CLOCK.now,
        passing: Collection[Outcome] = (Outcome.FULL,),
    ) -> None:
        self._start = start
        self._passing = passing
        self._tallies: dict[str, ModelTally] = {}
        self._prices = prices
        self._now = now
        self._lock = threading.Lock()
        self._known: set[Case] = set()
        self._expected: dict[Case, int] = {}
        self._answers: Counter[Case] = Counter()
        self._ahead: Counter[tuple[int, int]] = Counter()
        self._ended: Counter[tuple[int, int]] = Counter()
        self._done = self._reused = 0
        self._in_flight = self._waiting = self._backing_off = 0
        self._said, self._said_at = "", 0.0
        self._answered = self._tokens = self._estimated = 0
        self._latency_s = self._latency_s2 = 0.0
        self._cost = 0.0 if prices else None
        self._burden = Burden()

    def plan(self, case: Case, expect: Callable[[], int]) -> None:
        """Add a case to run; `expect` returns how many requests it is expected to make. Later calls do nothing."""
        if case in self._known:
            return
        requests = expect()
        with self._lock:
            if case not in self._known:
                self._known.add(case)
                self._expected[case] = requests
                self._ahead[requests, 0] += 1

    def add_finished(self, case: Case, *, is_reused: bool, outcome: Outcome | None = None) -> None:
        """Count a case that has an episode already. Later calls for it do nothing."""
        with self._lock:
            if case not in self._known:
                self._known.add(case)
                self._done += 1
                self._reused += is_reused
                self._add_outcome(case, outcome)

    def finish(self, case: Case, outcome: Outcome | None = None) -> None:
        """Count a case's first episode; for a rerun, only answers, tokens and cost are counted."""
        with self._lock:
            answers = self._answers.pop(case, 0)
            expected = self._expected.pop(case, None)
            if expected is not None:
                self._done += 1
                self._ahead[expected, answers] -= 1
                self._ended[expected, answers] += 1
                self._add_outcome(case, outcome)

    def add_waiting(self, calls: int, *, is_backing_off: bool = False) -> None:
        """Change the number of calls that wait by `calls`."""
        with self._lock:
            self._waiting += calls
            self._backing_off += calls * is_backing_off

    def start_call(self) -> tuple[float, int]:
        """Count a call; return its start time and the calls then in flight, for `record_answer`."""
        with self._lock:
            self._in_flight += 1
            return self._now(), self._in_flight

    def end_call(self) -> None:
        with self._lock:
            self._in_flight -= 1

    def record_failure(self, failure: AttemptFailedError) -> None:
        with self._lock:
            self._said, self._said_at = str(failure)[:_MAX_WORDS], self._now()

    def record_answer(self, case: Case, reply: Reply, started: tuple[float, int]) -> None:
        price = self._prices.get(case.model)
        started_at, in_flight = started
        taken_s = self._now() - started_at
        with self._lock:
            self._answered += 1
            self._latency_s += taken_s
            self._latency_s2 += taken_s * taken_s
            self._tokens += reply.prompt_tokens + reply.completion_tokens
            self._estimated += reply.is_estimated
            if price is not None:
                self._cost = (self._cost or 0.0) + price.cost_of(reply)
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
            is_recent = self._now() - self._said_at <= _RECENT_S
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
                estimated=start.estimated + self._estimated,
                said=self._said if self._waiting and is_recent else "",
                ended=(*start.ended, *_cohorts(self._ended)),
                ahead=_cohorts(self._ahead),
                backing_off=self._backing_off,
                tallies=tuple(self._tallies.values()),
            )

    def _add_outcome(self, case: Case, outcome: Outcome | None) -> None:
        """Count a finished case of a model; one that was skipped has no result."""
        if outcome is None or outcome is Outcome.SKIPPED:
            return
        is_passed = outcome in self._passing
        more = ModelTally(
            case.model,
            full=outcome is Outcome.FULL,
            passed=is_passed,
            failed=outcome.is_scored and not is_passed,
            errors=outcome is Outcome.ERROR,
        )
        self._tallies[case.model] = self._tallies.get(case.model, ModelTally(case.model)).plus(more)


def _add(cost: float | None, more: float | None) -> float | None:
    return None if cost is None and more is None else (cost or 0.0) + (more or 0.0)


def _cohorts(counts: Counter[tuple[int, int]]) -> tuple[Cohort, ...]:
    return tuple(Cohort(expected, answers, count) for (expected, answers), count in counts.items() if count > 0)


class MeteredEndpoint:
    """Counts the calls and answers of another endpoint."""

    def __init__(self, endpoint: Endpoint, meter: Meter) -> None:
        self._endpoint = endpoint
        self._meter = meter

    async def attempt(self, request: ChatRequest) -> Reply:
        started = self._meter.start_call()
        try:
            reply = await self._endpoint.attempt(request)
            self._meter.record_answer(request.case, reply, started)
        except AttemptFailedError as failure:
            self._meter.record_failure(failure)
            raise
        else:
            return reply
        finally:
            self._meter.end_call()

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        return self._endpoint.adapt(request, failure)

    async def aclose(self) -> None:
        await self._endpoint.aclose()


class MeteredLimiter:
    """Counts the calls that wait for another limiter."""

    def __init__(self, limiter: Limiter, meter: Meter) -> None:
        self._limiter = limiter
        self._meter = meter

    async def acquire(self, request: ChatRequest) -> Permit | CallFailed | None:
        self._meter.add_waiting(1)
        try:
            return await self._limiter.acquire(request)
        finally:
            self._meter.add_waiting(-1)

    def release(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        self._limiter.release(permit, result)

    async def back_off(self, model: str, seconds: float) -> None:
        self._meter.add_waiting(1, is_backing_off=True)
        try:
            await self._limiter.back_off(model, seconds)
        finally:
            self._meter.add_waiting(-1, is_backing_off=True)

    def cancel_waiting(self, model: str, failure: CallFailed) -> None:
        self._limiter.cancel_waiting(model, failure)

    def exclude(self, permit: Permit | None) -> bool:
        return self._limiter.exclude(permit)

    def has_other(self, permit: Permit | None) -> bool:
        return self._limiter.has_other(permit)

    def close(self) -> None:
        self._limiter.close()

    async def wait_closed(self) -> None:
        await self._limiter.wait_closed()
