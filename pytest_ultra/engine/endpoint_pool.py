"""Several endpoints that serve one model: each call goes where there is most room, and a sick one is left to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from pytest_ultra.core.transcript import EndReason, Reply
from pytest_ultra.engine.adaptive_limit import is_trouble
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.endpoint_limiter import Gate, Permit
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.errors import AttemptFailedError

STRIKES = 3
REST_S = 5.0
LONGEST_REST_S = 60.0

_DUE, _WELL, _SICK = range(3)
_MOVED = GivenUp(EndReason.ENDPOINT, "The endpoint rests; another one is asked.")


class _Member:
    """One endpoint of a pool. It is sick from `STRIKES` failures running to its next answer."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.in_flight = 0
        self.is_out = False
        self.is_probed = False
        self._strikes = 0
        self._rests = 0
        self._rests_until = 0.0

    def rank(self, now: float) -> tuple[int, float, float, int]:
        """Sort what is due to be probed, then the well by when they let a call in and their load, then the sick."""
        opens_in_s, load = self.gate.outlook()
        if self.is_resting(now) or (self.is_probed and self._rests):
            return _SICK, self._rests_until, load, self.in_flight
        return (_DUE if self._rests and not opens_in_s else _WELL), opens_in_s, load, self.in_flight

    def is_resting(self, now: float) -> bool:
        return now < self._rests_until

    def learn(self, result: Reply | AttemptFailedError | None, now: float) -> bool:
        """Take in what became of a call; tell whether a rest begins with it."""
        if isinstance(result, AttemptFailedError) and is_trouble(result):
            self._strikes += 1
            return self._strikes >= STRIKES and not self.is_resting(now) and self._rest(now)
        self.is_probed = False
        if result is not None:
            self._strikes = self._rests = 0
            self._rests_until = 0.0
        return False

    def _rest(self, now: float) -> bool:
        self.is_probed = False
        self._rests_until = now + min(LONGEST_REST_S, REST_S * 2.0**self._rests)
        self._rests += 1
        return True


class Pool:
    """The endpoints of one model, in the order of their routes; each has a gate."""

    def __init__(self, model: str, gates: Sequence[Gate], clock: Clock) -> None:
        self.gates = tuple(gates)
        self._model = model
        self._clock = clock
        self._members = [_Member(gate) for gate in gates]
        self._verdict: GivenUp | None = None

    async def enter(self, tokens: float) -> Permit | GivenUp:
        """Return when an attempt may be made, and at which endpoint; or why none ever may."""
        if len(self.gates) == 1:
            return await self.gates[0].enter(self._model, tokens)
        refused: set[int] = set()
        while True:
            route = self._choose()
            answer = await self._enter(self._members[route], tokens)
            if isinstance(answer, Permit):
                return msgspec.structs.replace(answer, model=self._model, route=route)
            if self._verdict is not None:
                return self._verdict
            if answer is not _MOVED and (route in refused or len(refused) == len(self.gates) - 1):
                return answer
            if answer is not _MOVED:
                refused.add(route)

    def leave(self, permit: Permit, result: Reply | AttemptFailedError | None) -> None:
        member = self._members[permit.route]
        member.in_flight -= 1
        if member.learn(result, self._clock.now()) and self.has_other(permit.route):
            member.gate.dismiss(self._model, _MOVED)

    def exclude(self, route: int) -> bool:
        """Ask an endpoint no more; tell whether there are others."""
        self._members[route].is_out = True
        has_others = any(not member.is_out for member in self._members)
        if has_others:
            self._members[route].gate.dismiss(self._model, _MOVED)
        return has_others

    def has_other(self, route: int) -> bool:
        """Tell whether another endpoint is well, and lets a call in without a pause."""
        now = self._clock.now()
        others = (member for number, member in enumerate(self._members) if number != route and not member.is_out)
        return any(member.rank(now)[0] < _SICK and member.rank(now)[1] == 0 for member in others)

    def dismiss(self, verdict: GivenUp) -> None:
        self._verdict = verdict
        for gate in self.gates:
            gate.dismiss(self._model, verdict)

    async def _enter(self, member: _Member, tokens: float) -> Permit | GivenUp:
        member.is_probed = True  # which means something to the sick only
        try:
            answer = await member.gate.enter(self._model, tokens)
        except asyncio.CancelledError:
            member.is_probed = False
            raise
        if isinstance(answer, Permit):
            member.in_flight += 1
        else:
            member.is_probed = False
        return answer

    def _choose(self) -> int:
        now = self._clock.now()
        routes = [route for route, member in enumerate(self._members) if not member.is_out] or [0]
        return min(routes, key=lambda route: self._members[route].rank(now))
