"""The summary of a run: a row for each model and prompt type, computed from episodes only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from pytest_ultra.analysis.conduct import measure_false_success, measure_harm
from pytest_ultra.analysis.discernment import measure_discernment
from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.analysis.model_comparison import compare_models
from pytest_ultra.analysis.model_figures import count_outcomes, measure_models, order_models
from pytest_ultra.analysis.paired_difference import adjust_p_values, measure_difference
from pytest_ultra.analysis.pairs import Pairing, Reference
from pytest_ultra.analysis.repeats import measure_repeats
from pytest_ultra.analysis.robustness import (
    count_tokens,
    mean,
    measure_recovery,
    measure_recovery_by_kind,
    measure_robustness,
)
from pytest_ultra.core.axes import PromptType, PromptVariant, Severity
from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import Episode, FailureClass
from pytest_ultra.core.figures import Row, SlowCase, Summary
from pytest_ultra.core.paired_evidence import Contrast

_DEMO = re.compile(r"demo([/?]|$)")


class _Group(NamedTuple):
    """What the episodes of a row have in common; an optional field is None if all rows share its value."""

    model: str
    versions: Versions | None
    tool_success_rate: float | None
    prompt_variant: PromptVariant | None
    prompt_type: PromptType
    severity: Severity | None

    def sort_key(self, models: Sequence[str]) -> tuple[object, ...]:
        """Sort by model, version, rate (higher first), then the axes' own order."""
        severity = 0 if self.severity is None else 1 + list(Severity).index(self.severity)
        variant = 0 if self.prompt_variant is None else list(PromptVariant).index(self.prompt_variant)
        prompt_type = self.prompt_type.rank
        return (
            models.index(self.model),
            self.versions or Versions(),
            -(self.tool_success_rate or 0),
            variant,
            prompt_type,
            severity,
        )


_SLOWEST = 5


def summarize(episodes: Iterable[Episode], order: Sequence[str] = ()) -> Summary:
    """Return the summary of episodes, one for each planned case, in any order.

    The models named in `order` come first, as on the command line; the others follow, sorted.
    """
    ordered = sorted(episodes, key=lambda episode: (episode.case_id, episode.started_at))
    controls = Reference((e for e in ordered if e.case.prompt_type is PromptType.OPTIMAL), Contrast.PROMPT_TYPE)
    grouping = _choose_grouping(ordered)
    groups: dict[_Group, list[Episode]] = {}
    for episode in ordered:
        groups.setdefault(grouping(episode), []).append(episode)
    models = order_models(ordered, order)
    places = sorted(groups, key=lambda group: group.sort_key(models))
    return Summary(
        rows=_correct([_make_row(group, groups[group], controls) for group in places]),
        counts=count_outcomes(ordered),
        failure_classes=_count_failure_classes(ordered),
        demo_models=tuple(model for model in models if _DEMO.match(model)),
        versions=tuple(sorted({episode.versions for episode in ordered})),
        reused=sum(episode.reused for episode in ordered),
        cost=_add_costs(ordered),
        slowest=_find_slowest(ordered),
        estimated_requests=sum(e.usage.estimated_requests for e in ordered if not e.reused),
        models=compare_models(ordered, models),
        harm=measure_harm(ordered),
        false_success=measure_false_success(ordered),
        discernment=tuple(sorted(measure_discernment(ordered), key=lambda found: models.index(found.model))),
        model_figures=measure_models(ordered, models),
    )


def _add_costs(episodes: Iterable[Episode]) -> float | None:
    costs = [e.usage.cost for e in episodes if e.usage.cost is not None and not e.reused]
    return sum(costs) if costs else None


def _choose_grouping(episodes: Sequence[Episode]) -> Callable[[Episode], _Group]:
    """Return a function from episode to group; severity, rate, variant and versions count only if there are several."""
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


def _make_row(group: _Group, episodes: Sequence[Episode], controls: Reference) -> Row:
    counts = count_outcomes(episodes)
    scored = [episode for episode in episodes if episode.outcome.is_scored]
    is_control = group.prompt_type is PromptType.OPTIMAL
    pairing = Pairing((), 0) if is_control else controls.pair(scored)
    return Row(
        **group._asdict(),
        counts=counts,
        success=measure_rate(counts.full, counts.scored),
        difference=measure_difference(pairing),
        mean_calls=mean(episode.score.tool_calls for episode in scored),
        mean_tokens=mean(map(count_tokens, scored)),
        mean_duration_s=mean(episode.duration_s for episode in scored),
        mean_cost=mean(episode.usage.cost for episode in scored),
        unpaired=pairing.unpaired,
        recovery=measure_recovery(scored),
        recovery_by_kind=measure_recovery_by_kind(scored),
        robustness=measure_robustness(scored, pairing.pairs) if scored and group.prompt_type.flaw_kind else None,
        repeats=measure_repeats(scored),
        failure_classes=_count_failure_classes(episodes),
        estimated_requests=sum(episode.usage.estimated_requests for episode in scored),
        mean_first_token_s=_mean_first_token_s(scored),
        harm=measure_harm(scored),
        false_success=measure_false_success(scored),
    )


def _mean_first_token_s(episodes: Iterable[Episode]) -> float | None:
    """Return the mean over the episodes in which replies were streamed, None without one."""
    return mean(e.usage.first_token_s for e in episodes if e.usage.first_token_s is not None)


def _correct(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Correct the p-values over the flawed rows of each model, because they are read together."""
    families: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.difference is not None and row.prompt_type.flaw_kind:
            families.setdefault(row.model, []).append(place)
    corrected = list(rows)
    for places in families.values():
        differences = [row.difference for row in map(rows.__getitem__, places) if row.difference is not None]
        for place, difference in zip(places, adjust_p_values(differences), strict=True):
            corrected[place] = msgspec.structs.replace(rows[place], difference=difference)
    return tuple(corrected)


def _find_slowest(episodes: Iterable[Episode]) -> tuple[SlowCase, ...]:
    own = [episode for episode in episodes if episode.outcome.is_scored and not episode.reused]
    slowest = sorted(own, key=lambda episode: (-episode.duration_s, episode.nodeid))[:_SLOWEST]
    return tuple(SlowCase(e.nodeid, e.case_id, e.outcome, e.duration_s, e.score.turns) for e in slowest)


def _count_failure_classes(episodes: Iterable[Episode]) -> tuple[tuple[FailureClass, int], ...]:
    counts = Counter(episode.score.failure_class for episode in episodes)
    found = [(failure_class, counts[failure_class]) for failure_class in FailureClass if counts[failure_class]]
    return tuple(sorted(found, key=lambda item: -item[1]))
