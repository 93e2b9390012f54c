"""Coverage and false alarms of `--ultra-until`, over simulated runs that stop by its rules.

    python benchmarks/sequential.py [SIMULATIONS]

SIMULATIONS (default 1000) is per design. A run has five task types. Intervals are those at the stop, of the paired
difference to the control. A false alarm is a gate that is missed although the model keeps exactly its limit.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from pytest_ultra.analysis.clusters import Cluster
from pytest_ultra.analysis.difference_test import DifferenceTest
from pytest_ultra.analysis.gate_evidence import judge_loss
from pytest_ultra.analysis.stopping import INTERIM_LEVEL
from pytest_ultra.core.gates import Finding
from pytest_ultra.core.rounds import round_ends

TASK_TYPES = 5
MOST = 50
SPREAD = 1.0
"""The standard deviation of the tasks' chances, in logits."""

Gains = NDArray[np.int_]
"""What each pair gains (1, 0 or -1): a row for each task, a column for each flaw."""


class Design(NamedTuple):
    """A model's chances of success at the median task, without a flaw and with one, and the number of flaws."""

    control: float
    flawed: float
    flaws: int


class Stop(NamedTuple):
    """The number of tasks at which a run stopped, and what was asked of it there."""

    tasks: int
    is_right: bool


def draw(design: Design, tasks: int, chance: np.random.Generator) -> Gains:
    """Draw what the pairs of a run gain."""
    spread = SPREAD * chance.normal(size=(tasks, 1))
    controls = chance.random((tasks, 1)) < expit(logit(design.control) + spread)
    flawed = chance.random((tasks, design.flaws)) < expit(logit(design.flawed) + spread)
    gains: Gains = flawed.astype(int) - controls
    return gains


def true_difference(design: Design) -> float:
    """Return the expected difference over the distribution of tasks."""
    z, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    with_flaw, without = (expit(logit(rate) + SPREAD * z) @ weights for rate in (design.flawed, design.control))
    return float(with_flaw - without)


def make_test(gains: Gains) -> tuple[list[Cluster], DifferenceTest]:
    clusters = [Cluster(len(row), int((row == 1).sum()), int((row == -1).sum())) for row in gains]
    return clusters, DifferenceTest(clusters, gains.shape[1])


def run_until_narrow(design: Design, points: float, chance: np.random.Generator) -> Stop:
    """Stop when half the interval's width is at most so many points; right is an interval that holds the truth."""
    truth = true_difference(design)
    gains = draw(design, TASK_TYPES * MOST, chance)
    low, high = -1.0, 1.0
    for end in round_ends(MOST):
        tasks = TASK_TYPES * end
        low, high = make_test(gains[:tasks])[1].interval or (-1.0, 1.0)
        if (high - low) / 2 <= points / 100:
            break
    return Stop(tasks, low <= truth <= high)


def run_until_decided(design: Design, limit: float, chance: np.random.Generator) -> Stop:
    """Stop when the gate is decided; right is a gate that is not missed."""
    gains = draw(design, TASK_TYPES * MOST, chance)
    ends = round_ends(MOST)
    for end in ends:
        tasks = TASK_TYPES * end
        level = {} if end == ends[-1] else {"alpha": INTERIM_LEVEL}
        finding = judge_loss(*make_test(gains[:tasks]), limit, **level).finding
        if finding is not Finding.UNDECIDED:
            break
    return Stop(tasks, finding is not Finding.MISSED)


def print_row(design: Design, simulations: int, run: Callable[[np.random.Generator], Stop], seed: int) -> None:
    stops = [run(np.random.default_rng([seed, number])) for number in range(simulations)]
    share = sum(stop.is_right for stop in stops) / simulations
    error = math.sqrt(max(share * (1 - share), 1e-9) / simulations)
    tasks = sorted(stop.tasks for stop in stops)
    print(
        f"{design.control:7.0%} -> {design.flawed:4.0%}, flaws {design.flaws}:  {share:6.1%} +- {error:.1%}"
        f"   tasks {tasks[simulations // 10]:4} / {tasks[simulations // 2]:4} / {tasks[-simulations // 10]:4}"
    )


def main() -> None:
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    designs = [Design(0.6, 0.6, 1), Design(0.9, 0.7, 1), Design(0.6, 0.3, 1), Design(0.95, 0.9, 1), Design(0.7, 0.5, 7)]
    for points in (10, 15):
        print(f"--ultra-until {points}: share of intervals at the stop that hold the truth (nominal 95 %)")
        for number, design in enumerate(designs):
            print_row(design, simulations, lambda chance, d=design, p=points: run_until_narrow(d, p, chance), number)
    print("--ultra-until decided, at the limit of the gate: share of runs without a false alarm (at least 95 %)")
    for number, design in enumerate(designs):
        limit = -true_difference(design)
        if limit > 0:
            print_row(
                design, simulations, lambda chance, d=design, m=limit: run_until_decided(d, m, chance), 100 + number
            )
    print("--ultra-until decided, no loss and a limit of 20 points: share of runs that are not missed; tasks it takes")
    print_row(
        Design(0.7, 0.7, 1),
        simulations,
        lambda chance: run_until_decided(Design(0.7, 0.7, 1), 0.2, chance),
        200,
    )


if __name__ == "__main__":
    main()
