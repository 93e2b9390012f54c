"""The limiter of one endpoint: callers wait in a queue until all limits allow a call."""

from __future__ import annotations

import asyncio
import math
from collections import deque

import msgspec

from pytest_ultra.core.chat_request import MAX_WAIT_S
from pytest_ultra.core.transcript import EndReason, Reply
from pytest_ultra.engine.adaptive_limit import Observation, observe
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.limiter_state import EndpointState, LimiterState
from pytest_ultra.engine.limits import Limits, Pace
from pytest_ultra.errors import AttemptFailedError

PATIENCE_S = 600.0
"""How long 429s are tolerated, from the first one since the last success."""

_FAIRNESS_MARGIN_S = 0.1
"""A waiter of another process goes first if it has waited this much longer: fair, without leaving slots idle."""
_STALE_S = 0.3
"""Ignore the waiters of a process that has not checked its queue for so long: it is stopped or busy."""
_CHECK_INTERVAL_S = 0.1
_MIN_POLL_S = 0.002
_MAX_POLL_S = 0.02
_RECLAIM_INTERVAL_S = 0.05
_WAY_OUT = "Start the run again later: it keeps what is finished, and asks the endpoint anew."
_TIMER_TOLERANCE_S = 1e-6  # a timer may fire that much too early


class Permit(msgspec.Struct, frozen=True, gc=False):
    """Permission for one attempt, counted as `tokens`.

    If the model has several endpoints, `model` is its name and `route` the endpoint's number. `joint` is its name among
    the calls of all hosts, if they share the limits.
    """

    limiter: EndpointLimiter
    started: float
    tokens: float
    model: str = ""
    route: int = 0
    joint: str = ""


class _Waiter:
    def __init__(self, model: str, tokens: float, since: float) -> None:
        self.model = model
        self.tokens = tokens
        self.since = since
        self.result: asyncio.Future[Permit | CallFailed] = asyncio.get_running_loop().create_future()


class EndpointLimiter:
    """Belongs to one event loop; its state may be shared with other processes.

    The first waiter in this process's queue gets the next slot, unless a waiter in another process has waited longer.
    A freed slot serves this process's queue at once; other processes poll for theirs.
    """

    def __init__(self, state: LimiterState, limits: Limits, clock: Clock, *, patience_s: float = PATIENCE_S) -> None:
        self._state = state
        self._clock = clock
        self._patience_s = patience_s
        self._use(limits)
        self._queue: deque[_Waiter] = deque()
        self._in_flight = 0  # the state's row of this process follows it, whatever a damaged file holds
        self._timer: asyncio.TimerHandle | None = None
        self._poll_s = _MIN_POLL_S
        self._reclaimed_at = 0.0
        self._backing_off: set[asyncio.Future[None]] = set()
        self._is_closed = False

    def _use(self, limits: Limits) -> None:
        self._limits = limits
        self._requests = Pace.per_minute(limits.rpm)
        self._tokens = Pace.per_minute(limits.tpm)

    async def acquire(self, model: str, tokens: float = 0.0) -> Permit | CallFailed:
        """Wait until an attempt may be made; return its permit, or why none will be possible."""
        now = self._clock.now()
        if not self._queue:
            with self._state.at(now) as endpoint:
                result = self._try_acquire(endpoint, tokens, now, now)
            if not isinstance(result, float):
                return result
        waiter = _Waiter(model, tokens, now)
        self._queue.append(waiter)
        if len(self._queue) == 1:
            self._serve_queue()
        return await self._wait(waiter)

    def release(self, permit: Permit, result: Reply | AttemptFailedError | None, tokens: float | None = None) -> None:
        """Give the slot back, with the attempt's result (None if it was cancelled) and the tokens that it used."""
        if self._is_closed:
            return
        now = self._clock.now()
        with self._state.at(now) as endpoint:
            if result is not None:
                self._observe(endpoint, result, permit.started, now)
            self._in_flight = max(0, self._in_flight - 1)
            self._state.in_flight[self._state.row] = self._in_flight
            if tokens is not None:
                due = self._tokens.settle(endpoint.tokens_due, tokens - permit.tokens)
                endpoint.tokens_due = min(max(0.0, due), now + MAX_WAIT_S)
            is_rejecting = endpoint.is_rejecting
        if is_rejecting:
            self._end_back_offs()
        if self._queue:
            self._serve_queue()

    def cancel_waiting(self, model: str, failure: CallFailed) -> None:
        """Answer all waiters of a model with the failure, and end the back-offs."""
        self._end_back_offs()
        for waiter in [waiter for waiter in self._queue if waiter.model == model]:
            self._queue.remove(waiter)
            if not waiter.result.done():
                waiter.result.set_result(failure)
        self._serve_queue()

    def availability(self) -> tuple[float, float]:
        """Return the seconds until pace and pauses allow one more call, and the used share of the capacity."""
        now = self._clock.now()
        with self._state.at(now) as endpoint:
            if endpoint.is_rejecting or endpoint.paused_until - now > self._patience_s:
                return math.inf, math.inf
            available_at = endpoint.paused_until
            if self._limits.rpm is not None:
                queued_s = len(self._queue) * self._requests.interval_s
                available_at = max(available_at, endpoint.requests_due + queued_s)
            if self._limits.tpm is not None:
                available_at = max(available_at, endpoint.tokens_due)
            return max(0.0, available_at - now), self._load(endpoint)

    async def back_off(self, seconds: float) -> None:
        """Wait before a retry; return early if the retry has become pointless."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        timer = loop.call_later(seconds, _end, ended)
        self._backing_off.add(ended)
        try:
            await ended
        finally:
            timer.cancel()
            self._backing_off.discard(ended)

    def close(self) -> None:
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._state.close()

    async def wait_closed(self) -> None:
        """Wait until all is released, after `close`."""

    def _end_back_offs(self) -> None:
        for ended in self._backing_off:
            _end(ended)

    async def _wait(self, waiter: _Waiter) -> Permit | CallFailed:
        try:
            return await waiter.result
        except asyncio.CancelledError:
            result = None if waiter.result.cancelled() else waiter.result.result()
            if isinstance(result, Permit):
                self.release(result, None)
            else:
                self._serve_queue()
            raise

    def _serve_queue(self) -> None:
        """Give permits to the waiters that may have one, and schedule the next check for the others."""
        if self._is_closed:
            return
        now = self._clock.now()
        with self._state.at(now) as endpoint:
            check_at = self._serve_waiters(endpoint, now)
            self._publish(now)
            has_peers = self._has_peers(endpoint)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._queue:
            self._schedule_check(check_at - now, has_peers=has_peers)

    def _serve_waiters(self, endpoint: EndpointState, now: float) -> float:
        """Answer waiters in order; return when the first one left may get its permit, infinity if unknown."""
        while self._queue:
            waiter = self._queue[0]
            if not waiter.result.done():
                result = self._try_acquire(endpoint, waiter.tokens, waiter.since, now)
                if isinstance(result, float):
                    return result
                waiter.result.set_result(result)
                self._poll_s = _MIN_POLL_S
            self._queue.popleft()
        return math.inf

    def _publish(self, now: float) -> None:
        state, row = self._state, self._state.row
        state.waiting[row] = len(self._queue)
        state.waiting_since[row] = self._queue[0].since if self._queue else 0.0
        state.checked_at[row] = now

    def _has_peers(self, endpoint: EndpointState) -> bool:
        state, row, used = self._state, self._state.row, endpoint.rows_used
        busy = sum(state.in_flight[:used]) + sum(state.waiting[:used])
        return busy > state.in_flight[row] + state.waiting[row]

    def _schedule_check(self, delay_s: float, *, has_peers: bool) -> None:
        if has_peers and delay_s == math.inf:
            delay_s = self._poll_s
            self._poll_s = min(2 * self._poll_s, _MAX_POLL_S)
        elif has_peers:
            delay_s = min(delay_s, _CHECK_INTERVAL_S)
        if delay_s < math.inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(delay_s, self._serve_queue)

    def _try_acquire(
        self, endpoint: EndpointState, tokens: float, since: float, now: float
    ) -> Permit | CallFailed | float:
        """Return the permit, the failure, or when to check again: infinity if unknown."""
        if endpoint.is_rejecting or endpoint.paused_until - now > self._patience_s:
            return self._failure(endpoint, now)
        available_at = endpoint.paused_until
        if self._limits.rpm is not None:
            available_at = max(available_at, endpoint.requests_due)
        if self._limits.tpm is not None:
            available_at = max(available_at, endpoint.tokens_due)
        if available_at > now + _TIMER_TOLERANCE_S:
            return available_at
        if not self._has_free_slot(endpoint, since, now):
            return math.inf
        return self._take_slot(endpoint, tokens, now)

    def _has_free_slot(self, endpoint: EndpointState, since: float, now: float) -> bool:
        free = self._free_slots(endpoint)
        if free < 1 and now - self._reclaimed_at > _RECLAIM_INTERVAL_S:
            self._reclaimed_at = now
            if self._state.reclaim_dead_slots():
                free = self._free_slots(endpoint)
        return free >= 1 and free > self._slots_for_others(endpoint, since, now)

    def _free_slots(self, endpoint: EndpointState) -> float:
        self._state.in_flight[self._state.row] = self._in_flight
        capacity = 1.0 if endpoint.is_probing else self._limits.capacity(endpoint.window)
        return capacity - sum(self._state.in_flight[: endpoint.rows_used])

    def _load(self, endpoint: EndpointState) -> float:
        busy = sum(self._state.in_flight[: endpoint.rows_used]) + len(self._queue)
        return busy / self._limits.capacity(endpoint.window)

    def _slots_for_others(self, endpoint: EndpointState, since: float, now: float) -> float:
        """Return how many slots are for other processes' waiters, because these have waited longer."""
        waiting, row = self._state.waiting, self._state.row
        if sum(waiting[: endpoint.rows_used]) == waiting[row]:
            return 0
        slots = sum(
            waiting[other]
            for other in range(endpoint.rows_used)
            if other != row
            and waiting[other]
            and self._state.waiting_since[other] < since - _FAIRNESS_MARGIN_S
            and self._state.checked_at[other] > now - _STALE_S
        )
        is_paced = self._limits.rpm is not None or self._limits.tpm is not None
        return math.inf if slots and is_paced else slots

    def _take_slot(self, endpoint: EndpointState, tokens: float, now: float) -> Permit:
        self._in_flight += 1
        self._state.in_flight[self._state.row] = self._in_flight
        if self._limits.rpm is not None:
            endpoint.requests_due = min(self._requests.take(endpoint.requests_due, now), now + MAX_WAIT_S)
        if self._limits.tpm is not None:
            endpoint.tokens_due = min(self._tokens.take(endpoint.tokens_due, now, tokens), now + MAX_WAIT_S)
        endpoint.written_at = now
        return Permit(self, now, tokens)

    def _observe(self, endpoint: EndpointState, result: Reply | AttemptFailedError, started: float, now: float) -> None:
        in_flight = sum(self._state.in_flight[: endpoint.rows_used])
        observe(endpoint, Observation(result, started, now, in_flight), self._limits, self._patience_s)

    def _failure(self, endpoint: EndpointState, now: float) -> CallFailed:
        if endpoint.is_rejecting:
            problem = "The endpoint answers only with 429 (too many requests)"
        else:
            problem = f"The endpoint asks for a wait of {endpoint.paused_until - now:.0f} s"
        return CallFailed(EndReason.RATE_LIMIT, f"{problem}; the longest wait is {self._patience_s:g} s. {_WAY_OUT}")


def _end(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
