"""Paired differences: a sample of cases compared with a reference, over cases that differ in one thing only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pytest_ultra.analysis.clusters import Cluster, group_by_task
from pytest_ultra.analysis.difference_test import DifferenceTest
from pytest_ultra.analysis.mcnemar import ALPHA, adjust_holm, detectable_difference, pairs_needed
from pytest_ultra.analysis.pairs import Pairing, Reference
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.paired_evidence import SMALL_DIFFERENCE, Caveat, Contrast, Evidence, PairedDifference

FEW_TASKS = 5
"""Fewer tasks than this are no evidence: of four tasks without any effect, all may be lost once in 16 times."""

_ROUNDING = 1e-9
"""Added before a number of pairs is rounded down: a whole number may come out slightly too small."""


def compare(sample: Iterable[Episode], reference: Iterable[Episode], over: Contrast) -> PairedDifference | None:
    """Return the paired difference of success, sample minus reference; None without a pair of scored episodes."""
    return measure_difference(Reference(reference, over).pair(sample))


def measure_difference(pairing: Pairing) -> PairedDifference | None:
    """Return the paired difference of success over given pairs; None if there are none."""
    if not pairing.pairs:
        return None
    clusters, test = make_test(pairing)
    won, lost = sum(c.won for c in clusters), sum(c.lost for c in clusters)
    low, high = test.interval or (None, None)
    found = PairedDifference(
        pairs=test.pairs,
        won=won,
        lost=lost,
        tasks=len(clusters),
        low=low,
        high=high,
        p_value=test.p_value,
        unpaired=pairing.unpaired,
        caveats=tuple(_find_caveats(len(clusters), test.pairs, won + lost, pairing.unpaired)),
        effective_pairs=test.effective_pairs,
    )
    return _judge(found, family=1)


def make_test(pairing: Pairing) -> tuple[tuple[Cluster, ...], DifferenceTest]:
    """Return the pairs by task, and the test of their difference."""
    clusters = group_by_task((pair.task, pair.gain) for pair in pairing.pairs)
    return clusters, DifferenceTest(clusters, pairing.pairs_per_episode)


def _judge(difference: PairedDifference, family: int) -> PairedDifference:
    """Add what the difference shows, and could have shown, as one of a family of tests."""
    level = ALPHA / family
    effective = difference.effective_pairs or difference.pairs
    discordant = (difference.won + difference.lost) / difference.pairs
    noise = 2 * min(difference.won, difference.lost) / difference.pairs  # pairs that differ without any net difference
    needed = pairs_needed(SMALL_DIFFERENCE, SMALL_DIFFERENCE + noise, level=level / 2) or 0
    return msgspec.structs.replace(
        difference,
        evidence=_find_evidence(difference),
        detectable=detectable_difference(int(effective + _ROUNDING), discordant, level),
        tasks_needed=math.ceil(needed * difference.tasks / effective - _ROUNDING),
    )


def _find_evidence(difference: PairedDifference) -> Evidence:
    p = difference.p_value if difference.p_adjusted is None else difference.p_adjusted
    if p > ALPHA or difference.tasks < FEW_TASKS:
        return Evidence.NONE
    return Evidence.WORSE if difference.value < 0 else Evidence.BETTER


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
    """Return the differences with p-values, and what follows from them, corrected over all of them, in their order."""
    corrected = adjust_holm([difference.p_value for difference in differences])
    return tuple(
        _judge(msgspec.structs.replace(difference, p_adjusted=p), family=len(differences))
        for difference, p in zip(differences, corrected, strict=True)
    )
