"""Comparisons as sentences: of each two models, and of each model's flawed plans with its optimal ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pytest_ultra.core.figures import ModelDifference, Row, RunComparison, Summary
from pytest_ultra.core.paired_evidence import SMALL_DIFFERENCE, Evidence, PairedDifference
from pytest_ultra.reporting.caveats import price_of
from pytest_ultra.reporting.figure_format import p_value, signed_points
from pytest_ultra.reporting.text import count, neutralise

MOST_SENTENCES = 10
MOST_NAMES = 2


def comparison_sentences(summary: Summary, *, is_brief: bool = False) -> list[str]:
    """Return a sentence for each comparison; of more than `MOST_SENTENCES`, the rest is counted.

    In brief, the flawed plans of models are left out if the models are compared with each other.
    """
    sentences = list(_of_models(summary))
    if not (is_brief and sentences):
        sentences += _of_flaws(summary, are_named=len(summary.models) == 1)
    left_out = len(sentences) - MOST_SENTENCES
    more = [f"and {count(left_out, 'more comparison')}, which the report shows"] if left_out > 0 else []
    return [*sentences[:MOST_SENTENCES], *more]


def run_sentence(compared: RunComparison) -> str | None:
    """Return the comparison of a run with an earlier one over all their cases; None without a common case."""
    difference = compared.groups[0].difference if compared.groups else None
    if difference is None:
        return None
    reference = neutralise(compared.reference)
    if difference.is_too_small:
        return f"{_too_few(difference)} to compare this run with {reference}"
    if difference.evidence is Evidence.NONE:
        return f"no evidence that this run and {reference} differ: {_signed_with_interval(difference)}"
    return f"this run is {difference.evidence} than {reference} by {_size_with_interval(difference)}"


def _of_models(summary: Summary) -> Iterator[str]:
    """Compare each two models; the one that comes first on the command line is the subject."""
    for found in summary.models:
        one, other, reverse = neutralise(found.reference), neutralise(found.sample), mirror(found.difference)
        if found.difference.is_too_small:
            more = _more_tasks(summary.rows, found.difference)
            yield f"{_too_few(found.difference)} to compare {one} with {other}{more}"
        elif found.difference.evidence is Evidence.NONE:
            yield f"no evidence that {one} and {other} differ: {_signed_with_interval(reverse)}"
        else:
            worse = _worse(found)
            pronoun = "it" if worse == found.reference else neutralise(worse or "")
            costs = _costliest(summary.rows, worse, pronoun)
            yield f"{one} is {reverse.evidence} than {other} by {_size_with_interval(reverse)}{costs}"


def _of_flaws(summary: Summary, *, are_named: bool) -> Iterator[str]:
    """Compare each model's flawed plans with its optimal ones; `are_named` if the worse model's flaw is named."""
    worse = {_worse(found) for found in summary.models} if are_named else set()
    for model in summary.model_figures:
        found, name = model.flawed, neutralise(model.model)
        if found is None:
            continue
        costs = "" if model.model in worse else _costliest(summary.rows, model.model, "it")
        if found.is_too_small:
            yield f"{_too_few(found)} to compare the flawed plans of {name} with its optimal ones"
        elif found.evidence is Evidence.NONE:
            yield f"no evidence that flawed plans change {name}: {_signed_with_interval(found)}{costs}"
        else:
            yield f"flawed plans make {name} {found.evidence} by {_size_with_interval(found)}{costs}"


def _worse(found: ModelDifference) -> str | None:
    """Return the model that is shown to be worse, None without evidence."""
    names = {Evidence.WORSE: found.sample, Evidence.BETTER: found.reference}
    return names.get(found.difference.evidence)


def mirror(difference: PairedDifference) -> PairedDifference:
    """Return the difference with the sides swapped; only `unpaired` is still that of the sample."""
    evidence = {Evidence.WORSE: Evidence.BETTER, Evidence.BETTER: Evidence.WORSE}
    low, high = difference.low, difference.high
    return msgspec.structs.replace(
        difference,
        won=difference.lost,
        lost=difference.won,
        low=None if high is None else -high,
        high=None if low is None else -low,
        evidence=evidence.get(difference.evidence, Evidence.NONE),
    )


def _costliest(rows: Sequence[Row], model: str | None, pronoun: str) -> str:
    """Return the part of a sentence on the flaws that cost a model most; empty without a loss over enough tasks."""
    losses = [
        (row.difference.value, f"{row.prompt_type.flaw_kind}{f' ({row.severity})' if row.severity else ''}")
        for row in rows
        if row.model == model and row.prompt_type.flaw_kind and row.difference is not None
        if row.difference.value < 0 and not row.difference.is_too_small
    ]
    if not losses:
        return ""
    most, _ = min(losses)
    names = list(dict.fromkeys(name for value, name in losses if value == most))
    if len(names) == 1:
        return f"; {names[0]} costs {pronoun} most: {signed_points(most)}"
    flaws = " and ".join(names) if len(names) <= MOST_NAMES else f"{len(names)} flaws"
    return f"; {flaws} cost {pronoun} most: {signed_points(most)} each"


def _signed_with_interval(difference: PairedDifference) -> str:
    low, high = _bound(difference.low), _bound(difference.high)
    return f"{signed_points(difference.value)} points (95%: {low} to {high}, {_p(difference)})"


def _size_with_interval(difference: PairedDifference) -> str:
    """Return the size of a difference without its sign, and its interval in the same direction."""
    low, high = (
        -1.0 if difference.low is None else difference.low,
        1.0 if difference.high is None else difference.high,
    )
    bounds = (low, high) if difference.value > 0 else (-high, -low)
    size = signed_points(abs(difference.value)).removeprefix("+")
    shown = [f"{100 * bound + 0.0:.0f}" for bound in bounds]
    return f"{size} points (95%: {shown[0]} to {shown[1]}, {_p(difference)})"


def _bound(value: float | None) -> str:
    return "?" if value is None else signed_points(value)


def _p(difference: PairedDifference) -> str:
    shown = p_value(difference)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def _too_few(difference: PairedDifference) -> str:
    return f"{count(difference.tasks, 'task')} {'is' if difference.tasks == 1 else 'are'} too few"


def _more_tasks(rows: Sequence[Row], difference: PairedDifference) -> str:
    """Return what more tasks would detect, and what they would cost at this run's prices."""
    if not difference.tasks_needed:
        return ""
    price = price_of(rows, difference.tasks_needed / difference.tasks)
    return f"; {difference.tasks_needed:,} tasks would detect {100 * SMALL_DIFFERENCE:.0f} points{price}"
