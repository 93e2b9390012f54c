"""Print figures of the task generator: steps, rejected draws, CPU, variety of jobs and tool sequences, needed skills.

    python benchmarks/generation.py [INSTANCES] [SEED]

INSTANCES (default 20) is per task type and difficulty.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from itertools import product

import msgspec

from pytest_ultra.benchmark.decisions import Skill
from pytest_ultra.benchmark.generator.generate import draw_task, generate_task, make_draft
from pytest_ultra.benchmark.misreadings import naive_workflow
from pytest_ultra.benchmark.planner import plan
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.axes import Difficulty, TaskType
from pytest_ultra.core.case import TaskKey

PUBLISHED_TASKS = 5040
RATE, MAX_TURNS = 0.8, 30


class Cell(msgspec.Struct):
    """The figures of one task type and difficulty."""

    tasks: list[Task] = []
    seconds: float = 0.0

    @property
    def steps(self) -> list[int]:
        return [len({action.reaches for action in task.actions}) for task in self.tasks]

    @property
    def rejected(self) -> float:
        """The share of draws that made no task."""
        draws = sum(task.draw + 1 for task in self.tasks)
        return 1 - len(self.tasks) / draws

    @property
    def unsound(self) -> float:
        """The share of draws that made a task which failed a proof or could not carry a flaw."""
        draws = [(task.key, draw) for task in self.tasks for draw in range(task.draw)]
        made = sum(make_draft(*key) is not None for key in draws)
        return made / (len(draws) + len(self.tasks))

    @property
    def skeletons(self) -> int:
        """How many different orders of phrasings the jobs have, whatever the names in them."""
        drafts = [make_draft(task.key, task.draw) for task in self.tasks]
        return len({draft.text.skeleton for draft in drafts if draft is not None})

    @property
    def sequences(self) -> Counter[tuple[str, ...]]:
        return Counter(tuple(action.call.tool for action in task.actions) for task in self.tasks)


def generate_cell(task_type: TaskType, difficulty: Difficulty, instances: int, seed: int) -> Cell:
    started = time.process_time()
    tasks = [generate_task(TaskKey(task_type, difficulty, instance, seed)) for instance in range(instances)]
    for task in tasks:
        plan(task, RATE, MAX_TURNS)
    return Cell(tasks, time.process_time() - started)


def print_cell(task_type: TaskType, difficulty: Difficulty, cell: Cell) -> None:
    n = len(cell.tasks)
    sequences = cell.sequences
    most = sequences.most_common(1)[0][1] / n
    mean = sum(cell.steps) / n
    size = sum(len(msgspec.json.encode(task)) for task in cell.tasks) / n / 1024
    print(
        f"{task_type:21}{difficulty:10} steps {min(cell.steps):2}-{max(cell.steps):2} (mean {mean:4.1f})"
        f"  rejected {cell.rejected:4.0%} (unsound {cell.unsound:4.0%})  {cell.seconds / n * 1000:5.0f} ms"
        f"  {size:5.0f} KiB  skeletons {cell.skeletons:3}  sequences {len(sequences):3}, most frequent {most:4.0%}"
    )


def print_variety(tasks: list[Task]) -> None:
    sequences = Counter(tuple(action.call.tool for action in task.actions) for task in tasks)
    used = Counter(tool for sequence in sequences for tool in set(sequence))
    states = Counter(tuple(sorted((fact.kind, fact.key, fact.text) for fact in task.deliverables)) for task in tasks)
    print(f"{len(tasks)} tasks: {len(sequences)} distinct tool sequences, {len(used)} tools used")
    print(f"distinct goal states: {len(states)}; distinct jobs (words): {len({task.words for task in tasks})}")
    print(f"tools by sequences, rarest first: {', '.join(f'{tool} {n}' for tool, n in used.most_common()[:-6:-1])}")


def print_skills(cells: dict[tuple[TaskType, Difficulty], Cell]) -> None:
    """For each level and skill: how many tasks need it, and how many of them an agent without it loses."""
    for difficulty in Difficulty:
        tasks = [task for (_, level), cell in cells.items() if level is difficulty for task in cell.tasks]
        found = []
        for skill in Skill:
            needing = [task for task in tasks if any(d.skill is skill and d.naive for d in task.decisions)]
            found.append(f"{skill} {sum(_is_lost(task, skill) for task in needing)}/{len(needing)}")
        print(
            f"{difficulty:10} lost without the skill, of the tasks that need it: {', '.join(found)} (of {len(tasks)})"
        )


def _is_lost(task: Task, skill: Skill) -> bool:
    decisions = [decision for decision in task.decisions if decision.skill is skill]
    rehearsal = rehearse(task, naive_workflow(task, decisions))
    return rehearsal.has_harmed or not rehearsal.has_delivered


def main() -> None:
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0  # noqa: PLR2004 - the second argument
    cells = {}
    for task_type, difficulty in product(TaskType, Difficulty):
        cells[task_type, difficulty] = generate_cell(task_type, difficulty, instances, seed)
        print_cell(task_type, difficulty, cells[task_type, difficulty])
    seconds = sum(cell.seconds for cell in cells.values()) / instances / len(cells)
    print(f"{PUBLISHED_TASKS} tasks with optimal workflows would take {seconds * PUBLISHED_TASKS:.0f} s of CPU")
    print_variety([task for cell in cells.values() for task in cell.tasks])
    print_skills(cells)
    started = time.process_time()
    task = draw_task(TaskKey(TaskType.SIMPLE_TASK, Difficulty.EASY, 10_000, seed), 0)
    print(
        f"one draw of an easy task: {(time.process_time() - started) * 1000:.0f} ms ({'sound' if task else 'rejected'})"
    )


if __name__ == "__main__":
    main()
