"""Robustness to a flawed plan: resilience, over-trust, recovery and its cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.analysis.pairs import Pair, is_full
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Rate, Robustness


def measure_robustness(scored: Sequence[Episode], pairs: Sequence[Pair]) -> Robustness:
    """Measure the scored flawed episodes of a row and their pairs with controls.

    Extra cost is in US dollars; extra calls and tokens are counts per episode. None where nothing was measured.

    Source: the definitions in docs/statistics.md. Resilience is the relative risk of success. The recovery cost is
    taken over pairs in which both succeeded, because an agent that gives up early saves calls and recovers nothing.
    """
    controls = sum(is_full(pair.reference) for pair in pairs)
    obedience = [episode.score.obedience for episode in scored if episode.score.obedience is not None]
    recovered = [pair for pair in pairs if is_full(pair.sample) and is_full(pair.reference)]
    return Robustness(
        resilience=sum(is_full(pair.sample) for pair in pairs) / controls if controls else None,
        over_trust=mean(obedience),
        damaged=len(obedience),
        recovered=len(recovered),
        extra_calls=_mean_extra(recovered, lambda episode: episode.score.tool_calls),
        extra_tokens=_mean_extra(recovered, count_tokens),
        extra_cost=_mean_extra(recovered, lambda episode: episode.usage.cost),
    )


def measure_recovery(scored: Iterable[Episode]) -> Rate | None:
    """Return the share of random faults after which the model still completed the step; None without any fault."""
    scores = [episode.score for episode in scored]
    return measure_rate(sum(s.recovered_faults for s in scores), sum(s.random_faults for s in scores))


def measure_recovery_by_kind(scored: Iterable[Episode]) -> tuple[tuple[FaultKind, Rate], ...]:
    """Return the share of the random faults of each kind that the model dealt with, for the kinds that occurred."""
    counts = [episode.score.recovery_by_kind for episode in scored]
    rates = []
    for kind in FaultKind:
        rate = measure_rate(sum(count[kind][0] for count in counts), sum(count[kind][1] for count in counts))
        rates += [] if rate is None else [(kind, rate)]
    return tuple(rates)


def count_tokens(episode: Episode) -> int | None:
    return episode.usage.tokens


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are not None; None if there are none."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _mean_extra(pairs: Iterable[Pair], measure: Callable[[Episode], float | None]) -> float | None:
    measured = [(measure(pair.sample), measure(pair.reference)) for pair in pairs]
    return mean(one - other for one, other in measured if one is not None and other is not None)
