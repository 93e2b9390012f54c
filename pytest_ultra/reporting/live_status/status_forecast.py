"""The status of a run at each look, with rates and the estimated time of its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from pytest_ultra.core.progress import Cohort, ShardProgress
from pytest_ultra.reporting.live_status.eta import remaining_s
from pytest_ultra.reporting.live_status.progress_history import ProgressHistory, ProgressSample
from pytest_ultra.reporting.live_status.status_snapshot import StatusContext, StatusSnapshot

_DEFAULT_ANSWERS = 6.0  # of an episode, before any shard has reported
_UPDATE_EVERY_S = 2.0  # between two estimates of the end


class StatusForecast:
    """Observes the progress of the shards; `now` may be from any clock, and `planned` counts all cases."""

    def __init__(
        self, planned: Callable[[], int], workers: int, now: float, context: StatusContext | None = None
    ) -> None:
        self._context = context or StatusContext()
        self._planned = planned
        self._workers = workers
        self._started = now
        self._history = ProgressHistory()
        self._ends_at: float | None = None
        self._due = now

    def observe(self, shards: Sequence[ShardProgress], now: float, reported: int | None = None) -> StatusSnapshot:
        self._history.add(ProgressSample.take(shards, now))
        status = StatusSnapshot(
            shards=tuple(shards),
            workers=self._workers,
            planned=self._planned(),
            elapsed_s=now - self._started,
            reported=reported,
            context=self._context,
        )
        if not self._history.window_s:
            return status
        if now >= self._due and self._history.call_rate:
            complete = [add_unreported_cases(shard, status) for shard in shards]
            self._ends_at, self._due = now + remaining_s(complete, self._history.speed()), now + _UPDATE_EVERY_S
        return msgspec.structs.replace(
            status,
            episode_rate=self._history.episode_rate,
            call_rate=self._history.call_rate,
            eta_s=None if self._ends_at is None else max(0.0, self._ends_at - now),
        )


def add_unreported_cases(shard: ShardProgress, status: StatusSnapshot) -> ShardProgress:
    """Return the shard with the cases added that it has not reported yet.

    Cases that are not assigned to shards in advance are split evenly. An unreported case is expected to need the mean
    of the reported ones.
    """
    reported = shard.done + sum(cohort.episodes for cohort in shard.ahead)
    planned = status.planned / status.workers if shard.planned is None else shard.planned
    missing = round(planned - reported)
    if missing <= 0:
        return shard
    seen = [cohort for each in status.shards for cohort in (*each.ended, *each.ahead)]
    episodes = sum(cohort.episodes for cohort in seen)
    total = sum(cohort.expected * cohort.episodes for cohort in seen)
    mean = total / episodes if episodes else _DEFAULT_ANSWERS
    return msgspec.structs.replace(shard, ahead=(*shard.ahead, Cohort(round(mean), 0, missing)))
