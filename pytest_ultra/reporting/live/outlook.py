"""The status of a run as it is looked at again and again: with rates, and with the time at which it will have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from pytest_ultra.benchmark.progress import ShardProgress
from pytest_ultra.reporting.live.eta import remaining_s
from pytest_ultra.reporting.live.history import History, Sample
from pytest_ultra.reporting.live.status import Status

_EVERY_S = 2.0  # an outlook is good for so long, but for the seconds that pass


class Outlook:
    """Told how far the shards are at times of any clock, of which `now` is the first; `planned` counts all cases."""

    def __init__(self, planned: Callable[[], int], workers: int, now: float) -> None:
        self._planned = planned
        self._workers = workers
        self._began = now
        self._history = History()
        self._ends_at: float | None = None
        self._due = now

    def observe(self, shards: Sequence[ShardProgress], now: float) -> Status:
        self._history.add(Sample.take(shards, now))
        status = Status(
            shards=tuple(shards), workers=self._workers, planned=self._planned(), elapsed_s=now - self._began
        )
        if not self._history.passed_s:
            return status
        if now >= self._due and self._history.call_rate:
            self._ends_at, self._due = now + remaining_s(shards, self._history.speed()), now + _EVERY_S
        return msgspec.structs.replace(
            status,
            episode_rate=self._history.episode_rate,
            call_rate=self._history.call_rate,
            eta_s=None if self._ends_at is None else max(0.0, self._ends_at - now),
        )
