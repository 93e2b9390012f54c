"""How often gates are missed, undecided and met, over simulated runs with a known effect.

Run it as `python benchmarks/gate_figures.py [simulations [gate ...]]`; it prints the tables of docs/gates.md.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from pytest_ultra.analysis.clusters import Cluster
from pytest_ultra.analysis.difference_test import DifferenceTest
from pytest_ultra.analysis.gate_evidence import judge_loss, judge_rate
from pytest_ultra.core.gates import Finding

TASKS = (5, 10, 20, 50, 100)
RATES = (0.5, 0.7, 0.9)
PROMPT_TYPES = 10
FLAWS = 7
_SPREAD_OF_TASKS = 1.0
_SPREAD_OF_CASES = 0.5
"""Standard deviations of the chances of tasks, and of the cases of a task, in logits."""

Outcomes = NDArray[np.bool_]
"""Whether cases are `full`: a row for each task, a column for each prompt type."""


class Rule(NamedTuple):
    """What the evidence says, and whether the measured figure alone is beyond the limit."""

    finding: Finding
    is_beyond: bool


class Shares(NamedTuple):
    """The shares of runs in which a gate is missed, undecided and met, and those that the measured figure misses."""

    missed: float
    undecided: float
    met: float
    by_rate: float

    def __str__(self) -> str:
        return " / ".join(f"{100 * share:.0f}" for share in (self.missed, self.undecided, self.met))


def draw_runs(tasks: int, rate: float, lost: Sequence[float], chance: np.random.Generator) -> Iterator[Outcomes]:
    """Draw runs of the same tasks: one at the rate, then one for each share of all cases that is lost."""
    of_cases = _SPREAD_OF_TASKS * chance.normal(size=(tasks, 1)) + _SPREAD_OF_CASES * chance.normal(
        size=(tasks, PROMPT_TYPES)
    )
    for mean in (rate, *(rate - share for share in lost)):
        yield chance.random((tasks, PROMPT_TYPES)) < expit(_median_logit(mean) + of_cases)


def judge_regression(tasks: int, rate: float, lost: float, limit: float, chance: np.random.Generator) -> Rule:
    before, now = draw_runs(tasks, rate, [lost], chance)
    gains = now.astype(int) - before
    return Rule(_judge_loss(gains, limit), bool(-gains.mean() > limit + 1e-9))


def judge_drop(tasks: int, rate: float, lost: Sequence[float], limit: float, chance: np.random.Generator) -> Rule:
    """Judge seven flaws, which lose these shares and have the same controls."""
    controls, *flawed = (run[:, 0] for run in draw_runs(tasks, rate, lost, chance))
    losses = [outcomes.astype(int) - controls for outcomes in flawed]
    is_beyond = any(-gains.mean() > limit + 1e-9 for gains in losses)
    found = {_judge_loss(gains[:, None], limit, 2 * len(losses)) for gains in losses}
    if _judge_loss(np.stack(losses, axis=1), limit, 2, pairs_per_episode=len(losses)) is Finding.MISSED:
        found.add(Finding.MISSED)
    return Rule(next(f for f in (Finding.MISSED, Finding.UNDECIDED, Finding.MET) if f in found), is_beyond)


def _judge_loss(gains: NDArray[np.int_], limit: float, family: int = 1, pairs_per_episode: float = 1) -> Finding:
    clusters = _cluster(gains)
    return judge_loss(clusters, DifferenceTest(clusters, pairs_per_episode), limit, family).finding


def judge_success(tasks: int, rate: float, limit: float, chance: np.random.Generator) -> Rule:
    (run,) = draw_runs(tasks, rate, [], chance)
    return Rule(judge_rate(_cluster(run.astype(int)), limit).finding, bool(run.mean() < limit - 1e-9))


def measure(judge: Callable[[np.random.Generator], Rule], simulations: int) -> Shares:
    chance = np.random.default_rng(7)
    rules = [judge(chance) for _ in range(simulations)]
    found = Counter(rule.finding for rule in rules)
    shares = (found[finding] / simulations for finding in (Finding.MISSED, Finding.UNDECIDED, Finding.MET))
    return Shares(*shares, sum(rule.is_beyond for rule in rules) / simulations)


def _cluster(gains: NDArray[np.int_]) -> tuple[Cluster, ...]:
    return tuple(sorted(Cluster(len(row), int((row > 0).sum()), int((row < 0).sum())) for row in np.atleast_2d(gains)))


def _median_logit(mean: float) -> float:
    """Return the logit of the median case if the mean chance of all cases is `mean`."""
    points, weights = np.polynomial.hermite_e.hermegauss(40)
    spread = math.hypot(_SPREAD_OF_TASKS, _SPREAD_OF_CASES)

    def excess(median: float) -> float:
        return float(weights @ expit(median + spread * points) / math.sqrt(2 * math.pi)) - mean

    return float(brentq(excess, -20, 20)) if 0 < mean < 1 else float(logit(mean))


def print_table(
    title: str, first: str, rows: Sequence[tuple[str, Callable[[int], Callable[[np.random.Generator], Rule]]]], n: int
) -> None:
    print(f"\n{title}\n\n| {first} | {' | '.join(f'{tasks} tasks' for tasks in TASKS)} |\n|---{'|---' * len(TASKS)}|")
    for name, judge in rows:
        cells = [measure(judge(tasks), n) for tasks in TASKS]
        print(f"| {name} | {' | '.join(f'{cell} ({100 * cell.by_rate:.0f})' for cell in cells)} |", flush=True)


def print_regressions(n: int) -> None:
    rows = [
        (f"{100 * rate:g} %, {100 * lost:g} lost", lambda t, r=rate, x=lost: lambda c: judge_regression(t, r, x, 0, c))
        for rate in RATES
        for lost in (0, 0.1, 0.2, 0.4)
    ]
    print_table("--ultra-compare", "success before, points lost", rows, n)


def print_limited_regressions(n: int) -> None:
    rows = [
        (f"{100 * lost:g}", lambda t, x=lost: lambda c: judge_regression(t, 0.7, x, 0.1, c))
        for lost in (0, 0.05, 0.1, 0.2, 0.4)
    ]
    print_table("--ultra-compare, --ultra-max-regression 0.1, success before 70 %", "points lost", rows, n)


def print_drops(n: int) -> None:
    lost = {
        "none": [0.0] * FLAWS,
        "each 20": [0.2] * FLAWS,
        "one 40": [0.4] + [0.0] * (FLAWS - 1),
        "each 40": [0.4] * FLAWS,
    }
    rows = [
        (f"{100 * rate:g} %, {name}", lambda t, r=rate, x=shares: lambda c: judge_drop(t, r, x, 0.2, c))
        for rate in (0.7, 0.9)
        for name, shares in lost.items()
    ]
    print_table("--ultra-max-drop 0.2, seven flaws", "success of controls, points lost", rows, n)


def print_rates(n: int) -> None:
    rows = [
        (f"{100 * rate:g} %", lambda t, r=rate: lambda c: judge_success(t, r, 0.7, c))
        for rate in (0.5, 0.6, 0.7, 0.8, 0.9)
    ]
    print_table("--ultra-fail-under 0.7", "true success", rows, n)


TABLES = {
    "compare": print_regressions,
    "max-regression": print_limited_regressions,
    "max-drop": print_drops,
    "fail-under": print_rates,
}


if __name__ == "__main__":
    for name in sys.argv[2:] or TABLES:
        TABLES[name](int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
