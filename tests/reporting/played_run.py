"""A run played on a clock of its own: workers, a queue at the limits, calls that take their time."""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pytest_ultra.core.progress import Burden, Cohort, ShardProgress

Chance = random.Random


@dataclass(frozen=True)
class Call:
    """A call as it is made, with so many in flight."""

    chance: Chance
    worker: int
    at: float
    in_flight: int


@dataclass(frozen=True)
class Plan:
    """What a run is like. `lengths` draws how many answers an episode was expected to need, and how many it does."""

    shards: Sequence[int]
    lengths: Callable[[Chance], tuple[int, int]]
    latency_s: Callable[[Call], float]
    most_in_flight: Callable[[float], float] = lambda _: float("inf")
    slots: int = 256
    starts_s: Sequence[float] = ()
    seed: int = 0


@dataclass
class _Shard:
    number: int
    queue: deque[tuple[int, int]]
    answers: int = 0
    latency_s: float = 0.0
    latency_s2: float = 0.0
    in_flight: int = 0
    waiting: int = 0
    done: int = 0
    planned: int = 0
    begun: bool = False
    burden: Burden = field(default_factory=Burden)
    ended: Counter[tuple[int, int]] = field(default_factory=Counter)
    ahead: Counter[tuple[int, int]] = field(default_factory=Counter)

    def tell(self, slots: int) -> ShardProgress:
        return ShardProgress(
            number=self.number,
            worker=f"gw{self.number}",
            planned=self.planned,
            slots=slots,
            most_answers=30,
            done=self.done,
            in_flight=self.in_flight,
            waiting=self.waiting,
            answers=self.answers,
            latency_s=self.latency_s,
            latency_s2=self.latency_s2,
            burden=self.burden,
            ended=_cohorts(self.ended),
            ahead=_cohorts(self.ahead),
        )


def _cohorts(counts: Counter[tuple[int, int]]) -> tuple[Cohort, ...]:
    return tuple(Cohort(*key, count) for key, count in counts.items() if count)


class _Episode:
    def __init__(self, shard: _Shard, expected: int, needed: int) -> None:
        self.shard = shard
        self.expected = expected
        self.needed = needed
        self.answers = 0
        self.load = 0


class PlayedRun:
    """Plays a plan event by event."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._chance = Chance(plan.seed)
        self._line: deque[_Episode] = deque()
        self._calls: list[tuple[float, int, float, _Episode | None]] = []
        self._count = 0
        self._in_flight = 0
        self.now = 0.0
        self.shards = [self._shard(number, size) for number, size in enumerate(plan.shards)]

    def looks(self, every_s: float) -> Iterator[tuple[float, tuple[ShardProgress, ...]]]:
        """Play to the end; yield what the shards tell at each look."""
        due = every_s
        for shard in self.shards:
            start = self._plan.starts_s[shard.number] if self._plan.starts_s else 0.0
            self._at(start, 0.0, _Episode(shard, 0, 0))
        while self._calls:
            at, _, begun, episode = heapq.heappop(self._calls)
            while due < at:
                yield due, tuple(shard.tell(self._plan.slots) for shard in self.shards if shard.begun)
                due += every_s
            self.now = at
            self._happen(episode, begun)

    def _happen(self, episode: _Episode | None, begun: float) -> None:
        if episode is not None and not episode.needed:
            episode.shard.begun = True
            for _ in range(self._plan.slots):
                self._begin_next(episode.shard)
        elif episode is not None:
            self._answer(episode, begun)
        self._admit()

    def _shard(self, number: int, size: int) -> _Shard:
        queue = deque(self._plan.lengths(self._chance) for _ in range(size))
        shard = _Shard(number, queue, planned=size)
        shard.ahead.update((expected, 0) for expected, _ in queue)
        return shard

    def _begin_next(self, shard: _Shard) -> None:
        if shard.queue:
            self._ask(_Episode(shard, *shard.queue.popleft()))

    def _ask(self, episode: _Episode) -> None:
        episode.shard.waiting += 1
        self._line.append(episode)

    def _admit(self) -> None:
        most = self._plan.most_in_flight(self.now)
        while self._line and self._in_flight < most:
            episode = self._line.popleft()
            episode.shard.waiting -= 1
            episode.shard.in_flight += 1
            self._in_flight += 1
            episode.load = episode.shard.in_flight
            taken = self._plan.latency_s(Call(self._chance, episode.shard.number, self.now, self._in_flight))
            self._at(self.now + taken, self.now, episode)
        if self._line:  # the limit may have grown by then
            self._at(self.now + 1.0, self.now, None)

    def _answer(self, episode: _Episode, begun: float) -> None:
        shard = episode.shard
        shard.in_flight -= 1
        self._in_flight -= 1
        shard.answers += 1
        shard.latency_s += self.now - begun
        shard.latency_s2 += (self.now - begun) ** 2
        shard.ahead[episode.expected, episode.answers] -= 1
        if not episode.answers:
            shard.burden = shard.burden.plus(math.log(episode.load), math.log(self.now - begun))
        episode.answers += 1
        if episode.answers < episode.needed:
            shard.ahead[episode.expected, episode.answers] += 1
            self._ask(episode)
        else:
            shard.ended[episode.expected, episode.answers] += 1
            shard.done += 1
            self._begin_next(shard)

    def _at(self, time: float, begun: float, episode: _Episode | None) -> None:
        self._count += 1
        heapq.heappush(self._calls, (time, self._count, begun, episode))
