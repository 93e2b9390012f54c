"""The summary of a run: a row for each model under each prompt type, computed from episodes alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.benchmark.axes import PromptType, PromptVariant, Severity
from pytest_ultra.benchmark.case import Versions
from pytest_ultra.benchmark.episode import Episode, FailureClass, Outcome
from pytest_ultra.benchmark.figures import Counts, PairedDifference, Row, Summary

_DEMO = re.compile(r"demo([/?]|$)")


class _Group(NamedTuple):
    """What the episodes of a row have in common; None where all the others have it too."""

    model: str
    versions: Versions | None
    tool_success_rate: float | None
    prompt_variant: PromptVariant | None
    prompt_type: PromptType
    severity: Severity | None

    @property
    def place(self) -> tuple[object, ...]:
        """Order rows by model, version, rate (higher first), then the axes' own order."""
        severity = 0 if self.severity is None else 1 + list(Severity).index(self.severity)
        variant = 0 if self.prompt_variant is None else list(PromptVariant).index(self.prompt_variant)
        prompt_type = list(PromptType).index(self.prompt_type)
        return self.model, self.versions or Versions(), -(self.tool_success_rate or 0), variant, prompt_type, severity


_Controls = Mapping[tuple[object, ...], Episode]


def summarize(episodes: Iterable[Episode]) -> Summary:
    """Add up episodes, one for each planned case; their order does not matter."""
    ordered = sorted(episodes, key=lambda episode: (episode.case_id, episode.started_at))
    controls = {_control_key(e): e for e in ordered if e.case.prompt_type is PromptType.OPTIMAL}
    grouping = _choose_grouping(ordered)
    groups: dict[_Group, list[Episode]] = {}
    for episode in ordered:
        groups.setdefault(grouping(episode), []).append(episode)
    models = sorted({episode.case.model for episode in ordered})
    return Summary(
        rows=tuple(_make_row(g, groups[g], controls) for g in sorted(groups, key=lambda group: group.place)),
        counts=_count(ordered),
        failure_classes=_count_failure_classes(ordered),
        demo_models=tuple(model for model in models if _DEMO.match(model)),
        versions=tuple(sorted({episode.versions for episode in ordered})),
        reused=sum(episode.reused for episode in ordered),
        cost=_add_costs(ordered),
    )


def _add_costs(episodes: Iterable[Episode]) -> float | None:
    costs = [e.usage.cost for e in episodes if e.usage.cost is not None and not e.reused]
    return sum(costs) if costs else None


def _choose_grouping(episodes: Sequence[Episode]) -> Callable[[Episode], _Group]:
    """Tell severities, rates, prompt variants and versions apart only where there are several."""
    cases = [episode.case for episode in episodes]
    has_severities = len({case.severity for case in cases} - {None}) > 1
    has_rates = len({case.tool_success_rate for case in cases}) > 1
    has_variants = len({case.prompt_variant for case in cases}) > 1
    has_versions = len({episode.versions for episode in episodes}) > 1

    def group(episode: Episode) -> _Group:
        case = episode.case
        return _Group(
            model=case.model,
            versions=episode.versions if has_versions else None,
            tool_success_rate=case.tool_success_rate if has_rates else None,
            prompt_variant=case.prompt_variant if has_variants else None,
            prompt_type=case.prompt_type,
            severity=case.severity if has_severities else None,
        )

    return group


def _control_key(episode: Episode) -> tuple[object, ...]:
    """Equal for an episode and its control, which are of the same versions."""
    return episode.versions, episode.case.control_key


def _make_row(group: _Group, episodes: Sequence[Episode], controls: _Controls) -> Row:
    counts = _count(episodes)
    scored = [episode for episode in episodes if episode.outcome.is_scored]
    return Row(
        **group._asdict(),
        counts=counts,
        success=measure_rate(counts.full, counts.scored),
        difference=None if group.prompt_type is PromptType.OPTIMAL else _compare(scored, controls),
        mean_calls=_mean(episode.score.tool_calls for episode in scored),
        mean_tokens=_mean(episode.usage.prompt_tokens + episode.usage.completion_tokens for episode in scored),
        mean_duration_s=_mean(episode.duration_s for episode in scored),
    )


def _compare(scored: Iterable[Episode], controls: _Controls) -> PairedDifference | None:
    pairs = [(episode, controls.get(_control_key(episode))) for episode in scored]
    verdicts = Counter(_is_full(e) - _is_full(control) for e, control in pairs if control and control.outcome.is_scored)
    if not verdicts:
        return None
    return PairedDifference(pairs=verdicts.total(), won=verdicts[1], lost=verdicts[-1])


def _is_full(episode: Episode) -> bool:
    return episode.outcome is Outcome.FULL


def _count(episodes: Iterable[Episode]) -> Counts:
    return Counts(**Counter(str(episode.outcome) for episode in episodes))


def _count_failure_classes(episodes: Iterable[Episode]) -> tuple[tuple[FailureClass, int], ...]:
    counts = Counter(episode.score.failure_class for episode in episodes)
    found = [(failure_class, counts[failure_class]) for failure_class in FailureClass if counts[failure_class]]
    return tuple(sorted(found, key=lambda item: -item[1]))


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return fmean(known) if known else None
