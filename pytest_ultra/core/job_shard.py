"""The shard of a run that one job of a CI matrix runs, and the division of tasks among the jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

MOST_SHARDS = 1000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobShard:
    """Shard `number`, from 1, of `of`."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def divide(weights: Mapping[T, int], of: int) -> dict[T, int]:
    """Return the shard of each task, from 1, so that the sums of their weights are about equal.

    The heaviest task comes first, and each goes to the shard with the least weight so far (longest processing time
    first: Graham 1969, https://doi.org/10.1137/0117039). `weights` are whole numbers, in a fixed order for equal ones,
    so that every job computes the same.
    """
    loads = [0] * of
    shards: dict[T, int] = {}
    for task, weight in sorted(weights.items(), key=lambda item: -item[1]):
        number = loads.index(min(loads))
        shards[task] = number + 1
        loads[number] += weight
    return shards


def parse_shard(text: str) -> JobShard:
    """Read `I/N`. Raises ValueError for anything else."""
    number, _, of = text.partition("/")
    if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= MOST_SHARDS:
        return JobShard(int(number), int(of))
    raise ValueError(
        f"{text!r} is not a shard; give its number and how many there are, such as 2/4 for the second of four"
    )
