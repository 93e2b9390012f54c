"""The results of the present run, read from its journals: an episode for each planned case, and what was lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property

import pytest

from pytest_ultra.controller.output_failures import reason
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.figures import Summary
from pytest_ultra.errors import UltraError
from pytest_ultra.reporting.text import count, neutralise
from pytest_ultra.storage.journal import JournalContents, read_episodes
from pytest_ultra.storage.json_document import broken_episode, complete
from pytest_ultra.storage.run_directory import RunDirectory

GONE = "the record is no longer in the run's directory"


class RunResults:
    """What the journals hold, compared with what the tests have reported.

    A case that a test has reported, and whose record cannot be read any more, is an error of the harness.
    """

    def __init__(
        self,
        run: RunDirectory,
        planned: Sequence[tuple[Case, str]],
        reported: ReportedCases,
        models: Sequence[str] = (),
    ) -> None:
        """`models` is the order of the models in the summary."""
        self._run = run
        self._models = models
        self._planned = planned
        self._reported = reported

    @cached_property
    def episodes(self) -> tuple[Episode, ...]:
        return complete((*self._contents.episodes, *self._lost), self._planned)

    @cached_property
    def summary(self) -> Summary:
        from pytest_ultra.analysis.summary import summarize  # noqa: PLC0415 - only the end of a run needs it

        return summarize(self.episodes, self._models)

    @property
    def loss(self) -> str | None:
        """Say how many results are lost, why, and what to do; None if none is."""
        if not self._lost:
            return None
        cause = self._obstacle or self._lost[0].error or GONE
        return neutralise(
            f"the results of {count(len(self._lost), 'case')} are lost: {cause} ({str(self._run.path)!r}); keep the "
            "run's directory unchanged until the run has ended"
        )

    @cached_property
    def _contents(self) -> JournalContents:
        try:
            return read_episodes(self._run)
        except (UltraError, OSError) as error:
            return JournalContents((), obstacle=reason(error))

    @property
    def _obstacle(self) -> str | None:
        return self._contents.obstacle

    @cached_property
    def _lost(self) -> tuple[Episode, ...]:
        found = {episode.case_id for episode in self._contents.episodes}
        damaged = {line.case_id: str(line) for line in self._contents.damaged if line.case_id}
        now = time.time()
        return tuple(
            broken_episode(case, nodeid, damaged.get(case.case_id) or self._obstacle or GONE, at=now)
            for case, nodeid in {case.case_id: (case, nodeid) for case, nodeid in self._planned}.values()
            if case.case_id not in found and case.case_id in self._reported.case_ids
        )


class ReportedCases:
    """Hook implementations of the first process that note which cases have been reported with an outcome."""

    def __init__(self) -> None:
        self.case_ids: set[str] = set()

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        if properties.get("ultra_outcome", Outcome.SKIPPED) != Outcome.SKIPPED:
            self.case_ids.add(str(properties.get("ultra_case_id")))
