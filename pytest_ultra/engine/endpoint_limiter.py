"""The way in to one endpoint: whoever asks waits in line until all limits allow a call."""

from __future__ import annotations

import asyncio
import math
from collections import deque

import msgspec

from pytest_ultra.core.transcript import EndReason, Reply
from pytest_ultra.engine.adaptive_limit import Experience, learn
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limiter_state import Ledger, State
from pytest_ultra.engine.limits import Limits, Pace
from pytest_ultra.errors import AttemptFailedError

PATIENCE_S = 600.0
"""For how long 429s are put up with, from the first one since the last success."""

_SLACK_S = 0.1
"""By how much longer another process's case must have waited to go first: fair, and yet no slot lies idle for long."""
_STALE_S = 0.3
"""A process that has not looked for so long is stopped, or busy with other things: nobody waits for it."""
_LOOK_S = 0.1
_FIRST_POLL_S = 0.002
_LAST_POLL_S = 0.02
_BURIAL_S = 0.05
_EARLY_S = 1e-6  # a timer may ring that much too soon


class Permit(msgspec.Struct, frozen=True, gc=False):
    """Leave to make one attempt, counted as so many tokens.

    Where a model has several endpoints, it says whose permit it is and which endpoint's, by its number.
    """

    gate: Gate
    started: float
    tokens: float
    model: str = ""
    route: int = 0


class _Waiter:
    def __init__(self, model: str, tokens: float, since: float) -> None:
        self.model = model
        self.tokens = tokens
        self.since = since
        self.answer: asyncio.Future[Permit | GivenUp] = asyncio.get_running_loop().create_future()


class Gate:
    """Belongs to one event loop; the ledger may be shared with other processes.

    Who is let in is the first in this process's line, unless a case in another process has waited longer. A freed
    slot wakes this process's line at once; other processes look for theirs now and then.
    """

    def __init__(self, ledger: Ledger, limits: Limits, clock: Clock, *, patience_s: float = PATIENCE_S) -> None:
        self._ledger = ledger
        self._limits = limits
        self._clock = clock
        self._patience_s = patience_s
        self._requests = Pace.per_minute(limits.rpm)
        self._tokens = Pace.per_minute(limits.tpm)
        self._line: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._poll_s = _FIRST_POLL_S
        self._buried_at = 0.0
        self._resting: set[asyncio.Future[None]] = set()
        self._is_closed = False

    async def enter(self, model: str, tokens: float = 0.0) -> Permit | GivenUp:
        """Return when an attempt may be made, or why none ever may."""
        now = self._clock.now()
        if not self._line:
            with self._ledger as state:
                answer = self._answer(state, tokens, now, now)
            if not isinstance(answer, float):
                return answer
        waiter = _Waiter(model, tokens, now)
        self._line.append(waiter)
        if len(self._line) == 1:
            self._pump()
        return await self._wait(waiter)

    def leave(self, permit: Permit, result: Reply | AttemptFailedError | None, tokens: float | None = None) -> None:
        """Give the slot back, with what became of the attempt (None if it was cut off), and what it really took."""
        if self._is_closed:
            return
        now = self._clock.now()
        with self._ledger as state:
            if result is not None:
                self._learn(state, result, permit.started, now)
            row = self._ledger.row
            self._ledger.in_flight[row] = max(0, self._ledger.in_flight[row] - 1)
            if tokens is not None:
                state.tokens_due = self._tokens.settle(state.tokens_due, tokens - permit.tokens)
            is_refused = state.is_refused
        if is_refused:
            self._wake_resting()
        if self._line:
            self._pump()

    def dismiss(self, model: str, answer: GivenUp) -> None:
        """Turn away all who wait to ask a model, and wake those that back off."""
        self._wake_resting()
        for waiter in [waiter for waiter in self._line if waiter.model == model]:
            self._line.remove(waiter)
            if not waiter.answer.done():
                waiter.answer.set_result(answer)
        self._pump()

    def outlook(self) -> tuple[float, float]:
        """Return in how many seconds pace and pauses let one more in, and which share of what is allowed is taken."""
        now = self._clock.now()
        with self._ledger as state:
            if state.is_refused or state.paused_until - now > self._patience_s:
                return math.inf, math.inf
            opens_at = state.paused_until
            if self._limits.rpm is not None:
                opens_at = max(opens_at, state.requests_due + len(self._line) * self._requests.interval_s)
            if self._limits.tpm is not None:
                opens_at = max(opens_at, state.tokens_due)
            return max(0.0, opens_at - now), self._load(state)

    async def rest(self, seconds: float) -> None:
        """Back off; return early when that has lost its sense."""
        loop = asyncio.get_running_loop()
        waking = loop.create_future()
        timer = loop.call_later(seconds, _wake, waking)
        self._resting.add(waking)
        try:
            await waking
        finally:
            timer.cancel()
            self._resting.discard(waking)

    def close(self) -> None:
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._ledger.close()

    def _wake_resting(self) -> None:
        for waking in self._resting:
            _wake(waking)

    async def _wait(self, waiter: _Waiter) -> Permit | GivenUp:
        try:
            return await waiter.answer
        except asyncio.CancelledError:
            answer = None if waiter.answer.cancelled() else waiter.answer.result()
            if isinstance(answer, Permit):
                self.leave(answer, None)
            else:
                self._pump()
            raise

    def _pump(self) -> None:
        """Let in whoever may, and see to it that the line is looked at again when that makes sense."""
        if self._is_closed:
            return
        now = self._clock.now()
        with self._ledger as state:
            look_at = self._admit(state, now)
            self._publish(now)
            has_peers = self._has_peers(state)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._line:
            self._look_later(look_at - now, has_peers=has_peers)

    def _admit(self, state: State, now: float) -> float:
        """Answer waiters in turn; return when the first one left may have its answer, infinity if that is not known."""
        while self._line:
            waiter = self._line[0]
            if not waiter.answer.done():
                answer = self._answer(state, waiter.tokens, waiter.since, now)
                if isinstance(answer, float):
                    return answer
                waiter.answer.set_result(answer)
                self._poll_s = _FIRST_POLL_S
            self._line.popleft()
        return math.inf

    def _publish(self, now: float) -> None:
        ledger, row = self._ledger, self._ledger.row
        ledger.waiting[row] = len(self._line)
        ledger.since[row] = self._line[0].since if self._line else 0.0
        ledger.seen[row] = now

    def _has_peers(self, state: State) -> bool:
        ledger, row, used = self._ledger, self._ledger.row, state.used
        busy = sum(ledger.in_flight[:used]) + sum(ledger.waiting[:used])
        return busy > ledger.in_flight[row] + ledger.waiting[row]

    def _look_later(self, delay_s: float, *, has_peers: bool) -> None:
        if has_peers and delay_s == math.inf:
            delay_s = self._poll_s
            self._poll_s = min(2 * self._poll_s, _LAST_POLL_S)
        elif has_peers:
            delay_s = min(delay_s, _LOOK_S)
        if delay_s < math.inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(delay_s, self._pump)

    def _answer(self, state: State, tokens: float, since: float, now: float) -> Permit | GivenUp | float:
        """Return the permit, the refusal, or when to look again: infinity if nobody can say."""
        if state.is_refused or state.paused_until - now > self._patience_s:
            return self._refusal(state, now)
        opens_at = state.paused_until
        if self._limits.rpm is not None:
            opens_at = max(opens_at, state.requests_due)
        if self._limits.tpm is not None:
            opens_at = max(opens_at, state.tokens_due)
        if opens_at > now + _EARLY_S:
            return opens_at
        if not self._has_room(state, since, now):
            return math.inf
        return self._take(state, tokens, now)

    def _has_room(self, state: State, since: float, now: float) -> bool:
        room = self._room(state)
        if room < 1 and now - self._buried_at > _BURIAL_S:
            self._buried_at = now
            if self._ledger.bury_the_dead():
                room = self._room(state)
        return room >= 1 and room > self._owed(state, since, now)

    def _room(self, state: State) -> float:
        return self._limits.capacity(state.window) - sum(self._ledger.in_flight[: state.used])

    def _load(self, state: State) -> float:
        busy = sum(self._ledger.in_flight[: state.used]) + len(self._line)
        return busy / self._limits.capacity(state.window)

    def _owed(self, state: State, since: float, now: float) -> float:
        """Return how many slots belong to other processes' cases because they have waited longer."""
        waiting, row = self._ledger.waiting, self._ledger.row
        if sum(waiting[: state.used]) == waiting[row]:
            return 0
        owed = sum(
            waiting[other]
            for other in range(state.used)
            if other != row
            and waiting[other]
            and self._ledger.since[other] < since - _SLACK_S
            and self._ledger.seen[other] > now - _STALE_S
        )
        is_paced = self._limits.rpm is not None or self._limits.tpm is not None
        return math.inf if owed and is_paced else owed

    def _take(self, state: State, tokens: float, now: float) -> Permit:
        self._ledger.in_flight[self._ledger.row] += 1
        if self._limits.rpm is not None:
            state.requests_due = self._requests.take(state.requests_due, now)
        if self._limits.tpm is not None:
            state.tokens_due = self._tokens.take(state.tokens_due, now, tokens)
        state.written_at = now
        return Permit(self, now, tokens)

    def _learn(self, state: State, result: Reply | AttemptFailedError, started: float, now: float) -> None:
        in_flight = sum(self._ledger.in_flight[: state.used])
        learn(state, Experience(result, started, now, in_flight), self._limits, self._patience_s)

    def _refusal(self, state: State, now: float) -> GivenUp:
        patience = f"{self._patience_s:g} s"
        if state.is_refused:
            detail = f"The endpoint says 429 (too many requests), and nothing else for as long as we wait: {patience}."
        else:
            wait_s = state.paused_until - now
            detail = f"The endpoint asks for a wait of {wait_s:.0f} s; we wait {patience} at most."
        return GivenUp(EndReason.RATE_LIMIT, detail)


def _wake(waking: asyncio.Future[None]) -> None:
    if not waking.done():
        waking.set_result(None)
