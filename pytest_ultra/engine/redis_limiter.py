"""The limiter of one endpoint whose limits all hosts hold together, through Redis."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.endpoint_limiter import PATIENCE_S, EndpointLimiter, Permit
from pytest_ultra.engine.joint_limits import JointAnswer, JointLimits
from pytest_ultra.engine.limiter_state import LimiterState
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.redis_connection import LEASE_S, Availability, JointStore, RedisScripts
from pytest_ultra.errors import AttemptFailedError

T = TypeVar("T")

_POLL_S = 0.02
"""How often a free slot is looked for; a slot that this process frees is taken at once."""
_RENEW_EVERY_S = LEASE_S / 3


class RedisEndpointLimiter(EndpointLimiter):
    """Adds the joint limits to what holds on this host alone: pauses and the adaptive limit.

    One caller at a time, in order, asks Redis; only it has a local slot. While Redis does not answer, the host holds
    its share of the limits, as if each of the hosts that were known last did so.
    """

    def __init__(
        self, state: LimiterState, limits: Limits, clock: Clock, joint: JointLimits, *, patience_s: float = PATIENCE_S
    ) -> None:
        super().__init__(state, limits.without_pace(), clock, patience_s=patience_s)
        self._whole = limits
        self._joint = joint
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._is_alone = False
        self._cancelled: Counter[str] = Counter()
        self._failures: dict[str, CallFailed] = {}
        self._renewal: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def acquire(self, model: str, tokens: float = 0.0) -> Permit | CallFailed:
        cancelled = self._cancelled[model]
        async with self._turn:
            while self._cancelled[model] == cancelled:
                permit = await super().acquire(model, tokens)
                if not isinstance(permit, Permit):
                    return permit
                taken = await self._take_joint(permit, tokens)
                if isinstance(taken, Permit):
                    return taken
                await self._sleep(taken)
            return self._failures[model]

    def release(self, permit: Permit, result: Reply | AttemptFailedError | None, tokens: float | None = None) -> None:
        super().release(permit, result, tokens)
        if permit.joint and not self._is_closed:
            more = 0.0 if tokens is None else tokens - permit.tokens
            self._start(self._joint.release(permit.joint, more))
            self._wake.set()

    def cancel_waiting(self, model: str, failure: CallFailed) -> None:
        self._cancelled[model] += 1
        self._failures[model] = failure
        self._wake.set()
        super().cancel_waiting(model, failure)

    def close(self) -> None:
        super().close()
        if self._renewal is not None:
            self._renewal.cancel()

    async def wait_closed(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _take_joint(self, permit: Permit, tokens: float) -> Permit | float:
        """Return the permit with its joint slot; else give the local slot back, and return when to ask again."""
        name = self._joint.new_permit()
        asking = self._start(self._joint.acquire(name, tokens))
        try:
            answer = await asyncio.shield(asking)  # a cancelled request would cost the connection to Redis
        except asyncio.CancelledError:
            super().release(permit, None)
            self._start(self._give_back(name, tokens, asking))
            raise
        was_alone, self._is_alone = self._is_alone, answer is None
        if was_alone != self._is_alone:
            self._use(self._whole.share(self._joint.hosts) if self._is_alone else self._whole.without_pace())
        if answer is not None and answer.is_permitted:
            if self._renewal is None:
                self._renewal = asyncio.get_running_loop().create_task(self._renew())
            return msgspec.structs.replace(permit, joint=name)
        if answer is None and was_alone:
            return permit
        super().release(permit, None)
        return 0.0 if answer is None else _POLL_S if answer.wait_s is None else answer.wait_s

    async def _give_back(self, name: str, tokens: float, asking: asyncio.Task[JointAnswer | None]) -> None:
        await asking
        await self._joint.release(name, -tokens)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_EVERY_S)
            await self._joint.renew()

    async def _sleep(self, seconds: float) -> None:
        """Wait, or return early when a slot is freed here or calls are cancelled."""
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # a loop holds its tasks only weakly
        task.add_done_callback(self._tasks.discard)
        return task


def open_joint_limiters(
    states: Mapping[str, LimiterState],
    limits: Limits,
    clock: Clock,
    store: JointStore,
    *,
    patience_s: float = PATIENCE_S,
) -> tuple[RedisScripts, dict[str, EndpointLimiter]]:
    """Return the connection to Redis, and a limiter for each endpoint, by the hash over its address and key."""
    joints: list[JointLimits] = []

    def describe_fallback() -> str:
        hosts = max((joint.hosts for joint in joints), default=1)
        return f"until it does, this host keeps to its share of the limits (1/{hosts})"

    scripts = RedisScripts(store, Availability(store, describe_fallback, clock))
    limiters: dict[str, EndpointLimiter] = {}
    for name, state in states.items():
        joints.append(JointLimits(name, limits, scripts, store))
        limiters[name] = RedisEndpointLimiter(state, limits, clock, joints[-1], patience_s=patience_s)
    return scripts, limiters
