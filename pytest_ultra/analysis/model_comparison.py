"""Models of a run beside one another, over the cases that both were asked."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from pytest_ultra.analysis.paired_difference import adjust, compare
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Contrast, ModelDifference


def compare_models(episodes: Iterable[Episode]) -> tuple[ModelDifference, ...]:
    """Compare each model with each that comes before it in the alphabet, over all cases alike but for the model.

    The p-values are corrected over all these comparisons.
    """
    by_model: dict[str, list[Episode]] = {}
    for episode in episodes:
        by_model.setdefault(episode.case.model, []).append(episode)
    names = list(combinations(sorted(by_model), 2))
    compared = [(b, a, compare(by_model[b], by_model[a], Contrast.MODEL)) for a, b in names]
    found = [(b, a, difference) for b, a, difference in compared if difference is not None]
    adjusted = adjust([difference for _, _, difference in found])
    return tuple(ModelDifference(b, a, d) for (b, a, _), d in zip(found, adjusted, strict=True))
