"""The limiter of a process: every attempt at a model acquires a permit here and releases it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.endpoint_limiter import PATIENCE_S, EndpointLimiter, Permit
from pytest_ultra.engine.endpoint_pool import EndpointPool
from pytest_ultra.engine.limiter_state import LimiterState
from pytest_ultra.engine.limits import START_IN_FLIGHT, Limits
from pytest_ultra.engine.redis_connection import JointStore, RedisScripts
from pytest_ultra.errors import AttemptFailedError

_BYTES_PER_TOKEN = 4.0
_CORRECTION_ANSWERS = 16  # answers that the running correction averages over
_MAX_RATIO = 4.0

MAX_OLD_PAUSE_S = 30.0
"""A new run keeps a pause of an earlier run that lasts no longer than this; else its first call probes the endpoint."""


class Limiter(Protocol):
    """Paces attempts. Time in `acquire` counts as waiting, not as the model's time."""

    async def acquire(self, request: ChatRequest) -> Permit | CallFailed | None:
        """Wait until an attempt may be made; return the permit to release, or why none will be possible."""

    def release(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        """Give the permit back, with the result of the attempt; None if it was cancelled."""

    async def back_off(self, model: str, seconds: float) -> None:
        """Wait before another attempt; return early if that attempt has become pointless."""

    def cancel_waiting(self, model: str, failure: CallFailed) -> None:
        """Answer all callers that wait for a model with the failure."""

    def exclude(self, permit: Permit | None) -> bool:
        """Stop using the permit's endpoint for its model; return whether the model has others."""

    def has_other(self, permit: Permit | None) -> bool:
        """Return whether another endpoint of the permit's model is available now."""

    def close(self) -> None:
        """Release all resources. Called once, after the last attempt."""

    async def wait_closed(self) -> None:
        """Wait until that is done."""


class Unlimited:
    """A limiter without limits."""

    async def acquire(self, request: ChatRequest) -> None: ...

    def release(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None: ...

    async def back_off(self, model: str, seconds: float) -> None:
        del model
        await asyncio.sleep(seconds)

    def cancel_waiting(self, model: str, failure: CallFailed) -> None: ...

    def exclude(self, permit: Permit | None) -> bool:
        del permit
        return False

    def has_other(self, permit: Permit | None) -> bool:
        del permit
        return False

    def close(self) -> None: ...

    async def wait_closed(self) -> None: ...


UNLIMITED = Unlimited()


class BypassLimiter:
    """Paces only the attempts that reach a model: kept answers need no permit."""

    def __init__(self, limiter: Limiter, reaches_model: Callable[[ChatRequest], bool]) -> None:
        self._limiter = limiter
        self._reaches_model = reaches_model

    async def acquire(self, request: ChatRequest) -> Permit | CallFailed | None:
        return await self._limiter.acquire(request) if self._reaches_model(request) else None

    def release(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        if permit is not None:
            self._limiter.release(permit, result)

    async def back_off(self, model: str, seconds: float) -> None:
        await self._limiter.back_off(model, seconds)

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


class TokenEstimator:
    """Estimates the tokens of a call before it is made: from the request's size, corrected by what calls have used."""

    def __init__(self) -> None:
        self._factor = 1.0

    def estimate(self, request: ChatRequest) -> float:
        size = len(msgspec.json.encode(request.messages)) + len(msgspec.json.encode(request.tools))
        return size / _BYTES_PER_TOKEN * self._factor

    def observe(self, estimated: float, used: int) -> None:
        self._factor *= 1.0 + (min(used / estimated, _MAX_RATIO) - 1.0) / _CORRECTION_ANSWERS


class ModelLimiter:
    """The endpoint pools of all models. Models that the same endpoint serves share its limiter."""

    def __init__(
        self,
        pools: Mapping[str, EndpointPool],
        estimator: TokenEstimator | None = None,
        scripts: RedisScripts | None = None,
    ) -> None:
        """Without an estimator, tokens are not counted. `scripts` is the connection of limiters that use Redis."""
        self._pools = pools
        self._estimator = estimator
        self._scripts = scripts

    async def acquire(self, request: ChatRequest) -> Permit | CallFailed | None:
        tokens = 0.0 if self._estimator is None else self._estimator.estimate(request)
        return await self._pools[request.case.model].acquire(tokens)

    def release(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        if permit is not None:
            permit.limiter.release(permit, result, self._used_tokens(permit, result))
            if permit.model:
                self._pools[permit.model].release(permit, result)

    async def back_off(self, model: str, seconds: float) -> None:
        await self._pools[model].limiters[0].back_off(seconds)

    def cancel_waiting(self, model: str, failure: CallFailed) -> None:
        self._pools[model].cancel_waiting(failure)

    def exclude(self, permit: Permit | None) -> bool:
        return permit is not None and bool(permit.model) and self._pools[permit.model].exclude(permit.route)

    def has_other(self, permit: Permit | None) -> bool:
        return permit is not None and bool(permit.model) and self._pools[permit.model].has_other(permit.route)

    def close(self) -> None:
        for limiter in self._limiters:
            limiter.close()

    async def wait_closed(self) -> None:
        for limiter in self._limiters:
            await limiter.wait_closed()
        if self._scripts is not None:
            await self._scripts.aclose()

    @property
    def _limiters(self) -> set[EndpointLimiter]:
        return {limiter for pool in self._pools.values() for limiter in pool.limiters}

    def _used_tokens(self, permit: Permit, result: Reply | AttemptFailedError | None) -> float | None:
        """Return the tokens that the attempt used, None if unknown, and correct the estimator by them."""
        tokens = result.prompt_tokens + result.completion_tokens if isinstance(result, Reply) else 0
        if self._estimator is None or not tokens:
            return None
        self._estimator.observe(permit.tokens, tokens)
        return tokens


def open_limiter(
    endpoints: Mapping[str, Sequence[str]],
    limits: Limits,
    *,
    folder: Path | None = None,
    roots: Sequence[Path] | None = None,
    clock: Clock = SYSTEM_CLOCK,
    patience_s: float = PATIENCE_S,
    max_old_pause_s: float = MAX_OLD_PAUSE_S,
    store: JointStore | None = None,
) -> tuple[ModelLimiter, str | None]:
    """Return the limiter, and what is wrong with how it is shared with other processes, None if nothing is.

    `endpoints` maps each model to the names of its endpoints, hashes over address and key. The state is in the user's
    folder in the first of `roots` that has room. A process with a clock of its own must use a `folder` of its own: its
    times mean nothing to other processes. With a `store`, all hosts hold the limits together.
    """
    states: dict[str, LimiterState] = {}
    problem: str | None = None
    for name in sorted({name for names in endpoints.values() for name in names}):
        states[name], obstacle = _open_state(name, folder, roots)
        problem = problem or obstacle
        states[name].start(clock.now(), START_IN_FLIGHT, max_old_pause_s)
    scripts = None
    if store is not None and limits.is_set:
        from pytest_ultra.engine.redis_limiter import open_joint_limiters  # noqa: PLC0415 - an extra

        scripts, limiters = open_joint_limiters(states, limits, clock, store, patience_s=patience_s)
    else:
        limiters = {
            each: EndpointLimiter(state, limits, clock, patience_s=patience_s) for each, state in states.items()
        }
    estimator = None if limits.tpm is None else TokenEstimator()
    pools = {
        model: EndpointPool(model, [limiters[name] for name in names], clock) for model, names in endpoints.items()
    }
    return ModelLimiter(pools, estimator, scripts), problem


def _open_state(name: str, folder: Path | None, roots: Sequence[Path] | None) -> tuple[LimiterState, str | None]:
    """Open the state in the first place that has room for it; without one, return a state of this process alone."""
    try:
        from pytest_ultra.engine.shared_limiter_state import (  # noqa: PLC0415 - not on Windows
            SHARED_ROOTS,
            SharedLimiterState,
            shared_folder,
        )
    except ImportError as error:
        return LimiterState(), _describe_unshared(error)
    first_error: OSError | None = None
    for root in (roots or SHARED_ROOTS) if folder is None else [folder]:
        try:
            place = folder or shared_folder([root])
            state = SharedLimiterState(place / name)
        except OSError as error:
            first_error = first_error or error
        else:
            return state, None if first_error is None else _describe_fallback(place, first_error)
    return LimiterState(), _describe_unshared(first_error)


def _describe_unshared(error: Exception | None) -> str:
    return f"limits hold for each worker by itself, not for all together ({error})"


def _describe_fallback(place: Path, error: OSError) -> str:
    return f"limits are shared in {place}, and so not with runs that use another folder ({error})"
