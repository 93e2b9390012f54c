"""The runs of one trial, in one folder: disturbed ones, and then those that resume until all cases are scored."""

from __future__ import annotations

import random
from pathlib import Path

from fault_machine.disk import Disk
from fault_machine.disturber import Disturber
from fault_machine.ended_run import EndedRun
from fault_machine.pytest_run import PytestRun
from fault_machine.trial_plan import DisturbedRun, TrialPlan

OPTIONS = (
    "--ultra-model=follower",
    "--ultra-request-timeout=1.5",
    "--ultra-concurrency=3",
    "--ultra-json=result.json",
    "--junitxml=junit.xml",
)
MOST_LAST_RUNS = 5
"""Undisturbed runs after which all cases must be scored: one resumes, others run errors again."""
CONFTEST = """
import time

import pytest

@pytest.hookimpl(wrapper=True)
def pytest_ultra_workflow():
    time.sleep(0.02)  # hold the lock long enough to find its holder
    return (yield)
"""


class RunSeries:
    """`ended` are the runs so far, in the order in which they were started, whatever their clocks said."""

    def __init__(self, plan: TrialPlan, url: str, disk: Disk) -> None:
        self.ended: list[EndedRun] = []
        self.disturber = Disturber(plan.seed, disk)
        self._plan = plan
        self._url = url
        self._disk = disk
        (disk.folder / "conftest.py").write_text(CONFTEST)
        (disk.folder / "pytest.ini").write_text("[pytest]\n")

    @property
    def output(self) -> Path:
        """The file with what all runs have printed, on another disk."""
        return self._disk.folder.with_name("output.txt")

    def disturb(self) -> None:
        for planned in self._plan.runs:
            if not self._is_complete():
                self._disturb_run(planned)

    def finish(self) -> str | None:
        """Resume until all cases are scored; return what prevents it."""
        chance = random.Random(self._plan.seed)
        for _ in range(MOST_LAST_RUNS):
            if self._is_complete():
                return None
            self._end(self._start(chance.choice((0, 0, 2))))
        return None if self._is_complete() else f"not all cases are scored after {MOST_LAST_RUNS} undisturbed runs"

    def _is_complete(self) -> bool:
        """Return whether the newest run has scored all cases, and written its files."""
        if not self.ended or not self.ended[-1].has_finished or self.ended[-1].exit_code < 0:
            return False
        last = self.ended[-1]
        is_scored = last.planned is not None and last.planned <= last.scored()
        return is_scored and all(
            _was_written_in(last, self._disk.folder / name) for name in ("result.json", "junit.xml")
        )

    def _disturb_run(self, planned: DisturbedRun) -> None:
        run = self._start(planned.workers)
        for disturbance in planned.disturbances:
            self.disturber.disturb(run, disturbance)
        self._end(run)

    def _start(self, workers: int) -> PytestRun:
        """Start the same command again; after a finished run, that needs to name the errors."""
        planned = [run for run in self.ended if run.planned is not None]
        options = [*OPTIONS, f"--ultra-base-url={self._url}", f"--ultra-task-type={self._plan.task_types}"]
        options += [f"--ultra-prompt-type={self._plan.prompt_types}"]
        options += ["--ultra-fail-under=0"] if self._plan.is_gated else []
        options += ["--ultra-rerun=errors"] if planned and planned[-1].has_finished else []
        self.disturber.last_signal_at = 0.0
        return PytestRun(self._disk.folder, self.output, options, workers, on_poll=self._disk.poll)

    def _end(self, run: PytestRun) -> None:
        left = run.wait()
        self._disk.restore()
        ended = EndedRun(
            exit_code=run.exit_code,
            started_at=run.started_at,
            ended_at=run.ended_at,
            directory=run.directory,
            left_processes=len(left),
            last_signal_at=self.disturber.last_signal_at,
            had_few_files=run.has_few_files,
        )
        self.ended.append(ended)


def _was_written_in(run: EndedRun, file: Path) -> bool:
    return file.is_file() and file.stat().st_mtime >= run.started_at and file.stat().st_size > 0
