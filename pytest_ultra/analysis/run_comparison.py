"""The comparison of a run with an earlier one, over the cases that both have scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pytest_ultra.analysis.group_members import members
from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.analysis.paired_difference import adjust_p_values, measure_difference
from pytest_ultra.analysis.pairs import Pair, Pairing, Reference, is_full
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Comparison, Flip, RunComparison
from pytest_ultra.core.groups import ALL, FLAWED
from pytest_ultra.core.paired_evidence import Contrast


def compare_runs(
    sample: Iterable[Episode], reference: Iterable[Episode], names: tuple[str, str] = ("sample", "reference")
) -> RunComparison:
    """Compare the cases that both runs have scored: all of them, by prompt type, all flawed ones, by model.

    Cases are paired by all their fields; if each run has a single model and the models differ, by all fields but the
    model. The p-values of the prompt types are corrected over the prompt types.
    """
    samples, references = list(sample), list(reference)
    pairing = Reference(references, choose_contrast(samples, references)).pair(samples)
    pairs = sorted(pairing.pairs, key=lambda pair: (pair.sample.nodeid, pair.sample.case_id))
    paired = set(map(id, (pair.reference for pair in pairs)))
    return RunComparison(
        *names,
        groups=_correct([_compare_group(group, chosen) for group, chosen in _group(pairs)]),
        flips=tuple(_flip(pair) for pair in pairs if pair.gain),
        only_sample=pairing.unpaired,
        only_reference=sum(e.outcome.is_scored and id(e) not in paired for e in references),
    )


def choose_contrast(sample: Iterable[Episode], reference: Iterable[Episode]) -> Contrast:
    """Return what paired cases of two runs may differ in: the model if each run has a single, different one."""
    one, other = ({episode.case.model for episode in run} for run in (sample, reference))
    return Contrast.MODEL if len(one) == len(other) == 1 and one != other else Contrast.RUN


def _group(pairs: Sequence[Pair]) -> Iterator[tuple[str, Sequence[Pair]]]:
    yield ALL, pairs
    models = sorted({pair.sample.case.model for pair in pairs})
    prompt_types = sorted({pair.sample.case.prompt_type for pair in pairs}, key=lambda each: each.rank)
    for name in (*prompt_types, FLAWED, *(models if len(models) > 1 else ())):
        chosen = set(map(id, members((pair.sample for pair in pairs), name)))
        if chosen:
            yield str(name), [pair for pair in pairs if id(pair.sample) in chosen]


def _compare_group(group: str, pairs: Sequence[Pair]) -> Comparison:
    n = len(pairs)
    return Comparison(
        group=group,
        sample=measure_rate(sum(is_full(pair.sample) for pair in pairs), n),
        reference=measure_rate(sum(is_full(pair.reference) for pair in pairs), n),
        difference=measure_difference(Pairing(tuple(pairs), unpaired=0)),
    )


def _correct(groups: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Correct the p-values over the prompt types, because readers scan them for one that stands out."""
    family = {g.group: g.difference for g in groups if _is_prompt_type(g.group) and g.difference is not None}
    corrected = dict(zip(family, adjust_p_values(tuple(family.values())), strict=True))
    return tuple(msgspec.structs.replace(g, difference=corrected.get(g.group, g.difference)) for g in groups)


def _is_prompt_type(name: str) -> bool:
    try:
        return PromptType(name) is not None
    except ValueError:
        return False


def _flip(pair: Pair) -> Flip:
    return Flip(pair.sample.nodeid, pair.sample.case_id, pair.reference.outcome, pair.sample.outcome)
