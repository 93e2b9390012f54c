"""The summary of a run: a row for each model under each prompt type, computed from episodes alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean

from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.benchmark.axes import PromptType, Severity
from pytest_ultra.benchmark.case import Case
from pytest_ultra.benchmark.episode import Episode, FailureClass, Outcome
from pytest_ultra.benchmark.figures import Counts, PairedDifference, Row, Summary

_Controls = Mapping[tuple[object, ...], Episode]
_Group = tuple[str, PromptType, Severity | None, float | None]
_DEMO = re.compile(r"demo([/?]|$)")


def summarize(episodes: Iterable[Episode]) -> Summary:
    """Add up episodes, one for each planned case; their order does not matter."""
    ordered = sorted(episodes, key=lambda episode: (episode.case.case_id, episode.started_at))
    controls = {e.case.control_key: e for e in ordered if e.case.prompt_type is PromptType.OPTIMAL}
    grouping = _choose_grouping([episode.case for episode in ordered])
    groups: dict[_Group, list[Episode]] = {}
    for episode in ordered:
        groups.setdefault(grouping(episode.case), []).append(episode)
    models = sorted({episode.case.model for episode in ordered})
    return Summary(
        rows=tuple(_make_row(group, groups[group], controls) for group in sorted(groups, key=_place)),
        counts=_count(ordered),
        failure_classes=_count_failure_classes(ordered),
        demo_models=tuple(model for model in models if _DEMO.match(model)),
    )


def _choose_grouping(cases: Sequence[Case]) -> Callable[[Case], _Group]:
    """Tell severities and tool success rates apart only where there are several."""
    has_severities = len({case.severity for case in cases} - {None}) > 1
    has_rates = len({case.tool_success_rate for case in cases}) > 1

    def group(case: Case) -> _Group:
        severity = case.severity if has_severities else None
        return case.model, case.prompt_type, severity, case.tool_success_rate if has_rates else None

    return group


def _place(group: _Group) -> tuple[object, ...]:
    """Order rows by model, then rate (higher first), then the axes' own order."""
    model, prompt_type, severity, rate = group
    place = list(PromptType).index(prompt_type), 0 if severity is None else 1 + list(Severity).index(severity)
    return model, -(rate or 0), place


def _make_row(group: _Group, episodes: Sequence[Episode], controls: _Controls) -> Row:
    model, prompt_type, severity, rate = group
    counts = _count(episodes)
    scored = [episode for episode in episodes if episode.outcome.is_scored]
    return Row(
        model=model,
        prompt_type=prompt_type,
        severity=severity,
        tool_success_rate=rate,
        counts=counts,
        success=measure_rate(counts.full, counts.scored),
        difference=None if prompt_type is PromptType.OPTIMAL else _compare(scored, controls),
        mean_calls=_mean(episode.score.tool_calls for episode in scored),
        mean_tokens=_mean(episode.usage.prompt_tokens + episode.usage.completion_tokens for episode in scored),
        mean_duration_s=_mean(episode.duration_s for episode in scored),
    )


def _compare(scored: Iterable[Episode], controls: _Controls) -> PairedDifference | None:
    pairs = [(episode, controls.get(episode.case.control_key)) for episode in scored]
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
