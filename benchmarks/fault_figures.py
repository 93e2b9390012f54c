"""Print figures of the tools' random faults: where each kind can fall, and how reference agents fare under each.

    python benchmarks/fault_figures.py [INSTANCES] [PLAYED] [RATE]

INSTANCES (default 4) is per task type and difficulty. The agents do the first PLAYED (default 1) of them at the tool
success rate RATE (default 0.6).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import product

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.fault_proofs import find_down_target, find_wrong_result, is_doubtful
from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.benchmark.rehearsal import step_result
from pytest_ultra.benchmark.routes import find_route
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.core.axes import Difficulty, FaultKind, PromptType, TaskType, join_fault_kinds
from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.core.episode import Outcome, Score
from pytest_ultra.core.plan_follower import advance, begin, next_call
from pytest_ultra.core.reference_agent import ReferenceAgent, knowledge_of

AGENTS = (ReferenceAgent.PERFECT, ReferenceAgent.STUBBORN, ReferenceAgent.NO_FALLBACK, ReferenceAgent.NO_CHECK)
SEEDS = 5
"""Wrong results that are tried for each call."""


def print_reach(instances: int) -> None:
    """Print the share of the tasks, and of their calls, on which a fault of each kind can fall."""
    print("Tasks on which a fault of each kind can fall (transient: all)")
    kinds = [kind for kind in FaultKind if kind is not FaultKind.TRANSIENT]
    mutators: Counter[str] = Counter()
    from_easy_on: Counter[FaultKind] = Counter()
    for task_type, difficulty in product(TaskType, Difficulty):
        found: Counter[FaultKind] = Counter()
        for instance in range(instances):
            faults = list(possible_faults(generate_task(TaskKey(task_type, difficulty, instance, 0))))
            found.update({kind for kind, _ in faults})
            mutators.update(mutator for _, mutator in faults)
        shares = "  ".join(f"{kind} {found[kind] / instances:6.1%}" for kind in kinds)
        print(f"  {task_type:22}{difficulty:10} {shares}  (of {instances})", flush=True)
        if difficulty is not Difficulty.VERY_EASY:
            from_easy_on.update(found)
    cells = len(TaskType) * (len(Difficulty) - 1) * instances
    print(f"From easy on: {', '.join(f'{kind} {from_easy_on[kind]} of {cells}' for kind in kinds)}")
    del mutators[""]
    print(f"Wrong results, by mutator: {', '.join(f'{name} {n}' for name, n in mutators.most_common())}")


def possible_faults(task: Task) -> Iterator[tuple[FaultKind, str]]:
    """Yield the kinds that can fall on the calls of a task's reference route, and the mutators of wrong results."""
    route = find_route(task)
    if route is None:
        raise RuntimeError(f"{task.key} has no route")
    progress, world = begin(route.workflow), task.world
    while (call := next_call(route.workflow, progress)) is not None:
        after, result = invoke(world, call.tool, call.arguments)
        if find_down_target(task, call) is not None:
            yield FaultKind.PERMANENT, ""
        if is_doubtful(task, call, world, after):
            yield FaultKind.LOST_REPLY, ""
        for seed in range(SEEDS) if result.handle else ():
            wrong = find_wrong_result(task, call, after, result.handle or "", seed)
            if wrong is not None:
                yield FaultKind.IMPLICIT, wrong[0]
        progress, world = advance(route.workflow, progress, step_result(result)), after


def print_marks(instances: int, rate: float) -> None:
    print(f"\nReference agents at rate {rate:g}: full of the cases that met a fault, faults dealt with of those met")
    for kinds in [*((kind,) for kind in FaultKind), tuple(FaultKind)]:
        for agent in AGENTS:
            scores = [score_agent(agent, key, rate, kinds) for key in make_keys(instances)]
            met = [s for s in scores if s.random_faults]
            full = sum(s.outcome is Outcome.FULL for s in met)
            recovered, faults = sum(s.recovered_faults for s in met), sum(s.random_faults for s in met)
            classes = Counter(s.failure_class for s in scores if s.failure_class is not None)
            lost = ", ".join(f"{name} {n}" for name, n in classes.most_common())
            marks = f"{full:4} of {len(met):4}  {recovered:5} of {faults:5}"
            print(f"  {join_fault_kinds(kinds):45}{agent:13}{marks}  {lost}")


def make_keys(instances: int) -> Iterator[TaskKey]:
    for instance, task_type, difficulty in product(range(instances), TaskType, Difficulty):
        yield TaskKey(task_type, difficulty, instance, 0)


def score_agent(agent: ReferenceAgent, key: TaskKey, rate: float, kinds: tuple[FaultKind, ...]) -> Score:
    case = Case(
        model=f"demo/{agent}",
        prompt_type=PromptType.OPTIMAL,
        task_type=key.task_type,
        difficulty=key.difficulty,
        tool_success_rate=rate,
        severity=None,
        instance=key.instance,
        repeat=0,
        seed=key.seed,
        fault_kind=join_fault_kinds(kinds),
    )
    guidance = make_guidance(case)
    conversation = Conversation.begin(case, guidance)
    while conversation.ended is None:
        request = conversation.request()
        conversation = conversation.take(act(agent, request.messages, knowledge_of(request)))
    return score(case, guidance, conversation.events)


def main() -> None:
    given = dict(enumerate(sys.argv))
    instances, played, rate = int(given.get(1, 4)), int(given.get(2, 1)), float(given.get(3, 0.6))
    print_reach(instances)
    print_marks(played, rate)


if __name__ == "__main__":
    main()
