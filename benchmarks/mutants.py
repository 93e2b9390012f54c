"""Change the scorer in small ways, one at a time, and say which changes no test notices.

    python benchmarks/mutants.py [MODULE ...] [--most N] [--seed S] [--jobs N] [--list]

MODULE is one of the modules in TESTS, such as scoring/score (default: all). Each mutant runs in a copy of the project,
under the narrow tests of its module, up to a time limit. A mutant that no test notices survives; one that hangs or
cannot be imported counts as noticed. Tests that only compare digests or golden files are not run: they notice every
change, also a right one. With survivors, the exit code is 1.

Why not a library: cosmic-ray has no operator that removes a statement or swaps branches, and one list of tests for all
modules; mutmut runs the whole suite first, in a process in which this package is already loaded as pytest's plugin.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Queue
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = "pytest_ultra"

_GOAL = ("tests/benchmark/test_goal.py", "tests/benchmark/test_measures.py", "tests/benchmark/test_scoring.py")
_VALUES = ("tests/benchmark/test_answers.py", "tests/benchmark/test_value_comparison.py")
_SCORING = ("tests/benchmark/test_measures.py", "tests/benchmark/test_scoring.py")
_PLANS = ("tests/benchmark/test_step_milestones.py", "tests/benchmark/test_agent_workflows.py")
_FLAWS = ("tests/flaws/test_injection.py",)
_FIGURES = ("tests/analysis/test_conduct.py", "tests/analysis/test_discernment.py")
TESTS: dict[str, tuple[str, ...]] = {
    "benchmark/answers": _VALUES,
    "benchmark/canonical": (*_VALUES, "tests/benchmark/test_canonical.py"),
    "benchmark/facts": (*_GOAL, *_VALUES),
    "benchmark/goal": (*_GOAL, "tests/benchmark/test_recovery.py"),
    "benchmark/goal_check": _GOAL,
    "benchmark/harm": _GOAL,
    "benchmark/number_match": _VALUES,
    "benchmark/planner": ("tests/benchmark/test_planner.py",),
    "benchmark/spelled_numbers": _VALUES,
    "benchmark/step_milestones": _PLANS,
    "benchmark/value_comparison": _VALUES,
    "benchmark/value_difference": ("tests/benchmark/test_value_difference.py", *_GOAL),
    "benchmark/scoring/adherence": ("tests/benchmark/test_adherence.py",),
    "benchmark/scoring/delivered": _SCORING,
    "benchmark/scoring/evidence": _SCORING,
    "benchmark/scoring/failure_classes": _SCORING,
    "benchmark/scoring/look_ups": _SCORING,
    "benchmark/scoring/recovery": ("tests/benchmark/test_recovery.py", *_SCORING),
    "benchmark/scoring/route": _SCORING,
    "benchmark/scoring/score": (*_SCORING, "tests/benchmark/test_recovery.py"),
    "benchmark/scoring/sound_steps": _SCORING,
    "benchmark/scoring/step_calls": _SCORING,
    "flaws/injection": _FLAWS,
    "flaws/linter": ("tests/flaws/test_linter.py",),
    "flaws/proof": ("tests/flaws/test_proof.py",),
    "analysis/clusters": ("tests/analysis/test_clusters.py",),
    "analysis/conduct": _FIGURES,
    "analysis/detection_plan": ("tests/analysis/test_detection_plan.py",),
    "analysis/difference_test": ("tests/analysis/test_difference_test.py",),
    "analysis/discernment": _FIGURES,
    "analysis/gate_evidence": ("tests/analysis/test_gate_verdicts.py",),
    "analysis/gate_verdicts": ("tests/analysis/test_gate_verdicts.py",),
    "analysis/intervals": ("tests/analysis/test_intervals.py",),
    "analysis/mcnemar": ("tests/analysis/test_mcnemar.py",),
    "analysis/paired_difference": ("tests/analysis/test_paired_difference.py",),
    "analysis/pairs": ("tests/analysis/test_paired_difference.py", "tests/analysis/test_robustness.py"),
    "analysis/repeats": ("tests/analysis/test_repeats.py",),
    "analysis/robustness": ("tests/analysis/test_robustness.py",),
    "analysis/score_interval": ("tests/analysis/test_score_interval.py",),
    "analysis/sign_flips": ("tests/analysis/test_sign_flips.py",),
}
"""The modules that may be mutated, and the tests that have to notice."""


SLOW = (
    "not (linear_time or raises or follower_obeys or perfect_agent_obeys or does_nothing or sound_plans_have_no_finding"
    " or simulated_success_rate or in_real_episodes or no_step_precedes or covers_the_truth or do_not_cover_it)"
)
"""The tests that are left out: they notice few mutants and take most of the time."""


class Mutant(NamedTuple):
    """A changed module: what was changed, where, and its whole text."""

    kind: str
    line: int
    before: str
    after: str
    text: str


_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min"}
Node = ast.expr | ast.stmt
Change = tuple[str, Callable[[], None]]
"""The kind of a change, and a function that makes it, in place."""


def find_mutants(text: str) -> list[Mutant]:
    """Return all mutants of a module, in the order of its code."""
    found: list[Mutant] = []
    for index in range(len(_nodes(ast.parse(text)))):
        for number in range(len(_changes(_nodes(ast.parse(text))[index]))):
            tree = ast.parse(text)
            node = _nodes(tree)[index]
            before = ast.unparse(node)
            kind, change = _changes(node)[number]
            change()
            found.append(Mutant(kind, node.lineno, before, ast.unparse(node), ast.unparse(tree)))
    return found


def _nodes(tree: ast.AST) -> list[Node]:
    """Return the nodes that can be changed: no annotation, no docstring, and no `strict` of a zip, a mere guard."""
    found: list[Node] = []
    if isinstance(tree, ast.keyword) and tree.arg == "strict":
        return found
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "bases") or (name, type(tree)) == (
            "keywords",
            ast.ClassDef,
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.expr | ast.stmt) and not _is_text(child):
                found.append(child)
            if isinstance(child, ast.AST) and not _is_text(child):
                found += _nodes(child)
    return found


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: Node) -> list[Change]:
    """Return the changes of a node."""
    return [change for find in (_operators, _constants, _branches, _statements) for change in find(node)]


def _operators(node: Node) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            if type(op) in _COMPARISONS:
                yield "comparison", partial(node.ops.__setitem__, at, _COMPARISONS[type(op)]())
    elif isinstance(node, ast.BoolOp):
        yield "boolean", partial(setattr, node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "boolean", partial(setattr, node, "operand", ast.UnaryOp(ast.Not(), node.operand))
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS:
        yield "arithmetic", partial(setattr, node, "op", _OPERATORS[type(node.op)]())
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        yield "boolean", partial(setattr, node.func, "id", _FUNCTIONS[node.func.id])


def _constants(node: Node) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "constant", partial(setattr, node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "constant", partial(setattr, node, "value", node.value + 1)


def _branches(node: Node) -> Iterator[Change]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield "branch", partial(setattr, node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        for part in node.generators:
            if part.ifs:
                yield "branch", part.ifs.clear


def _statements(node: Node) -> Iterator[Change]:
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Yield | ast.YieldFrom)
    is_return = isinstance(node, ast.Return) and node.value is not None and not _is_falsy(node.value)
    if is_call or is_return:
        yield "statement", partial(setattr, node, "value", ast.Constant(None))


def _is_falsy(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


class Result(NamedTuple):
    module: str
    mutant: Mutant
    verdict: str  # killed, timeout or survived


class Workshop:
    """A copy of the project in which one mutant at a time is tested."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        ignore = shutil.ignore_patterns("__pycache__", ".*")
        for name in (PACKAGE, "tests"):
            shutil.copytree(root / name, folder / name, ignore=ignore)
        for name in ("pyproject.toml", "conftest.py"):
            if (root / name).exists():
                shutil.copy(root / name, folder / name)

    def test(self, tests: Sequence[str], limit_s: float) -> str:
        """Run tests; return killed, timeout or survived."""
        ours = {
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CI": "true",  # Hypothesis draws the same examples each time, without a deadline
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # none is needed, and loading them takes half of a start
        }
        environ = {**os.environ, **ours}
        options = ("-x", "-q", "-p", "no:cacheprovider", "-k", SLOW)
        command = [sys.executable, "-m", "pytest", *options, *tests]
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environ, capture_output=True, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        return "killed" if done.returncode else "survived"

    def test_mutant(self, path: str, mutant: Mutant, tests: Sequence[str], limit_s: float) -> str:
        file = self.folder / path
        original = file.read_text(encoding="utf-8")
        file.write_text(mutant.text, encoding="utf-8")
        try:
            return self.test(tests, limit_s)
        finally:
            file.write_text(original, encoding="utf-8")


def run(
    root: Path, tests: dict[str, tuple[str, ...]], *, most: int | None = None, seed: int = 0, jobs: int = 2
) -> list[Result]:
    """Test the mutants of some modules, at most so many of each; raise RuntimeError if tests fail without a mutant."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        free: Queue[Workshop] = Queue()
        for number in range(jobs):
            free.put(Workshop(root, Path(folder) / str(number)))
        found: list[Result] = []
        for module, names in tests.items():
            path = f"{PACKAGE}/{module}.py"
            mutants = find_mutants((root / path).read_text(encoding="utf-8"))
            if most is not None and len(mutants) > most:
                mutants = sorted(random.Random(seed).sample(mutants, most), key=lambda mutant: mutant.line)
            limit_s = _measure(free, names)

            def test(mutant: Mutant, path: str = path, names: tuple[str, ...] = names, s: float = limit_s) -> str:
                workshop = free.get()
                try:
                    return workshop.test_mutant(path, mutant, names, s)
                finally:
                    free.put(workshop)

            results = [Result(module, m, v) for m, v in zip(mutants, pool.map(test, mutants), strict=True)]
            print(_summary(module, results), *survivors(results), sep="\n", flush=True)
            found += results
        return found


def _measure(free: Queue[Workshop], tests: Sequence[str]) -> float:
    """Run tests without a mutant; return the time limit for those with one, in seconds."""
    workshop = free.get()
    started = time.monotonic()
    verdict = workshop.test(tests, 600)
    free.put(workshop)
    if verdict != "survived":
        raise RuntimeError(f"without a mutant, {' '.join(tests)} is {verdict}")
    return 20 + 5 * (time.monotonic() - started)


def _summary(name: str, results: Sequence[Result]) -> str:
    verdicts = Counter(result.verdict for result in results)
    noticed = len(results) - verdicts["survived"]
    share = f"{100 * noticed / len(results):.1f} %" if results else "-"
    return f"{name}: {len(results)} mutants, {noticed} noticed ({share}), {verdicts['timeout']} by the time limit"


def survivors(results: Sequence[Result]) -> Iterator[str]:
    """Yield a text for each surviving mutant."""
    for module, mutant, verdict in results:
        if verdict == "survived":
            yield f"{module}.py:{mutant.line}: {mutant.kind}: {_short(mutant.before)}  ->  {_short(mutant.after)}"


def _short(text: str, most: int = 100) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}..."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="(default: all)")
    parser.add_argument("--most", type=int, metavar="N", help="mutants of a module (default: all)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="for the choice of mutants (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="(default: 2)")
    parser.add_argument("--list", action="store_true", help="list the modules with their numbers of mutants")
    arguments = parser.parse_args()
    chosen = {
        name: tests for name, tests in TESTS.items() if not arguments.modules or _is_chosen(name, arguments.modules)
    }
    if not chosen:
        parser.error(f"no such module; one of: {', '.join(TESTS)}")
    if arguments.list:
        for name in chosen:
            print(name, len(find_mutants((ROOT / PACKAGE / f"{name}.py").read_text(encoding="utf-8"))))
        return 0
    results = run(ROOT, chosen, most=arguments.most, seed=arguments.seed, jobs=arguments.jobs)
    print(_summary("all", results))
    return 1 if any(result.verdict == "survived" for result in results) else 0


def _is_chosen(name: str, modules: Sequence[str]) -> bool:
    """Return whether a module is named by its path or the end of it, or is in a folder that is named."""
    named = (name == module or name.endswith(f"/{module}") or name.startswith(f"{module}/") for module in modules)
    return not modules or any(named)


if __name__ == "__main__":
    sys.exit(main())
