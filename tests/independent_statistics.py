"""A second implementation of the formulas of docs/statistics.md, on plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from math import sqrt
from statistics import mean
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, norm, t
from statsmodels.stats.contingency_tables import mcnemar
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


def p_value(won: int, lost: int) -> float:
    return float(mcnemar([[0, won], [lost, 0]], exact=True).pvalue) if won + lost else 1.0


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


def design_effect(tasks: list[list[int]]) -> float:
    gains = np.concatenate(tasks)
    sizes = np.array([len(gains_of) for gains_of in tasks])
    largest = float((sizes**2).sum() / sizes.sum())
    if len(tasks) == 1 or np.ptp(gains) == 0:
        return largest
    residuals = np.array([np.sum(np.array(gains_of) - gains.mean()) for gains_of in tasks])
    between = len(tasks) / (len(tasks) - 1) * float(residuals @ residuals) / len(gains) ** 2
    return float(np.clip(between / (gains.var(ddof=1) / len(gains)), 1, largest))


def interval(tasks: list[list[int]], pairs_per_episode: float) -> tuple[float | None, float | None]:
    """Return the interval, with the two added tasks written as data: a size and a sum of gains each."""
    m = len(tasks)
    if m == 1:
        return None, None
    sizes = np.array([len(gains) for gains in tasks], dtype=float)
    added = max(sqrt(design_effect(tasks) * float((sizes**2).sum() / sizes.sum())), pairs_per_episode)
    sizes = np.append(sizes, [added, added])
    sums = np.append([float(sum(gains)) for gains in tasks], [added, -added])
    centre = sums.sum() / sizes.sum()
    error = sqrt(float(((sums - centre * sizes) ** 2).sum())) / sizes.sum()
    half = t.ppf(0.975, m - 1) * error
    return max(-1.0, float(centre - half)), min(1.0, float(centre + half))


def detectable(pairs: int, discordant: float) -> float | None:
    """Return the difference that the exact test finds with a power of 80 %, by solving for it."""
    k = np.arange(pairs + 1)
    fewest = binom.ppf(0.025, k, 0.5)
    fewest = np.where(binom.cdf(fewest, k, 0.5) > 0.025, fewest - 1, fewest)

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
