"""Count the calls of sound plans: `python benchmarks/usual_calls.py [INSTANCES]`.

The counts are the table of `pytest_ultra.benchmark.usual_calls`.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import product

from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.planner import plan
from pytest_ultra.benchmark.usual_calls import pattern
from pytest_ultra.core.axes import Difficulty, TaskType
from pytest_ultra.core.case import TaskKey

RATE, MAX_TURNS = 0.8, 30
LEVELS = (Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD)


def main() -> None:
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    counts: Counter[str] = Counter()
    for instance, task_type, difficulty in product(range(instances), TaskType, LEVELS):
        workflow = plan(generate_task(TaskKey(task_type, difficulty, instance, 0)), RATE, MAX_TURNS)
        counts.update(pattern(step.call) for step in workflow.steps)
    for name, count in sorted(counts.items()):
        print(f'    "{name}": {count},')


if __name__ == "__main__":
    main()
