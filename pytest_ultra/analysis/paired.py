"""Paired differences: a sample of cases compared with a reference, over cases alike in all else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_ultra.analysis.clusters import cluster, interval
from pytest_ultra.analysis.mcnemar import exact_p_value
from pytest_ultra.analysis.pairs import Pairing, pair
from pytest_ultra.benchmark.episode import Episode
from pytest_ultra.benchmark.figures import Caveat, Contrast, PairedDifference

FEW_TASKS = 10
"""Fewer clusters than this make the interval a rough one."""


def compare(sample: Iterable[Episode], reference: Iterable[Episode], over: Contrast) -> PairedDifference | None:
    """Return the paired difference of success, sample - reference; None without a pair of scored episodes."""
    return measure_difference(pair(sample, reference, over))


def measure_difference(pairing: Pairing) -> PairedDifference | None:
    """Return the paired difference of success over pairs at hand, None where there are none."""
    if not pairing.pairs:
        return None
    clusters = cluster((pair.task, pair.gain) for pair in pairing.pairs)
    won, lost = sum(c.won for c in clusters), sum(c.lost for c in clusters)
    low, high = interval(clusters) or (None, None)
    return PairedDifference(
        pairs=len(pairing.pairs),
        won=won,
        lost=lost,
        tasks=len(clusters),
        low=low,
        high=high,
        p_value=exact_p_value(won, lost),
        unpaired=pairing.unpaired,
        caveats=tuple(_find_caveats(len(clusters), won + lost, pairing.unpaired)),
    )


def _find_caveats(tasks: int, discordant: int, unpaired: int) -> Iterator[Caveat]:
    if tasks < FEW_TASKS:
        yield Caveat.FEW_TASKS
    if not discordant:
        yield Caveat.NO_DISCORDANT_PAIRS
    if unpaired:
        yield Caveat.UNPAIRED
