"""The status of a run as it is looked at again and again: with rates, and with the time at which it will have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from pytest_ultra.core.progress import Cohort, ShardProgress
from pytest_ultra.reporting.live_status.eta import remaining_s
from pytest_ultra.reporting.live_status.progress_history import History, Sample
from pytest_ultra.reporting.live_status.run_status_record import Status

_USUAL = 6.0  # requests of an episode
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
            whole = [with_unknown(shard, status) for shard in shards]
            self._ends_at, self._due = now + remaining_s(whole, self._history.speed()), now + _EVERY_S
        return msgspec.structs.replace(
            status,
            episode_rate=self._history.episode_rate,
            call_rate=self._history.call_rate,
            eta_s=None if self._ends_at is None else max(0.0, self._ends_at - now),
        )


def with_unknown(shard: ShardProgress, status: Status) -> ShardProgress:
    """Return the shard with all of its cases, those included of which nothing is known but that they are there.

    What is handed out bit by bit is shared out evenly; of what nothing is known, the usual is expected.
    """
    told = shard.done + sum(cohort.episodes for cohort in shard.ahead)
    planned = status.planned / status.workers if shard.planned is None else shard.planned
    missing = round(planned - told)
    if missing <= 0:
        return shard
    seen = [cohort for each in status.shards for cohort in (*each.ended, *each.ahead)]
    episodes = sum(cohort.episodes for cohort in seen)
    usual = sum(cohort.expected * cohort.episodes for cohort in seen) / episodes if episodes else _USUAL
    return msgspec.structs.replace(shard, ahead=(*shard.ahead, Cohort(round(usual), 0, missing)))
