"""When a run will have ended: what its shards still have to do, played through with what it has come to so far."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import msgspec

from pytest_ultra.core.progress import Cohort, ShardProgress
from pytest_ultra.reporting.live_status.episode_lengths import Lengths

_FULL_ROUNDS = 3
"""So many times its slots a shard may have in its queue to be played through; what is more is taken as a bulk."""
_OVER = 0.4  # of an episode is no episode
_MOST_STEPS = 2_000


class Latency(msgspec.Struct, frozen=True):
    """How long an answer takes, and its variance over the square of that, as seen in so many answers."""

    mean_s: float
    spread: float
    answers: int = 0


class Speed(msgspec.Struct, frozen=True):
    """How fast it goes now. `latencies` is by shard, in their order.

    Limits let `calls_per_s` through altogether, infinitely many where they hold nobody up, and `growth` more a second,
    for `growth_s`. With fewer than the present `in_flight`, answers take less time by the power `elasticity`: 0 where
    load makes no difference, 1 where the endpoint answers so many a second and no more.
    """

    latencies: Sequence[Latency]
    calls_per_s: float
    in_flight: float
    elasticity: float = 0.0
    growth: float = 0.0
    growth_s: float = 0.0

    def pace(self, at_s: float) -> float:
        """Return the calls a second that will be let through in so many seconds."""
        return self.calls_per_s + self.growth * min(at_s, self.growth_s)

    def relief(self, active: float) -> float:
        """Return the share of its present time that an answer will take when so many episodes are left."""
        return min(1.0, active / self.in_flight) ** self.elasticity if self.in_flight else 1.0


def remaining_s(shards: Sequence[ShardProgress], speed: Speed) -> float:
    """Return in how many seconds the last episode will have ended."""
    lengths = Lengths(
        (cohort for shard in shards for cohort in shard.ended),
        (cohort for shard in shards for cohort in shard.ahead),
        max(shard.most_answers for shard in shards),
    )
    left = [_Left(shard, latency, lengths) for shard, latency in zip(shards, speed.latencies, strict=True)]
    bulk_s = max(shard.skip_bulk() for shard in left)
    bulk_calls = sum(shard.skipped_calls for shard in left)
    end_s = _play(left, speed, max(bulk_s, bulk_calls / speed.calls_per_s))
    return max(0.0, end_s - max(shard.under_way_s(speed) for shard in left))


def _play(shards: Sequence[_Left], speed: Speed, start_s: float) -> float:
    """Have every shard get an answer for each of its episodes at a time, as often as that can be."""
    active = sum(shard.active for shard in shards)
    times = [(start_s, index) for index, shard in enumerate(shards) if shard.active > _OVER]
    end_s = start_s
    for _ in range(_MOST_STEPS):
        if not times:
            break
        at, index = heapq.heappop(times)
        shard = shards[index]
        latency_s = shard.latency.mean_s * speed.relief(active)
        taken_s = max(latency_s, active / speed.pace(at))
        end_s = max(end_s, at + taken_s)
        active -= shard.active
        shard.step(shard.latency.spread * (latency_s / taken_s) ** 2 if taken_s else 0.0)
        active += shard.active
        if shard.active > _OVER:
            heapq.heappush(times, (at + taken_s, index))
    return end_s


class _Left:
    """What a shard still has to do: how many episodes need 1, 2, 3 ... more answers, and how many have not begun."""

    def __init__(self, shard: ShardProgress, latency: Latency, lengths: Lengths) -> None:
        self.latency = latency
        self.skipped_calls = 0.0
        self._slots = shard.slots
        self._episodes: list[float] = []
        begun = [cohort for cohort in shard.ahead if cohort.answers]
        fresh = [cohort for cohort in shard.ahead if not cohort.answers]
        self._queue = float(sum(cohort.episodes for cohort in fresh))
        self._fresh = _mixed(fresh, lengths, self._queue)
        self._add(_mixed(begun, lengths), 1.0)
        self._fill()

    @property
    def active(self) -> float:
        return sum(self._episodes)

    def under_way_s(self, speed: Speed) -> float:
        """Return for how long calls have been under way, on average, where limits do not hold them up."""
        is_held_up = speed.calls_per_s < float("inf")
        return 0.0 if is_held_up else self.latency.mean_s * max(0.0, 1 - self.latency.spread) / 2

    def skip_bulk(self) -> float:
        """Take away the part of a long queue that all slots work on, and return how long they will, unhindered."""
        bulk = self._queue - _FULL_ROUNDS * self._slots
        if bulk <= 0:
            return 0.0
        self._queue -= bulk
        self.skipped_calls = bulk * sum(more * chance for more, chance in enumerate(self._fresh, 1))
        return self.skipped_calls * self.latency.mean_s / self._slots

    def step(self, spread: float) -> None:
        """Get an answer for each episode; with some spread, for as many none as for others two."""
        uneven = min(1.0, spread) / 2
        now = [*self._episodes, 0.0, 0.0]
        self._episodes = [
            uneven * now[index] + (1 - 2 * uneven) * now[index + 1] + uneven * now[index + 2]
            for index in range(len(self._episodes))
        ]
        self._fill()

    def _fill(self) -> None:
        begun = min(self._queue, self._slots - self.active)
        if begun > 0:
            self._queue -= begun
            self._add(self._fresh, begun)

    def _add(self, chances: Sequence[float], episodes: float) -> None:
        self._episodes += [0.0] * (len(chances) - len(self._episodes))
        for index, chance in enumerate(chances):
            self._episodes[index] += episodes * chance


def _mixed(cohorts: Sequence[Cohort], lengths: Lengths, share_of: float = 1.0) -> list[float]:
    """Add up the chances over cohorts, as shares of so many episodes."""
    mixed: list[float] = []
    for cohort in cohorts:
        chances = lengths.ahead(cohort.expected, cohort.answers)
        mixed += [0.0] * (len(chances) - len(mixed))
        for index, chance in enumerate(chances):
            mixed[index] += chance * cohort.episodes / share_of
    return mixed
