"""A simulated run on its own clock: workers, calls with latency, and a queue for a limit on calls in flight."""

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
    """A call at the moment when it is sent, and the number of calls in flight then."""

    chance: Chance
    worker: int
    at: float
    in_flight: int


@dataclass(frozen=True)
class Scenario:
    """The properties of a run. `lengths` draws the expected and the actual number of answers of an episode."""

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
    has_started: bool = False
    burden: Burden = field(default_factory=Burden)
    ended: Counter[tuple[int, int]] = field(default_factory=Counter)
    ahead: Counter[tuple[int, int]] = field(default_factory=Counter)

    def progress(self, slots: int) -> ShardProgress:
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


class SimulatedRun:
    """Simulates a scenario event by event."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._chance = Chance(scenario.seed)
        self._waiting: deque[_Episode] = deque()
        self._calls: list[tuple[float, int, float, _Episode | None]] = []
        self._count = 0
        self._in_flight = 0
        self.now = 0.0
        self.shards = [self._shard(number, size) for number, size in enumerate(scenario.shards)]

    def sample(self, every_s: float) -> Iterator[tuple[float, tuple[ShardProgress, ...]]]:
        """Simulate to the end; yield the time and the progress of the started shards every `every_s`."""
        due = every_s
        for shard in self.shards:
            start = self._scenario.starts_s[shard.number] if self._scenario.starts_s else 0.0
            self._schedule(start, 0.0, _Episode(shard, 0, 0))
        while self._calls:
            at, _, sent_at, episode = heapq.heappop(self._calls)
            while due < at:
                yield due, tuple(shard.progress(self._scenario.slots) for shard in self.shards if shard.has_started)
                due += every_s
            self.now = at
            self._handle(episode, sent_at)

    def _handle(self, episode: _Episode | None, sent_at: float) -> None:
        if episode is not None and not episode.needed:
            episode.shard.has_started = True
            for _ in range(self._scenario.slots):
                self._start_next(episode.shard)
        elif episode is not None:
            self._answer(episode, sent_at)
        self._admit()

    def _shard(self, number: int, size: int) -> _Shard:
        queue = deque(self._scenario.lengths(self._chance) for _ in range(size))
        shard = _Shard(number, queue, planned=size)
        shard.ahead.update((expected, 0) for expected, _ in queue)
        return shard

    def _start_next(self, shard: _Shard) -> None:
        if shard.queue:
            self._queue_call(_Episode(shard, *shard.queue.popleft()))

    def _queue_call(self, episode: _Episode) -> None:
        episode.shard.waiting += 1
        self._waiting.append(episode)

    def _admit(self) -> None:
        most = self._scenario.most_in_flight(self.now)
        while self._waiting and self._in_flight < most:
            episode = self._waiting.popleft()
            episode.shard.waiting -= 1
            episode.shard.in_flight += 1
            self._in_flight += 1
            episode.load = episode.shard.in_flight
            taken = self._scenario.latency_s(Call(self._chance, episode.shard.number, self.now, self._in_flight))
            self._schedule(self.now + taken, self.now, episode)
        if self._waiting:  # the limit may have grown by then
            self._schedule(self.now + 1.0, self.now, None)

    def _answer(self, episode: _Episode, sent_at: float) -> None:
        shard = episode.shard
        shard.in_flight -= 1
        self._in_flight -= 1
        shard.answers += 1
        shard.latency_s += self.now - sent_at
        shard.latency_s2 += (self.now - sent_at) ** 2
        shard.ahead[episode.expected, episode.answers] -= 1
        if not episode.answers:
            shard.burden = shard.burden.plus(math.log(episode.load), math.log(self.now - sent_at))
        episode.answers += 1
        if episode.answers < episode.needed:
            shard.ahead[episode.expected, episode.answers] += 1
            self._queue_call(episode)
        else:
            shard.ended[episode.expected, episode.answers] += 1
            shard.done += 1
            self._start_next(shard)

    def _schedule(self, time: float, sent_at: float, episode: _Episode | None) -> None:
        self._count += 1
        heapq.heappush(self._calls, (time, self._count, sent_at, episode))
