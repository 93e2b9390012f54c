"""Difficulty is monotone: an agent of fixed skill succeeds less at each level.

The simulated agent always does the operations that the words name, and infers each other one with a fixed
probability. It may confuse a needed tool with another one; each offered tool adds to the probability, tools of the
same category most. It may forget each constraint. It leaves out the operations that it misses, and breaks the
constraints that it forgets. It does not know the level.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.generator.shapes import fill_draft
from pytest_ultra.benchmark.generator.task_text import CONSTRAINTS
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.core.axes import Difficulty, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.step_removal import remove

INFERS = 0.92
"""The probability of inferring an operation that the words do not name."""
CONFUSES_SIBLING, CONFUSES_OTHER = 0.01, 0.003
"""The probability, for each other offered tool of the same or another category, of confusing it with a needed one."""
FORGETS = 0.04
"""The probability, for each constraint, of breaking it."""
INSTANCES, EPISODES = 15, 8


def operation_sentences(task: Task) -> list[str]:
    """Return the sentences of all operations, also of those that the words leave out."""
    key = task.key
    draft = Draft(Random(f"{key.seed}/{key.task_type}/{key.difficulty}/{key.instance}/{task.draw}"))
    fill_draft(draft, key.task_type)
    return [sentence.text for sentence in draft.sentences]


def is_missed(task: Task, tool: str, rng: Random, *, is_named: bool) -> bool:
    siblings = sum(TOOLS[name].category == TOOLS[tool].category for name in task.tools) - 1
    others = len(task.tools) - 1 - siblings
    confusion = 1 - (1 - CONFUSES_SIBLING) ** siblings * (1 - CONFUSES_OTHER) ** others
    return rng.random() < confusion or (not is_named and rng.random() > INFERS)


def succeeds(task: Task, episode: int) -> bool:
    """Return whether the agent does the job without harm in this episode."""
    rng = Random(f"{task.key}/{episode}")
    plan = perfect_plan(task)
    named = [text in task.words for text in operation_sentences(task)] + [False] * len(plan.steps)
    steps = enumerate(plan.steps, start=1)
    missed = [n for n, step in steps if is_missed(task, step.call.tool, rng, is_named=named[n - 1])]
    if len(missed) == len(plan.steps):
        return False
    done = remove(plan, missed).workflow if missed else plan
    forgotten = sum(rng.random() < FORGETS for text in CONSTRAINTS if text in task.words)
    extra = [Step(Call("utility_notifier", HELPFUL | {"data": reference(1)}))] * forgotten
    rehearsal = rehearse(task, Workflow((*done.steps, *extra), done.answer))
    return rehearsal.has_delivered and not rehearsal.has_harmed


HELPFUL = {"recipient": "everyone@example.com", "subject": "For your information"}


def success_rate(difficulty: Difficulty) -> float:
    keys = [TaskKey(task_type, difficulty, instance, 7) for task_type in TaskType for instance in range(INSTANCES)]
    successes = [succeeds(generate_task(key), episode) for key in keys for episode in range(EPISODES)]
    return sum(successes) / len(successes)


def test_an_agent_of_fixed_skill_succeeds_less_at_each_level() -> None:
    rates = [success_rate(difficulty) for difficulty in Difficulty]
    assert all(easier - harder > 0.01 for easier, harder in pairwise(rates)), rates
    assert rates[0] - rates[-1] > 0.3, rates
