"""Difficulty is monotone for an agent: one whose skill is fixed succeeds less at each level.

The agent reads the words and does the job by its tools. It does for certain what the words name, and what
goes without saying with a fixed chance; it may take a wrong tool for the right one, the likelier the more are
on offer, siblings above all; and it may forget each thing that it was told not to do. What it misses, it leaves
out; what it forgets, it does. Nothing in it knows the level.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.generator.shapes import lay_out
from pytest_ultra.benchmark.generator.words import CONSTRAINTS
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.core.axes import Difficulty, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.missing_step import remove

INFERS = 0.92
"""The agent's chance to think of an operation that the words do not name."""
CONFUSES_SIBLING, CONFUSES_OTHER = 0.01, 0.003
"""Its chance, for each tool on offer of the same category and of others, to take that for the one it needs."""
FORGETS = 0.04
"""Its chance, for each constraint, to do what that forbids."""
INSTANCES, LIVES = 30, 8


def operations(task: Task) -> list[str]:
    """What is to be done, sentence by sentence, whatever of it the words say."""
    key = task.key
    draft = Draft(Random(f"{key.seed}/{key.task_type}/{key.difficulty}/{key.instance}/{task.draw}"))
    lay_out(draft, key.task_type)
    return [sentence.text for sentence in draft.sentences]


def is_missed(task: Task, tool: str, chance: Random, *, is_named: bool) -> bool:
    siblings = sum(TOOLS[name].category == TOOLS[tool].category for name in task.tools) - 1
    others = len(task.tools) - 1 - siblings
    confusion = 1 - (1 - CONFUSES_SIBLING) ** siblings * (1 - CONFUSES_OTHER) ** others
    return chance.random() < confusion or (not is_named and chance.random() > INFERS)


def live(task: Task, life: int) -> bool:
    """Tell whether the agent does the job and no harm."""
    chance = Random(f"{task.key}/{life}")
    plan = perfect_plan(task)
    named = [text in task.words for text in operations(task)] + [False] * len(plan.steps)
    steps = enumerate(plan.steps, start=1)
    missed = [n for n, step in steps if is_missed(task, step.call.tool, chance, is_named=named[n - 1])]
    if len(missed) == len(plan.steps):
        return False
    done = remove(plan, missed).workflow if missed else plan
    forgotten = sum(chance.random() < FORGETS for text in CONSTRAINTS if text in task.words)
    extra = [Step(Call("utility_notifier", HELPFUL | {"data": reference(1)}))] * forgotten
    rehearsal = rehearse(task, Workflow((*done.steps, *extra), done.answer))
    return rehearsal.has_delivered and not rehearsal.has_harmed


HELPFUL = {"recipient": "everyone@example.com", "subject": "For your information"}


def success_rate(difficulty: Difficulty) -> float:
    keys = [TaskKey(task_type, difficulty, instance, 7) for task_type in TaskType for instance in range(INSTANCES)]
    lives = [live(generate_task(key), life) for key in keys for life in range(LIVES)]
    return sum(lives) / len(lives)


def test_an_agent_of_fixed_skill_succeeds_less_at_each_level() -> None:
    rates = [success_rate(difficulty) for difficulty in Difficulty]
    assert all(easier - harder > 0.01 for easier, harder in pairwise(rates)), rates
    assert rates[0] - rates[-1] > 0.3, rates
