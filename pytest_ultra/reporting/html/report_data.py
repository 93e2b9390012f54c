"""The data of a report: those of a run and, where it is compared with another, those of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Comparison, RunComparison, Summary
from pytest_ultra.core.goal_report import GoalReport
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.prices import Price
from pytest_ultra.reporting.html.run_facts import RunFacts

EpisodeLookup = Callable[[Episode], tuple[Episode, AnyGuidance | None, GoalReport | None]]
"""Returns an episode with its transcript, and its guidance and goal report, None if they no longer exist."""


class ReportContents(msgspec.Struct, frozen=True):
    """The data of a report. `episodes` may lack their transcripts, which `look_up` adds, one episode at a time.

    `comparisons` compare, for each model, all flawed plans with the optimal ones. `prices` are by model, as far as they
    are known. `earlier` is another run that this one is compared with. `served_version` is empty unless the page is
    served and follows a run; it changes with the run.
    """

    facts: RunFacts
    summary: Summary
    episodes: Sequence[Episode]
    look_up: EpisodeLookup
    comparisons: Sequence[Comparison] = ()
    prices: Mapping[str, Price] = {}
    earlier: EarlierRun | None = None
    served_version: str = ""


class EarlierRun(msgspec.Struct, frozen=True):
    """The run that a report compares its own run with."""

    contents: ReportContents
    comparison: RunComparison
