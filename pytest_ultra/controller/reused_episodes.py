"""What a run reuses from earlier runs, as the user asked for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from pytest_ultra.core.case import Case
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.text import count, neutralise
from pytest_ultra.storage.reuse import Rerun, Reuse, find_reuse
from pytest_ultra.storage.run_directory import RunDirectory


class ReusedEpisodes:
    """The episodes of earlier runs that this run does not run again."""

    def __init__(self, settings: Settings, case_ids: Sequence[str]) -> None:
        self._settings = settings
        self._case_ids = case_ids
        self._reuse = Reuse()
        self._is_searched = False

    def find(self) -> None:
        """Search the stored runs, once; raise `pytest.UsageError` if what the user asked for is not possible."""
        if self._settings.fresh or self._is_searched:
            return
        self._is_searched = True
        rerun = Rerun(self._settings.rerun) if self._settings.rerun else None
        self._reuse = find_reuse(self._settings.dir, self._case_ids, rerun)
        if rerun and self._reuse.obstacle:
            raise pytest.UsageError(f"--ultra-rerun: {self._reuse.obstacle}; leave --ultra-rerun out to run all cases")

    @property
    def case_ids(self) -> Collection[str]:
        """The ids of the cases that are not run again."""
        return self._reuse.episodes.keys()

    def write_to(self, run: RunDirectory, planned: Sequence[tuple[Case, str]]) -> None:
        """Write what is reused for these cases into the run's files."""
        try:
            is_new_start = self._settings.fresh or self._settings.rerun is not None
            self._reuse.write_to_run(run, planned, is_new_start=is_new_start)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise pytest.UsageError(
                f"--ultra-dir: cannot write to {str(run.path)!r} ({reason}); make room, or name another directory"
            ) from error

    def header_lines(self, cases: int) -> list[str]:
        reuse, rerun = self._reuse, self._settings.rerun
        lines = []
        if self._settings.fresh:
            lines.append("--ultra-fresh: nothing is reused from earlier runs")
        elif rerun and not reuse.runs:
            lines.append(f"--ultra-rerun={rerun}: no earlier run has an episode to reuse, so all cases are run")
        elif rerun:
            lines.append(f"{self._count(cases)} reused from {self._sources()}; --ultra-rerun={rerun} runs the others")
        elif reuse.episodes:
            lines.append(
                f"{self._count(cases)} reused from {self._sources()}, which was interrupted; the others are run "
                "(--ultra-fresh runs all)"
            )
        if reuse.obstacle:
            lines.append(reuse.obstacle)
        return [f"ultra: {neutralise(line)}" for line in lines]

    def _count(self, cases: int) -> str:
        return f"{count(len(self._reuse.episodes), 'episode')} of {count(cases, 'case')}"

    def _sources(self) -> str:
        newest, *others = self._reuse.runs
        return f"run {newest}{f' and {len(others)} before it' if others else ''}"
