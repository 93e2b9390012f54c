"""Print figures of the benchmark itself: rejected draws, variety, generation time, proved flaws.

    python benchmarks/benchmark_figures.py [INSTANCES] [SEED]

INSTANCES (default 50) is per task type and difficulty. Generation is timed for 5,040 tasks.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import product

from pytest_ultra.benchmark.generator.generate import draw_task, generate_task
from pytest_ultra.benchmark.planner import perfect_plan, plan
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.core.axes import Difficulty, FlawKind, Severity, TaskType, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.linter import lint
from pytest_ultra.flaws.proof import has_cost

PUBLISHED_TASKS = 5040
RATE, MAX_TURNS = 0.8, 30


def make_keys(instances: int, seed: int) -> Iterator[TaskKey]:
    for instance, task_type, difficulty in product(range(instances), TaskType, Difficulty):
        yield TaskKey(task_type, difficulty, instance, seed)


def print_rejected(tasks: list[Task]) -> None:
    """Count draws that make no sound task, and sound draws that do not carry every flaw."""
    accepted = Counter((task.key.task_type, task.key.difficulty) for task in tasks)
    drawn, unsound = Counter(accepted), Counter[tuple[TaskType, Difficulty]]()
    for task in tasks:
        cell = (task.key.task_type, task.key.difficulty)
        drawn[cell] += task.draw
        unsound[cell] += sum(draw_task(task.key, draw) is None for draw in range(task.draw))
    print("Rejected draws, per task type and difficulty: no sound task / sound, but a flaw cannot be carried")
    for cell, n in accepted.items():
        unflawable = drawn[cell] - unsound[cell] - n
        of_sound = unflawable / (drawn[cell] - unsound[cell])
        print(f"  {cell[0]:22}{cell[1]:10} {unsound[cell] / drawn[cell]:7.1%} / {of_sound:.1%}  (of {drawn[cell]})")


def print_variety(tasks: list[Task]) -> None:
    plans = [perfect_plan(task) for task in tasks]
    sequences = Counter(tuple(step.call.tool for step in workflow.steps) for workflow in plans)
    used = Counter(tool for sequence in sequences for tool in set(sequence))
    states = Counter(tuple(sorted((f.kind, f.key, f.text) for f in task.deliverables)) for task in tasks)
    goals = Counter((task.words, *sorted(fact.text for fact in task.deliverables)) for task in tasks)
    print(f"{len(tasks)} tasks: {len(sequences)} distinct tool sequences, {len(used)} tools used")
    print(f"  distinct goals (words and state): {len(goals)}; distinct goal states: {len(states)}")
    print(f"  tools by sequences, rarest first: {', '.join(f'{t} {n}' for t, n in used.most_common()[:-6:-1])}")


def print_flaws(tasks: list[Task]) -> None:
    """Inject a flaw of each kind and severity, alternately visible in the job and in the world; prove each again."""
    proved = Counter[tuple[FlawKind, Visibility | None]]()
    for task, kind, severity in product(tasks, FlawKind, Severity):
        optimal, context = plan(task, RATE, MAX_TURNS), TaskContext(task)
        wanted = (Visibility.JOB, Visibility.WORLD)[task.key.instance % 2]
        flawed = inject(context, optimal, kind, severity, visibility=wanted)
        if flawed is None:
            print(f"  NOT CARRIED: {severity} {kind} in {task.key}")
            continue
        is_flagged = bool(lint(flawed.workflow, context.tools))
        is_visible = is_flagged is (flawed.visibility is Visibility.PLAN)
        proved[kind, flawed.visibility] += is_visible and has_cost(context, optimal, kind, flawed.workflow)
    print(f"Flaws proved, of {len(tasks) * len(Severity)} each (tasks by severities): {' / '.join(Visibility)}")
    for kind in FlawKind:
        counts = [proved[kind, visibility] for visibility in Visibility]
        print(f"  {kind:24}{sum(counts):6}  {' / '.join(map(str, counts))}")


def time_generation(seed: int) -> list[Task]:
    started = time.process_time()
    tasks: list[Task] = []
    for key in make_keys(PUBLISHED_TASKS // 25 + 1, seed):
        if len(tasks) == PUBLISHED_TASKS:
            break
        task = generate_task(key)
        plan(task, RATE, MAX_TURNS)
        tasks.append(task)
    print(f"{len(tasks)} tasks with optimal workflows: {time.process_time() - started:.1f} s of CPU")
    return tasks


def main() -> None:
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0  # noqa: PLR2004 - the second argument
    tasks = time_generation(seed)
    print_variety(tasks)
    first = [task for task in tasks if task.key.instance < instances]
    print_rejected(first)
    print_flaws(first)


if __name__ == "__main__":
    main()
