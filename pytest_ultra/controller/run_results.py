"""The results of the present run, read from its journals: an episode for each planned case, and what was lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from pytest_ultra.collection.items import NOT_STARTED
from pytest_ultra.controller.output_failures import reason
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.figures import Summary
from pytest_ultra.errors import UltraError
from pytest_ultra.reporting.text import count, neutralise
from pytest_ultra.storage.json_document import broken_episode, complete
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.slim_episodes import SlimEpisodes

if TYPE_CHECKING:
    from pytest_ultra.reporting.notices import Notices

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
        self._obstacle: str | None = None

    @cached_property
    def episodes(self) -> tuple[Episode, ...]:
        """An episode for each planned case, without the transcripts that are on disk."""
        found = () if self._stored is None else self._stored.found
        return complete((*found, *self._lost, *self._unstarted), self._planned)

    @property
    def has_started(self) -> bool:
        """Whether there may be an episode, or a part of one, that a later run could reuse."""
        return not self._unstarted or bool(self._stored and self._stored.found)

    def read(self, episode: Episode) -> Episode:
        """Return an episode with its transcript."""
        return episode if self._stored is None else self._stored.read(episode)

    @cached_property
    def summary(self) -> Summary:
        from pytest_ultra.analysis.summary import summarize  # noqa: PLC0415 - only the end of a run needs it

        return summarize(self.episodes, self._models)

    @cached_property
    def notices(self) -> Notices:
        from pytest_ultra.reporting.notices import Notices  # noqa: PLC0415 - only the end of a run needs it

        return Notices(map(self.read, self.episodes))

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
    def _stored(self) -> SlimEpisodes | None:
        """What the journals hold, None if they cannot be read."""
        try:
            return SlimEpisodes(self._run, keep_some=True)
        except (UltraError, OSError) as error:
            self._obstacle = reason(error)
            return None

    @cached_property
    def _lost(self) -> tuple[Episode, ...]:
        stored = self._stored
        found = {episode.case_id for episode in stored.found} if stored else set[str]()
        damaged = {line.case_id: str(line) for line in stored.damaged if line.case_id} if stored else {}
        now = time.time()
        return tuple(
            broken_episode(case, nodeid, damaged.get(case.case_id) or self._obstacle or GONE, at=now)
            for case, nodeid in {case.case_id: (case, nodeid) for case, nodeid in self._planned}.values()
            if case.case_id not in found and case.case_id in self._reported.case_ids
        )

    @cached_property
    def _unstarted(self) -> tuple[Episode, ...]:
        """Errors of the cases whose tests failed because their process could not start any episodes."""
        found = {episode.case_id for episode in self._stored.found} if self._stored else set[str]()
        now, reasons = time.time(), self._reported.not_started
        return tuple(
            broken_episode(case, nodeid, f"the episodes could not start ({reasons[nodeid]})", at=now)
            for case, nodeid in self._planned
            if nodeid in reasons and case.case_id not in found
        )


class ReportedCases:
    """Hook implementations of the first process that note which cases have been reported with an outcome.

    `not_started` says by node id why a test has none: its process could not start any episodes.
    """

    def __init__(self) -> None:
        self.case_ids: set[str] = set()
        self.not_started: dict[str, str] = {}

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        if properties.get("ultra_outcome", Outcome.SKIPPED) != Outcome.SKIPPED:
            self.case_ids.add(str(properties.get("ultra_case_id")))
        if NOT_STARTED in properties:
            self.not_started[report.nodeid] = str(properties[NOT_STARTED])
