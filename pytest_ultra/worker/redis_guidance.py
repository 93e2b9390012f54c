"""Tasks that hosts and CI jobs share in Redis: one process generates each, and the others take it from there."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from pytest_ultra.collection.run_suite import sharing_scope
from pytest_ultra.distribution.placement import Placement
from pytest_ultra.engine.redis_connection import Availability, JointStore, connect
from pytest_ultra.options.settings import Settings
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.worker.budget_share import open_store

if TYPE_CHECKING:  # an extra
    from redis.lock import Lock

_LEASE_S = 5.0
"""How long a lock is held without a message: others wait as long for a holder that has died."""
_POLL_S = 0.02
_KEPT_S = 3600
"""How long Redis keeps a task after it was generated."""
_MOST_BYTES = 64 * 1024 * 1024
"""The size of the largest file that is taken: anybody who may write to Redis could store one that fills the memory."""
_COMPRESSION = 1
"""The fastest level: 0.6 ms for a task of 28 KB, which takes a sixth of that."""


class RedisGuidance:
    """A lock for each task, which its holder renews, and the task's files, which are kept for an hour.

    While Redis does not answer, each host generates for itself.
    """

    def __init__(self, store: JointStore, scope: str, *, lease_s: float = _LEASE_S) -> None:
        """Share with the processes that give the same `scope`."""
        import redis  # noqa: PLC0415 - an extra

        self._scope = scope
        self._lease_s = lease_s
        self._errors = (redis.RedisError, OSError)
        self._client = connect(store.url, is_text=False)
        self._availability = Availability(store, lambda: "until it does, each host generates its tasks for itself")

    @contextmanager
    def hold(self, address: str) -> Iterator[Mapping[str, bytes]]:
        """Wait for the task's lock, and hold it; yield the task's files by name."""
        lock = self._acquire(address)
        if lock is None:
            yield {}
            return
        try:
            with self._renewed(lock):
                yield self._read(address)
        finally:
            with suppress(*self._errors):  # it ends by itself
                lock.release()

    def share(self, address: str, name: str, content: bytes) -> None:
        if not self._availability.may_ask():
            return
        try:
            with self._client.pipeline() as commands:
                commands.hset(self._key(address), name, zlib.compress(content, _COMPRESSION))
                commands.expire(self._key(address), _KEPT_S)
                commands.execute()
        except self._errors as error:
            self._availability.failed(error)

    def close(self) -> None:
        self._client.close()

    def _key(self, address: str) -> str:
        return f"pytest-ultra:guidance:{self._scope}:{address}"

    def _acquire(self, address: str) -> Lock | None:
        """Return the task's lock when it is held; None if Redis does not answer."""
        if not self._availability.may_ask():
            return None
        lock = self._client.lock(f"{self._key(address)}:lock", self._lease_s, _POLL_S, thread_local=False)
        try:
            lock.acquire()
        except self._errors as error:
            self._availability.failed(error)
            return None
        self._availability.answered()
        return lock

    @contextmanager
    def _renewed(self, lock: Lock) -> Iterator[None]:
        """Renew the lock from another thread."""
        is_over = threading.Event()

        def renew() -> None:
            while not is_over.wait(self._lease_s / 3):
                with suppress(*self._errors):  # then another host may generate the same
                    lock.reacquire()

        threading.Thread(target=renew, name="ultra-generation-lock", daemon=True).start()
        try:
            yield
        finally:
            is_over.set()

    def _read(self, address: str) -> dict[str, bytes]:
        files = {}
        try:
            stored = self._client.hgetall(self._key(address))
        except self._errors as error:
            self._availability.failed(error)
            return {}
        for name, content in stored.items():
            with suppress(zlib.error):
                reader = zlib.decompressobj()
                unpacked = reader.decompress(content, _MOST_BYTES)
                if reader.eof:
                    files[name.decode(errors="replace")] = unpacked
        return files


def open_shared_guidance(
    config: pytest.Config, settings: Settings, run: RunDirectory, placement: Placement
) -> RedisGuidance | None:
    """Return what this run shares with other hosts and jobs, None without a Redis."""
    store = open_store(settings, run, placement)
    if store is None:
        return None
    shared = RedisGuidance(store, sharing_scope(config, settings, run))
    config.add_cleanup(shared.close)
    return shared
