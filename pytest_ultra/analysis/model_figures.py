"""The figures of each model of a run, over all its cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_ultra.analysis.conduct import measure_false_success
from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.analysis.paired_difference import measure_difference
from pytest_ultra.analysis.pairs import Reference, is_full
from pytest_ultra.analysis.robustness import mean, measure_recovery
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Counts, ModelFigures
from pytest_ultra.core.paired_evidence import Contrast


def measure_models(episodes: Sequence[Episode], names: Sequence[str]) -> tuple[ModelFigures, ...]:
    """Return the figures of each model, in the order of `names`, and of each of several versions."""
    groups: dict[tuple[str, Versions], list[Episode]] = {}
    for episode in episodes:
        groups.setdefault((episode.case.model, episode.versions), []).append(episode)
    has_versions = len({versions for _, versions in groups}) > 1
    return tuple(
        _measure(model, versions if has_versions else None, groups[model, versions])
        for model, versions in sorted(groups, key=lambda group: (names.index(group[0]), group[1]))
    )


def _measure(model: str, versions: Versions | None, episodes: Sequence[Episode]) -> ModelFigures:
    scored = [episode for episode in episodes if episode.outcome.is_scored]
    controls = Reference((e for e in scored if e.case.prompt_type is PromptType.OPTIMAL), Contrast.PROMPT_TYPE)
    flawed = controls.pair(episode for episode in scored if episode.case.prompt_type.flaw_kind)
    return ModelFigures(
        model=model,
        counts=count_outcomes(episodes),
        success=measure_rate(sum(map(is_full, scored)), len(scored)),
        flawed=measure_difference(flawed),
        recovery=measure_recovery(scored),
        false_success=measure_false_success(scored),
        mean_calls=mean(episode.score.tool_calls for episode in scored),
        mean_cost=mean(episode.usage.cost for episode in scored),
        mean_duration_s=mean(episode.duration_s for episode in scored),
        estimated_requests=sum(episode.usage.estimated_requests for episode in scored),
        versions=versions,
    )


def count_outcomes(episodes: Iterable[Episode]) -> Counts:
    return Counts(**Counter(str(episode.outcome) for episode in episodes))


def order_models(episodes: Iterable[Episode], first: Sequence[str]) -> list[str]:
    """Return the names of the episodes' models: those of `first` in their order, then the others, sorted."""
    found = {episode.case.model for episode in episodes}
    return [*(name for name in dict.fromkeys(first) if name in found), *sorted(found - set(first))]
