"""Print what repair without the job gains: `python benchmarks/repair_figures.py [INSTANCES] [DIFFICULTY,...]`.

Three agents carry out the same flawed plans with perfect tools: one to the letter (`demo/follower`), one after the
repair of what the linter flags (`demo/linter`), and one that moreover puts every step into the usual order and uses
every result (`by custom`). None of them looks at the job or at the world. Full are the plans that reach the goal
without harm. `redundant_operations` reach it as they are, at a cost.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import product

from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.benchmark.usual_order import put_in_usual_order
from pytest_ultra.core.axes import Difficulty, FlawKind, Severity, TaskType, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.plan_repair import repair

Count = Counter[tuple[FlawKind, Visibility, str]]


def is_full(context: TaskContext, plan: Workflow) -> bool:
    rehearsal = context.rehearse(plan)
    return rehearsal.has_delivered and not rehearsal.has_harmed


def count_full(instances: int, difficulties: list[Difficulty]) -> Count:
    counts: Count = Counter()
    for instance, task_type, difficulty in product(range(instances), TaskType, difficulties):
        task = generate_task(TaskKey(task_type, difficulty, instance, 0))
        context, optimal = TaskContext(task), perfect_plan(task)
        for kind, severity, wanted in product(FlawKind, Severity, Visibility):
            flawed = inject(context, optimal, kind, severity, visibility=wanted)
            if flawed is None or flawed.visibility is not wanted:
                continue
            plan = flawed.workflow
            repaired = repair(plan, context.tools)
            plans = {"follower": plan, "linter": repaired, "by custom": put_in_usual_order(repaired, context.tools)}
            counts[kind, wanted, "of"] += 1
            for agent, each in plans.items():
                counts[kind, wanted, agent] += is_full(context, each)
    return counts


def main() -> None:
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    names = sys.argv[2].split(",") if len(sys.argv) > 2 else list(Difficulty)  # noqa: PLR2004 - the second argument
    counts = count_full(instances, [Difficulty(name) for name in names])
    print("Full, by kind and proved visibility: follower / linter / by custom (number of flaws)")
    for visibility, kind in product(Visibility, FlawKind):
        total = counts[kind, visibility, "of"]
        shares = [counts[kind, visibility, agent] / max(total, 1) for agent in ("follower", "linter", "by custom")]
        print(f"  {visibility:6}{kind:24}" + " / ".join(f"{share:6.1%}" for share in shares) + f"  ({total})")
    for visibility in Visibility:
        kinds = [kind for kind in FlawKind if kind is not FlawKind.REDUNDANT_OPERATIONS]
        total = sum(counts[kind, visibility, "of"] for kind in kinds)
        full = {a: sum(counts[kind, visibility, a] for kind in kinds) for a in ("follower", "linter", "by custom")}
        line = ", ".join(f"{agent} {count / max(total, 1):.1%}" for agent, count in full.items())
        print(f"{visibility}, without redundant operations: {line} (of {total})")


if __name__ == "__main__":
    main()
