"""Print the marks of the reference agents: what a missing skill costs, what caution costs, what a linter is worth.

    python benchmarks/reference_marks.py [INSTANCES] [SEED]

INSTANCES (default 10) is per task type and difficulty. The tool success rate is 1.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import product

import msgspec

from pytest_ultra.benchmark.agent_workflows import LACKING
from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.planner import plan
from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import BenchmarkGuidance, Task
from pytest_ultra.core.axes import Difficulty, FlawKind, PromptType, Severity, TaskType, Visibility
from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.core.episode import Outcome, Score
from pytest_ultra.core.reference_agent import ReferenceAgent, knowledge_of
from pytest_ultra.core.workflow import Workflow

RATE, MAX_TURNS = 1.0, 30
OBEDIENT = (ReferenceAgent.FOLLOWER, ReferenceAgent.LINTER)
PLAN_AGENTS = (ReferenceAgent.CAUTIOUS, *OBEDIENT)


class Planned(msgspec.Struct, frozen=True):
    """A task with its optimal workflow."""

    task: Task
    optimal: Workflow


def make_tasks(difficulty: Difficulty, instances: int, seed: int) -> list[Planned]:
    keys = [
        TaskKey(task_type, difficulty, instance, seed) for task_type, instance in product(TaskType, range(instances))
    ]
    return [Planned(task, plan(task, RATE, MAX_TURNS)) for task in map(generate_task, keys)]


def make_case(
    key: TaskKey,
    prompt_type: PromptType,
    severity: Severity | None = None,
    visibility: Visibility = Visibility.JOB,
) -> Case:
    return Case(
        model="demo/agent",
        prompt_type=prompt_type,
        task_type=key.task_type,
        difficulty=key.difficulty,
        tool_success_rate=RATE,
        severity=severity,
        instance=key.instance,
        repeat=0,
        seed=key.seed,
        flaw_visibility=visibility,
    )


def score_agent(agent: ReferenceAgent, case: Case, guidance: BenchmarkGuidance) -> Score:
    conversation = Conversation.begin(case, guidance)
    while conversation.ended is None:
        request = conversation.request()
        conversation = conversation.take(act(agent, request.messages, knowledge_of(request)))
    return score(case, guidance, conversation.events)


def is_full(scored: Score) -> bool:
    return scored.outcome is Outcome.FULL


def print_skills(planned: list[Planned], difficulty: Difficulty) -> None:
    """Print the tasks that an agent loses of those that need what it lacks, and of the others."""
    lost: Counter[tuple[ReferenceAgent, bool]] = Counter()
    tasks: Counter[tuple[ReferenceAgent, bool]] = Counter()
    for each in planned:
        case = make_case(each.task.key, PromptType.BASELINE)
        guidance = make_guidance(case, task=each.task, optimal=each.optimal)
        for agent, skills in LACKING.items():
            is_needed = any(decision.skill in skills for decision in each.task.decisions)
            tasks[agent, is_needed] += 1
            lost[agent, is_needed] += not is_full(score_agent(agent, case, guidance))
    for agent in LACKING:
        marks = [f"{lost[agent, needs]:4} of {tasks[agent, needs]:4}" for needs in (True, False)]
        print(f"  {difficulty:10}{agent:15}{'   '.join(marks)}")


def print_calls(planned: list[Planned], difficulty: Difficulty) -> None:
    """Print the calls of a reader that looks everything up, without and with a plan, and those of one that trusts."""
    calls: Counter[tuple[ReferenceAgent, PromptType]] = Counter()
    pairs = [
        (ReferenceAgent.CAUTIOUS, PromptType.BASELINE),
        (ReferenceAgent.CAUTIOUS, PromptType.OPTIMAL),
        (ReferenceAgent.FOLLOWER, PromptType.OPTIMAL),
    ]
    for each, (agent, prompt_type) in product(planned, pairs):
        case = make_case(each.task.key, prompt_type)
        guidance = make_guidance(case, task=each.task, optimal=each.optimal)
        calls[agent, prompt_type] += score_agent(agent, case, guidance).tool_calls
    means = [calls[pair] / len(planned) for pair in pairs]
    shares = "  ".join(f"{mean:6.2f} ({mean / means[0]:.0%})" for mean in means)
    print(f"  {difficulty:10}{shares}")


def flawed_cases(planned: list[Planned]) -> Iterator[tuple[Case, BenchmarkGuidance]]:
    """Yield a case of each kind and wanted visibility for each task; the severity changes with the instance."""
    for each, kind, visibility in product(planned, FlawKind, (Visibility.JOB, Visibility.WORLD)):
        severity = tuple(Severity)[each.task.key.instance % len(Severity)]
        case = make_case(each.task.key, PromptType(f"flawed_{kind}"), severity, visibility)
        yield case, make_guidance(case, task=each.task, optimal=each.optimal)


def print_flaws(planned: list[Planned]) -> None:
    """Print the marks under each kind and proved visibility."""
    full: Counter[tuple[FlawKind, Visibility, ReferenceAgent]] = Counter()
    cases: Counter[tuple[FlawKind, Visibility]] = Counter()
    for case, guidance in flawed_cases(planned):
        flawed = guidance.flawed
        if flawed is None or flawed.visibility is None:
            raise RuntimeError(f"{case.case_id} has no proved flaw")
        cases[flawed.kind, flawed.visibility] += 1
        for agent in PLAN_AGENTS:
            full[flawed.kind, flawed.visibility, agent] += is_full(score_agent(agent, case, guidance))
    for kind, visibility in product(FlawKind, Visibility):
        if cases[kind, visibility]:
            marks = "  ".join(f"{agent} {full[kind, visibility, agent]:5}" for agent in PLAN_AGENTS)
            print(f"  {kind:25}{visibility:7}{marks}  of {cases[kind, visibility]:5}")
    hidden = [pair for pair in cases if pair[1] is not Visibility.PLAN]
    costly = [pair for pair in hidden if pair[0] is not FlawKind.REDUNDANT_OPERATIONS]
    for name, pairs in (("All that the plan alone does not show", hidden), ("Without redundant_operations", costly)):
        count = sum(cases[pair] for pair in pairs)
        rates = [sum(full[*pair, agent] for pair in pairs) / count for agent in PLAN_AGENTS]
        shares = ", ".join(f"{agent} {rate:.1%}" for agent, rate in zip(PLAN_AGENTS, rates, strict=True))
        print(f"  {name}: {shares} of {count}; linter - follower {100 * (rates[2] - rates[1]):+.1f} points")


def main() -> None:
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0  # noqa: PLR2004 - the second argument
    planned = {difficulty: make_tasks(difficulty, instances, seed) for difficulty in Difficulty}
    print("Tasks lost without a skill (baseline): of those that need it, of the others")
    for difficulty, tasks in planned.items():
        print_skills(tasks, difficulty)
    print("\nCalls a task: cautious with baseline, cautious with optimal, follower with optimal")
    for difficulty, tasks in planned.items():
        print_calls(tasks, difficulty)
    print("\nFlawed plans: full, by kind and proved visibility")
    print_flaws([each for tasks in planned.values() for each in tasks])


if __name__ == "__main__":
    main()
