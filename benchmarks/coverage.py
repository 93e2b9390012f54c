"""Coverage of the intervals: simulated runs for paired differences, exact sums for success rates.

Run it as `python benchmarks/coverage.py [simulations]`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from statistics import fmean
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, stdtrit
from scipy.stats import binom

from pytest_ultra.analysis.clusters import Cluster, group_by_task
from pytest_ultra.analysis.difference_test import DifferenceTest
from pytest_ultra.analysis.intervals import measure_rate

Interval = tuple[float, float]


class Setting(NamedTuple):
    """A design, and a model's chances of success at the median task, without (`control`) and with a flaw (`flawed`).

    `spread` is the standard deviation of the tasks' chances, in logits. A task's chance with a flaw varies by half
    of it around its chance without. `lost` is the share of the pairs that are lost to errors.
    """

    tasks: int
    flaws: int
    repeats: int
    control: float
    flawed: float
    spread: float
    lost: float = 0.1


class Gain(NamedTuple):
    """The gain of a pair (1, 0 or -1), with the task and repeat that identify its control."""

    task: int
    repeat: int
    gain: int


class Coverage(NamedTuple):
    """The share of intervals that contain the truth, and their mean width, in [0, 2]."""

    share: float
    width: float


def true_difference(setting: Setting) -> float:
    """Return the expected difference over the distribution of tasks."""
    return _mean_chance(setting.flawed, math.hypot(1, 0.5) * setting.spread) - _mean_chance(
        setting.control, setting.spread
    )


def draw_gains(setting: Setting, simulations: int, seed: int) -> Iterator[list[Gain]]:
    """Draw runs in which the flaws of a task and repeat share their control."""
    chance = np.random.default_rng(seed)
    shape = (setting.tasks, setting.flaws, setting.repeats)
    for _ in range(simulations):
        task = setting.spread * chance.normal(size=(setting.tasks, 1, 1))
        own = setting.spread / 2 * chance.normal(size=(setting.tasks, setting.flaws, 1))
        controls = chance.random((setting.tasks, 1, setting.repeats)) < expit(logit(setting.control) + task)
        flawed = chance.random(shape) < expit(logit(setting.flawed) + task + own)
        gains = flawed.astype(int) - controls
        is_lost = chance.random(shape) < setting.lost
        yield [Gain(int(t), int(r), int(gains[t, f, r])) for t, f, r in zip(*np.nonzero(~is_lost), strict=True)]


def of_tasks(gains: list[Gain]) -> Interval | None:
    """Return the interval that pytest-ultra prints."""
    controls = {(gain.task, gain.repeat) for gain in gains}
    return DifferenceTest(_cluster(gains), len(gains) / len(controls)).interval


def of_pairs(gains: list[Gain]) -> Interval | None:
    """Return Tango's interval, with the pairs treated as independent."""
    return DifferenceTest([Cluster(1, int(g.gain > 0), int(g.gain < 0)) for g in gains]).interval


def without_additions(gains: list[Gain]) -> Interval | None:
    """Return the usual interval clustered by task, which has no width if all pairs have the same gain."""
    clusters = _cluster(gains)
    pairs, m = len(gains), len(clusters)
    mean = sum(c.gain for c in clusters) / pairs
    variance = m / (m - 1) * sum((c.gain - mean * c.pairs) ** 2 for c in clusters) / pairs**2
    half = float(stdtrit(m - 1, 0.975)) * math.sqrt(variance)
    return mean - half, mean + half


def measure(setting: Setting, simulations: int, seed: int = 0) -> tuple[Coverage, Coverage, Coverage]:
    """Return the coverage of `of_tasks`, `of_pairs` and `without_additions` in one setting."""
    truth = true_difference(setting)
    runs = [gains for gains in draw_gains(setting, simulations, seed) if len({gain.task for gain in gains}) > 1]
    found = []
    for method in (of_tasks, of_pairs, without_additions):
        intervals = [made for made in map(method, runs) if made is not None]
        share = fmean(low <= truth <= high for low, high in intervals)
        found.append(Coverage(share, fmean(high - low for low, high in intervals)))
    return found[0], found[1], found[2]


def cover_rate(n: int, p: float) -> float:
    """Return the coverage of Wilson's interval at the true rate `p`, summed over all outcomes of `n` cases."""
    k = np.arange(n + 1)
    rates = [measure_rate(int(successes), n) for successes in k]
    covers = np.array([rate is not None and rate.low <= p <= rate.high for rate in rates])
    return float(binom.pmf(k, n, p) @ covers)


def _cluster(gains: list[Gain]) -> tuple[Cluster, ...]:
    return group_by_task((gain.task, gain.gain) for gain in gains)


def _mean_chance(median: float, spread: float) -> float:
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    return float(weights @ expit(logit(median) + spread * points) / math.sqrt(2 * math.pi))


CHANCES = ((0.5, 0.5), (0.9, 0.9), (0.9, 0.5), (0.98, 0.98), (0.98, 0.1), (0.05, 0.02))
DESIGNS = ((1, 1), (1, 5), (7, 1), (7, 3))


def print_differences(simulations: int) -> None:
    print("tasks  flaws x repeats   by task  (least)  width    pairs independent  (least)    plain cluster  (least)")
    for tasks in (3, 5, 10, 20, 50, 100):
        for flaws, repeats in DESIGNS:
            settings = [Setting(tasks, flaws, repeats, *c, s) for c in CHANCES for s in (0.0, 1.0, 2.0)]
            found = [measure(setting, simulations, seed) for seed, setting in enumerate(settings)]
            ours, pairs, plain = zip(*found, strict=True)
            print(
                f"{tasks:5}  {flaws} x {repeats}{'':11} {_mean(ours)}  {_least(ours)}   "
                f"{fmean(c.width for c in ours):.2f}     {_mean(pairs)}             {_least(pairs)}      "
                f"{_mean(plain)}         {_least(plain)}"
            )


def print_rates() -> None:
    print("\nn     Wilson's mean over rates 0.01 to 0.99   (least)")
    for n in (5, 10, 20, 50, 100, 500):
        covered = [cover_rate(n, p / 100) for p in range(1, 100)]
        print(f"{n:<5} {fmean(covered):.3f}{'':34}{min(covered):.3f}")


def _mean(found: tuple[Coverage, ...]) -> str:
    return f"{fmean(c.share for c in found):.3f}"


def _least(found: tuple[Coverage, ...]) -> str:
    return f"({min(c.share for c in found):.3f})"


if __name__ == "__main__":
    print_differences(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    print_rates()
