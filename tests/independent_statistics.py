"""A second implementation of the formulas of docs/statistics.md, on plain numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import combinations, product
from math import ceil, sqrt
from statistics import mean
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

Json = dict[str, Any]


def average(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def rate(successes: int, n: int) -> Json | None:
    if not n:
        return None
    low, high = proportion_confint(successes, n, method="wilson")
    return {"successes": successes, "n": n, "low": low, "high": high}


def detection(hits: int, signals: int, false_alarms: int, noise: int) -> tuple[float, float] | tuple[None, None]:
    """Return d' and the bias c, with half a response and one trial added to each share."""
    if signals == 0 or noise == 0:
        return None, None
    hit = float(norm.ppf((hits + 0.5) / (signals + 1)))
    false_alarm = float(norm.ppf((false_alarms + 0.5) / (noise + 1)))
    return hit - false_alarm, -0.5 * (hit + false_alarm)


def adjust(family: list[Json]) -> None:
    if family:
        corrected = multipletests([found["p_value"] for found in family], method="holm")[1]
        for found, p in zip(family, corrected, strict=True):
            found["p_adjusted"] = float(p)
            conclude(found, len(family))


def conclude(found: Json, family: int = 1) -> None:
    """Fill in what follows from a difference that is one of a family of tests."""
    p = found["p_value"] if found["p_adjusted"] is None else found["p_adjusted"]
    direction = "worse" if found["won"] < found["lost"] else "better"
    found["evidence"] = direction if p <= 0.05 and found["tasks"] >= 5 else "no evidence"
    effective, pairs = round(found["effective_pairs"], 9), found["pairs"]
    found["detectable"] = detectable(int(effective), (found["won"] + found["lost"]) / pairs, 0.05 / family)
    discordant = 0.15 + 2 * min(found["won"], found["lost"]) / pairs
    quantile = norm.isf(0.05 / family / 2)
    needed = ((quantile * sqrt(discordant) + norm.ppf(0.8) * sqrt(discordant - 0.15**2)) / 0.15) ** 2
    found["tasks_needed"] = ceil(round(needed * found["tasks"] / effective, 7))


def design_effect(tasks: list[list[int]]) -> float:
    gains = np.concatenate(tasks)
    sizes = np.array([len(gains_of) for gains_of in tasks])
    largest = float((sizes**2).sum() / sizes.sum())
    if len(tasks) == 1 or np.ptp(gains) == 0:
        return largest
    residuals = np.array([np.sum(np.array(gains_of) - gains.mean()) for gains_of in tasks])
    between = len(tasks) / (len(tasks) - 1) * float(residuals @ residuals) / len(gains) ** 2
    return float(np.clip(between / (gains.var(ddof=1) / len(gains)), 1, largest))


def effective_pairs(tasks: list[list[int]], pairs_per_episode: float) -> float:
    return sum(map(len, tasks)) / max(design_effect(tasks), 0.5 + pairs_per_episode / 2)


def tango(won: float, lost: float, pairs: float, delta: float) -> float:
    """Return the score statistic, with the chance of a loss at which the likelihood is largest."""
    alike = max(pairs - won - lost, 0.0)

    least, span = max(0.0, -delta), (1 - abs(delta)) / 2

    def slope(x: float) -> float:
        chances = (won, max(0.0, delta) + x), (lost, least + x), (-alike, span - x)
        return sum(n / chance for n, chance in chances if n)

    inside = 1e-12 * span
    if slope(inside) <= 0:
        lost_chance = least
    elif slope(span - inside) >= 0:
        lost_chance = least + span
    else:
        lost_chance = least + float(brentq(slope, inside, span - inside, xtol=1e-16, rtol=1e-15))
    variance = pairs * (2 * lost_chance + delta - delta**2)
    excess = won - lost - pairs * delta
    return float(excess / sqrt(variance)) if variance > 1e-15 else float(np.copysign(np.inf, excess))


def flips_below(tasks: list[list[int]], delta: float) -> float:
    """Return the share of all flips of the tasks' residuals with a sum of at most the observed one."""
    residuals = np.array([sum(gains) - delta * len(gains) for gains in tasks])
    signs = np.array(list(product([-1.0, 1.0], repeat=len(tasks))))
    return float(np.mean(signs @ residuals <= residuals.sum() + 1e-9))


def flips_bound(tasks: list[list[int]], level: float) -> float:
    """Return the largest mean of a set of tasks that the flips do not reject; 1 if they reject nothing."""
    if 0.5 ** len(tasks) > level:
        return -1.0
    sums, sizes = np.array([sum(gains) for gains in tasks]), np.array(list(map(len, tasks)))
    sets = np.array(list(product([0, 1], repeat=len(tasks))))[1:]
    means = np.unique((sets @ sums) / (sets @ sizes))
    first_rejected = bisect_left(means, True, key=lambda mean: flips_below(tasks, mean) <= level)  # noqa: FBT003 - the key's values
    return float(means[first_rejected - 1])


def p_below(tasks: list[list[int]], pairs_per_episode: float, level: float) -> float:
    """Return the one-sided p-value of no loss."""
    counts = scaled_counts(tasks, pairs_per_episode)
    p = float(norm.cdf(tango(*counts, 0.0))) if counts[0] + counts[1] else 0.5
    is_clustered = max(map(len, tasks)) > 1 and 0.5 ** len(tasks) <= level
    return max(p, flips_below(tasks, 0)) if is_clustered else p


def mirrored(tasks: list[list[int]]) -> list[list[int]]:
    return [[-gain for gain in gains] for gains in tasks]


def scaled_counts(tasks: list[list[int]], pairs_per_episode: float) -> tuple[float, float, float]:
    gains = [gain for of_task in tasks for gain in of_task]
    effective = effective_pairs(tasks, pairs_per_episode)
    return effective * gains.count(1) / len(gains), effective * gains.count(-1) / len(gains), effective


def p_value(tasks: list[list[int]], pairs_per_episode: float) -> float:
    return min(1.0, *(2 * p_below(side, pairs_per_episode, 0.025) for side in (tasks, mirrored(tasks))))


def upper_bound(tasks: list[list[int]], pairs_per_episode: float, level: float) -> float:
    won, lost, pairs = scaled_counts(tasks, pairs_per_episode)
    estimate = (won - lost) / pairs
    bound = 1.0
    if estimate < 1 - 1e-12:
        found = brentq(lambda delta: tango(won, lost, pairs, delta) - norm.ppf(level), estimate, 1 - 1e-9, xtol=1e-13)
        bound = float(found)
    return max(bound, flips_bound(tasks, level)) if max(map(len, tasks)) > 1 else bound


def interval(tasks: list[list[int]], pairs_per_episode: float) -> tuple[float | None, float | None]:
    if len(tasks) == 1:
        return None, None
    high, low = (upper_bound(side, pairs_per_episode, 0.025) for side in (tasks, mirrored(tasks)))
    return -low, high


def detectable(pairs: int, discordant: float, level: float) -> float | None:
    """Return the difference that McNemar's test finds with a power of 80 %, by solving for it."""
    z = norm.isf(level / 2)
    k = np.arange(pairs + 1)
    significant = [[c for c in range(n // 2 + 1) if n - 2 * c >= z * sqrt(n) and n] for n in range(pairs + 1)]
    fewest = np.array([max(found, default=-1) for found in significant])

    def power(delta: float) -> float:
        share = max(delta, discordant)
        won = (share - delta) / 2 / share
        rejected = binom.cdf(fewest, k, won) + binom.sf(k - fewest - 1, k, won)
        return float(binom.pmf(k, pairs, share) @ np.where(fewest >= 0, rejected, 0))

    if power(1.0) < 0.8:
        return None
    return float(brentq(lambda delta: power(delta) - 0.8, 1e-6, 1.0, xtol=1e-12))


def of_repeats(k: int, tasks: list[list[bool]]) -> Json:
    def share(test: Callable[[Iterable[bool]], bool]) -> float:
        return mean(mean(test(way) for way in combinations(found, k)) for found in tasks)

    return {"k": k, "pass_at": share(any), "pass_all": share(all), "tasks": len(tasks)}
