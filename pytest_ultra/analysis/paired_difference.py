"""Paired differences: a sample of cases compared with a reference, over cases that differ in one thing only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pytest_ultra.analysis.clusters import clustered_interval, design_effect, group_by_task
from pytest_ultra.analysis.mcnemar import adjust_holm, detectable_difference, exact_p_value
from pytest_ultra.analysis.pairs import Pairing, Reference
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Caveat, Contrast, PairedDifference

FEW_TASKS = 6
"""Fewer tasks than this show nothing: with one pair each, all of them lost, p is still 0.06 or more."""

_ROUNDING = 1e-9
"""Added before a number of pairs is rounded down: a whole number may come out slightly too small."""


def compare(sample: Iterable[Episode], reference: Iterable[Episode], over: Contrast) -> PairedDifference | None:
    """Return the paired difference of success, sample minus reference; None without a pair of scored episodes."""
    return measure_difference(Reference(reference, over).pair(sample))


def measure_difference(pairing: Pairing) -> PairedDifference | None:
    """Return the paired difference of success over given pairs; None if there are none."""
    if not pairing.pairs:
        return None
    clusters = group_by_task((pair.task, pair.gain) for pair in pairing.pairs)
    pairs = len(pairing.pairs)
    won, lost = sum(c.won for c in clusters), sum(c.lost for c in clusters)
    low, high = clustered_interval(clusters, pairing.pairs_per_episode) or (None, None)
    return PairedDifference(
        pairs=pairs,
        won=won,
        lost=lost,
        tasks=len(clusters),
        low=low,
        high=high,
        p_value=exact_p_value(won, lost),
        detectable=detectable_difference(int(pairs / design_effect(clusters) + _ROUNDING), (won + lost) / pairs),
        unpaired=pairing.unpaired,
        caveats=tuple(_find_caveats(len(clusters), pairs, won + lost, pairing.unpaired)),
    )


def _find_caveats(tasks: int, pairs: int, discordant: int, unpaired: int) -> Iterator[Caveat]:
    if tasks < FEW_TASKS:
        yield Caveat.FEW_TASKS
    if not discordant:
        yield Caveat.NO_DISCORDANT_PAIRS
    elif pairs > tasks:
        yield Caveat.CLUSTERED
    if unpaired:
        yield Caveat.UNPAIRED


def adjust_p_values(differences: Sequence[PairedDifference]) -> tuple[PairedDifference, ...]:
    """Return the differences with p-values corrected over all of them, in the given order."""
    corrected = adjust_holm([difference.p_value for difference in differences])
    return tuple(
        msgspec.structs.replace(difference, p_adjusted=p) for difference, p in zip(differences, corrected, strict=True)
    )
