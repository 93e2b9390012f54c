"""How even are shards? `python benchmarks/shards.py [INSTANCES]` prints the table of docs/ci-and-tox.md.

The time of a case is the calls of its task's workflow times a random factor, drawn anew for each run. Recorded
durations are those of an earlier run. What is printed is by how much the longest of the shards is above their mean.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from itertools import product
from random import Random
from statistics import fmean

from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.generator.levels import LEVELS
from pytest_ultra.benchmark.planner import plan
from pytest_ultra.core.axes import Difficulty, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.job_shard import divide

RATE, MAX_TURNS = 0.8, 30
CASES, SPREAD = 10, 0.4
"""Cases of a task, and the standard deviation of the logarithm of the random factor of each."""
RUNS = 100
SHARDS = (2, 4, 8)
Times = Mapping[TaskKey, float]


def main() -> None:
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    keys = [TaskKey(*each, seed=0) for each in product(TaskType, Difficulty, range(instances))]
    calls = {key: float(len(plan(generate_task(key), RATE, MAX_TURNS).steps)) for key in keys}
    draws = Random(0)
    runs = [(_times(calls, draws), _times(calls, draws)) for _ in range(RUNS)]
    print(f"| {len(keys)} tasks, divided by | {' | '.join(f'{of} shards' for of in SHARDS)} |")
    print(f"|---|{'---|' * len(SHARDS)}")
    for name, weigh in WAYS.items():
        excess = [fmean(_excess(divide(weigh(keys, earlier), of), now, of) for now, earlier in runs) for of in SHARDS]
        print(f"| {name} | {' | '.join(f'+{100 * each:.0f} %' for each in excess)} |")


def _times(calls: Times, draws: Random) -> Times:
    return {key: n * sum(draws.lognormvariate(0, SPREAD) for _ in range(CASES)) for key, n in calls.items()}


def _excess(shards: Mapping[TaskKey, int], times: Times, of: int) -> float:
    loads = [sum(times[key] for key, number in shards.items() if number == each) for each in range(1, of + 1)]
    return max(loads) / fmean(loads) - 1


def _by_number(keys: list[TaskKey], _: Times) -> Mapping[TaskKey, int]:
    return dict.fromkeys(keys, 1)


def _by_steps(keys: list[TaskKey], _: Times) -> Mapping[TaskKey, int]:
    return {key: sum(LEVELS[key.difficulty].steps_of(TaskType(key.task_type))) for key in keys}


def _by_durations(keys: list[TaskKey], earlier: Times) -> Mapping[TaskKey, int]:
    return {key: round(1000 * earlier[key]) for key in keys}


WAYS: Mapping[str, Callable[[list[TaskKey], Times], Mapping[TaskKey, int]]] = {
    "number": _by_number,
    "the steps of their type and difficulty (the default)": _by_steps,
    "recorded durations": _by_durations,
}


if __name__ == "__main__":
    main()
