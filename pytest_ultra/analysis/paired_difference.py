"""Paired differences: a sample of cases compared with a reference, over cases alike in all else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pytest_ultra.analysis.clusters import cluster, design_effect, interval
from pytest_ultra.analysis.mcnemar import correct, detectable_difference, exact_p_value
from pytest_ultra.analysis.pairs import Pairing, Reference
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Caveat, Contrast, PairedDifference

FEW_TASKS = 6
"""Fewer tasks than this show nothing: with a pair each, even if all were lost, p would be 0.06 or more."""


def compare(sample: Iterable[Episode], reference: Iterable[Episode], over: Contrast) -> PairedDifference | None:
    """Return the paired difference of success, sample - reference; None without a pair of scored episodes."""
    return measure_difference(Reference(reference, over).pair(sample))


def measure_difference(pairing: Pairing) -> PairedDifference | None:
    """Return the paired difference of success over pairs at hand, None where there are none."""
    if not pairing.pairs:
        return None
    clusters = cluster((pair.task, pair.gain) for pair in pairing.pairs)
    pairs = len(pairing.pairs)
    won, lost = sum(c.won for c in clusters), sum(c.lost for c in clusters)
    low, high = interval(clusters, pairing.sharing) or (None, None)
    return PairedDifference(
        pairs=pairs,
        won=won,
        lost=lost,
        tasks=len(clusters),
        low=low,
        high=high,
        p_value=exact_p_value(won, lost),
        detectable=detectable_difference(int(pairs / design_effect(clusters)), (won + lost) / pairs),
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


def adjust(differences: Sequence[PairedDifference]) -> tuple[PairedDifference, ...]:
    """Correct the p-values of differences that were tested together."""
    corrected = correct([difference.p_value for difference in differences])
    return tuple(
        msgspec.structs.replace(difference, p_adjusted=p) for difference, p in zip(differences, corrected, strict=True)
    )
