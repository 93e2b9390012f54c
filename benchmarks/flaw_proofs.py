"""Inject flaws of every kind and severity into many tasks, and prove each again from outside the injector.

    python benchmarks/flaw_proofs.py [INSTANCES] [SEED]

INSTANCES (default 50) is per task type and difficulty. The wanted visibility is `job` and `world` in turn. A flaw
counts as proved if the linter agrees with its visibility and following the plan with perfect tools misses the goal (or,
for `redundant_operations`, takes more calls).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import product

import msgspec

from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.planner import plan
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.core.axes import Difficulty, FlawKind, Severity, TaskType, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.linter import lint
from pytest_ultra.flaws.proof import has_cost

RATE, MAX_TURNS = 0.8, 30


class Found(msgspec.Struct, frozen=True):
    """What became of one wanted flaw."""

    difficulty: Difficulty
    kind: FlawKind
    wanted: Visibility
    proved: Visibility | None
    """The visibility that was proved; None if the flaw could not be carried, or if a proof failed."""


def find_flaws(key: TaskKey) -> Iterator[Found]:
    task = generate_task(key)
    optimal, context = plan(task, RATE, MAX_TURNS), TaskContext(task)
    for kind, severity in product(FlawKind, Severity):
        wanted = (Visibility.JOB, Visibility.WORLD)[key.instance % 2]
        flawed = inject(context, optimal, kind, severity, visibility=wanted)
        proved = None
        if flawed is not None:
            is_flagged = bool(lint(flawed.workflow, context.tools))
            is_visible = is_flagged is (flawed.visibility is Visibility.PLAN)
            if is_visible and has_cost(context, optimal, kind, flawed.workflow):
                proved = flawed.visibility
        if proved is None:
            print(f"NOT PROVED: {severity} {kind} in {key}")
        yield Found(key.difficulty, kind, wanted, proved)


def print_kinds(found: list[Found]) -> None:
    print(f"Flaws proved, by kind: all, of {len(found) // len(FlawKind)}; then {' / '.join(Visibility)}")
    for kind in FlawKind:
        counts = Counter(flaw.proved for flaw in found if flaw.kind is kind)
        proved = sum(counts[visibility] for visibility in Visibility)
        print(f"  {kind:24}{proved:6}  {' / '.join(str(counts[visibility]) for visibility in Visibility)}")


def print_wanted(found: list[Found]) -> None:
    """Print how often a flaw has the visibility that was wanted: a task that is too small gets a more visible one."""
    print("Share with the wanted visibility, job and world, by kind and difficulty")
    print(f"  {'':24}{''.join(f'{difficulty:>16}' for difficulty in Difficulty)}")
    for kind in FlawKind:
        cells = []
        for difficulty in Difficulty:
            here = [flaw for flaw in found if flaw.kind is kind and flaw.difficulty is difficulty]
            shares = [_share(here, wanted) for wanted in (Visibility.JOB, Visibility.WORLD)]
            cells.append(f"{' / '.join(shares):>16}")
        print(f"  {kind:24}{''.join(cells)}")


def _share(found: list[Found], wanted: Visibility) -> str:
    asked = [flaw for flaw in found if flaw.wanted is wanted]
    return f"{sum(flaw.proved is wanted for flaw in asked) / len(asked):.0%}" if asked else "-"


def main() -> None:
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0  # noqa: PLR2004 - the second argument
    keys = (TaskKey(kind, level, i, seed) for kind, level, i in product(TaskType, Difficulty, range(instances)))
    found = [flaw for key in keys for flaw in find_flaws(key)]
    print_kinds(found)
    print_wanted(found)


if __name__ == "__main__":
    main()
