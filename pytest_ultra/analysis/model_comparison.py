"""The comparison of a run's models, each two over the cases that both have scored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from pytest_ultra.analysis.paired_difference import adjust_p_values, compare
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import ModelDifference
from pytest_ultra.core.paired_evidence import Contrast


def compare_models(episodes: Iterable[Episode], models: Sequence[str]) -> tuple[ModelDifference, ...]:
    """Compare each model with each earlier one of `models`, over the cases that differ only in the model.

    The p-values are corrected over all these comparisons.
    """
    by_model: dict[str, list[Episode]] = {}
    for episode in episodes:
        by_model.setdefault(episode.case.model, []).append(episode)
    compared = [(b, a, compare(by_model[b], by_model[a], Contrast.MODEL)) for a, b in combinations(models, 2)]
    found = [(b, a, difference) for b, a, difference in compared if difference is not None]
    adjusted = adjust_p_values([difference for _, _, difference in found])
    return tuple(ModelDifference(b, a, d) for (b, a, _), d in zip(found, adjusted, strict=True))
