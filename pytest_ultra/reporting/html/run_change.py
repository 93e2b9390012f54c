"""What changed from an earlier run, in a report of two runs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Counts, Flip, ModelDifference, RunComparison, Summary
from pytest_ultra.core.groups import ALL
from pytest_ultra.reporting.comparison_lines import is_worse, unpaired_line
from pytest_ultra.reporting.comparison_sentences import comparison_sentences, mirror
from pytest_ultra.reporting.html.forest_plot import ForestPlot, make_group_forest_plot
from pytest_ultra.reporting.html.html_notices import as_sentence
from pytest_ultra.reporting.html.model_cards import ModelCard, make_model_cards
from pytest_ultra.reporting.html.report_data import EarlierRun, ReportContents
from pytest_ultra.reporting.html.run_facts import RunFacts
from pytest_ultra.reporting.row_names import words

EARLIER, LATER = "A", "B"
"""The names of the runs, in the order of the command line."""


class RunChange(msgspec.Struct, frozen=True):
    """What changed from run A to run B; `worse` and `better` count the pairs with another outcome.

    `cards` are those of the earlier run.
    """

    sentence: str
    forest: ForestPlot | None
    note: str
    worse: int
    better: int
    earlier: RunFacts
    cards: tuple[ModelCard, ...]


def make_run_change(earlier: EarlierRun) -> RunChange:
    compared = earlier.comparison
    groups = [
        msgspec.structs.replace(group, group=words(group.group) if group.group in set(PromptType) else group.group)
        for group in compared.groups
    ]
    won, lost = (_count(compared.flips, is_lost=is_lost) for is_lost in (False, True))
    return RunChange(
        sentence=_sentence(compared),
        forest=make_group_forest_plot(groups),
        note=as_sentence(unpaired_line(compared)),
        worse=lost,
        better=won,
        earlier=earlier.contents.facts,
        cards=make_model_cards(earlier.contents.summary),
    )


def have_own_models(one: ReportContents, other: ReportContents) -> bool:
    """Return whether each run has a single model, and another one than the other run."""
    models, others = (_models(contents.episodes) for contents in (one, other))
    return len(models) == len(others) == 1 and models != others


def row_id(episode: Episode, run: str) -> str:
    """Return the id of a row in addresses: that of the case, which two runs can share."""
    return episode.case_id if run != EARLIER else f"{episode.case_id}@{run}"


def _models(episodes: Iterable[Episode]) -> set[str]:
    return {episode.case.model for episode in episodes}


def _sentence(compared: RunComparison) -> str:
    """Say in the words of the comparison of models whether B is worse than A."""
    difference = next((group.difference for group in compared.groups if group.group == ALL), None)
    if difference is None:
        return "No case was scored in both runs, so they cannot be compared."
    found = ModelDifference(EARLIER, LATER, mirror(difference))
    (sentence, *_) = comparison_sentences(Summary((), Counts(), (), (), models=(found,)))
    return f"{sentence}." if sentence.startswith(LATER) else as_sentence(sentence)


def _count(flips: Iterable[Flip], *, is_lost: bool) -> int:
    return sum(is_worse(flip) is is_lost for flip in flips)
