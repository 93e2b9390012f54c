"""Redis, as hosts and CI jobs share it: which URL, what happens while it does not answer, and when it is asked again.

Needs the extra `redis`, which is imported when a connection is opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock
from pytest_ultra.errors import ConfigurationError

if TYPE_CHECKING:  # an extra
    import redis
    import redis.asyncio

TIMEOUT_S = 1.0
"""How long Redis may take to answer before it counts as lost."""
RETRY_EVERY_S = 5.0
"""How often a lost Redis is asked again."""
LEASE_S = 15.0
"""How long what a process holds stays its own without a message."""

_START_TIMEOUT_S = 3.0
_CONNECTIONS = 4
"""The most connections of a process: each costs a file, and a script takes Redis some microseconds."""


class JointStore(msgspec.Struct, frozen=True):
    """The Redis that hosts share. `host` names this host; `note` gets a line for the user, in any thread.

    `hosts` is how many hosts share it at least, if Redis is lost before it says so.
    """

    url: str
    host: str
    note: Callable[[str], None]
    hosts: int = 1

    @property
    def address(self) -> str:
        """The address, without a password."""
        return describe_address(self.url)


def describe_address(url: str) -> str:
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else parts.netloc.rpartition("@")[2]


def budget_name(url: str) -> str:
    """Return the name of the budget in the URL, its fragment; empty if there is none."""
    return urlsplit(url).fragment


def check_redis(url: str) -> None:
    """Raise ConfigurationError unless the package is installed and Redis answers at the URL."""
    try:
        import redis  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError("it needs the package redis: pip install 'pytest-ultra[redis]'") from None
    try:
        with connect(url, _START_TIMEOUT_S) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        raise ConfigurationError(
            f"Redis at {describe_address(url)} does not answer ({error}); start it, or leave the option out"
        ) from None


def connect(url: str, timeout_s: float = TIMEOUT_S, *, is_text: bool = True) -> redis.Redis:
    """Return a client that blocks, and returns text or bytes."""
    import redis  # noqa: PLC0415 - an extra
    from redis.retry import Retry  # noqa: PLC0415

    return redis.Redis.from_url(_without_fragment(url), **_options(timeout_s, Retry) | {"decode_responses": is_text})


def _options(timeout_s: float, retry: Callable[[Any, int], Any]) -> dict[str, Any]:
    """Return the options of a connection. It does not retry by itself, so that a loss is known at once."""
    from redis.backoff import NoBackoff  # noqa: PLC0415 - an extra

    timeouts = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
    return {**timeouts, "decode_responses": True, "retry": retry(NoBackoff(), 0)}


def _without_fragment(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(fragment=""))


class Availability:
    """Whether Redis answers. A lost one is asked again every `RETRY_EVERY_S`; each change is noted once."""

    def __init__(self, store: JointStore, fallback: Callable[[], str], clock: Clock = SYSTEM_CLOCK) -> None:
        """`fallback` says in words what holds while Redis is lost."""
        self._store = store
        self._fallback = fallback
        self._clock = clock
        self._ask_again_at = 0.0
        self.is_lost = False

    def may_ask(self) -> bool:
        """Return whether to ask now; of several callers, one asks a lost Redis."""
        if not self.is_lost:
            return True
        now = self._clock.now()
        if now < self._ask_again_at:
            return False
        self._ask_again_at = now + RETRY_EVERY_S
        return True

    def answered(self) -> None:
        if self.is_lost:
            self.is_lost = False
            self._store.note(f"Redis at {self._store.address} answers again")

    def failed(self, error: Exception) -> None:
        self._ask_again_at = self._clock.now() + RETRY_EVERY_S
        if not self.is_lost:
            self.is_lost = True
            reason = str(error) or type(error).__name__
            self._store.note(f"Redis at {self._store.address} does not answer ({reason}): {self._fallback()}")


class RedisScripts:
    """Runs Lua scripts in Redis, in the event loop that calls them first; None while Redis does not answer."""

    def __init__(self, store: JointStore, availability: Availability) -> None:
        import redis.asyncio  # noqa: PLC0415 - an extra
        from redis.asyncio.retry import Retry  # noqa: PLC0415

        self._availability = availability
        self._errors = (redis.RedisError, OSError, asyncio.TimeoutError)
        self._client = redis.asyncio.Redis.from_url(_without_fragment(store.url), **_options(TIMEOUT_S, Retry))
        self._scripts: dict[str, Any] = {}
        self._connections = asyncio.Semaphore(_CONNECTIONS)

    async def run(self, script: str, keys: Sequence[str], *args: str | float) -> list[Any] | None:
        async with self._connections:
            if not self._availability.may_ask():
                return None
            if script not in self._scripts:
                self._scripts[script] = self._client.register_script(script)
            try:
                result: list[Any] = await self._scripts[script](keys=keys, args=args)
            except self._errors as error:
                self._availability.failed(error)
                return None
            self._availability.answered()
            return result

    async def aclose(self) -> None:
        await self._client.aclose()
