"""A run as its first process sees it: opened, announced, summed up, closed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Generator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

import pytest

from pytest_ultra.controller.demo.process import DemoProcess, start_demo
from pytest_ultra.controller.provenance import describe_run
from pytest_ultra.controller.reused_episodes import Inheritance
from pytest_ultra.controller.run_lifecycle import Course
from pytest_ultra.controller.warm_up import WarmUp
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Summary
from pytest_ultra.distribution.partition import find_case_id
from pytest_ultra.distribution.placement import Placement, count_workers
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.requested_gates import has_gates
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_spec
from pytest_ultra.reporting.notices import tell_findings
from pytest_ultra.reporting.terminal_summary import end_of_run, header
from pytest_ultra.storage.journal import SET_ASIDE, Journal, has_journals, read_episodes
from pytest_ultra.storage.json_document import broken_episode, complete, write_document
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import noted_cut_off
from pytest_ultra.storage.started_cases import find_in_flight
from pytest_ultra.worker.stop_signal import order_stop, withdraw_stop


class Run:
    """Hook implementations of the controller, or of the only process."""

    def __init__(self, config: pytest.Config, settings: Settings, cases: Mapping[str, Case]) -> None:
        """Check that every model can be asked; raise `pytest.UsageError` if one cannot."""
        self._settings = settings
        self._describe = partial(describe_run, config, settings)
        self._cases = cases
        self._demo: DemoProcess | None = None
        self._planned: list[tuple[Case, str]] = []
        self._inheritance = Inheritance(settings, [case.case_id for case in cases.values()])
        self._course = Course(config)
        config.pluginmanager.register(self._course, "ultra-course")
        self._has_demo = _needs_demo(config, settings)
        self._started_at = time.time()
        self._warm_up = WarmUp()

    @cached_property
    def directory(self) -> RunDirectory:
        """The run's directory, made when it is first asked for: a run that never begins leaves none."""
        self._inheritance.look_up()
        made = RunDirectory.create(self._settings.dir, self._describe(), started_at=self._started_at)
        self._course.begin(made)
        return made

    @cached_property
    def demo_url(self) -> str | None:
        if not self._has_demo:
            return None
        self._demo = start_demo()
        return self._demo.url

    def place(self) -> Placement:
        """Return what holds for every process of the run."""
        return Placement(run_folder=str(self.directory.path), demo_url=self.demo_url, ends_at=self._ends_at)

    def plan(self, nodeids: Sequence[str]) -> None:
        """Note the tests that were selected; by now, the embedded endpoint has had the time to get ready."""
        if self._demo is not None:
            self._demo.wait_until_ready()
        found = ((find_case_id(nodeid, self._cases), nodeid) for nodeid in nodeids)
        self._planned = [(self._cases[case_id], nodeid) for case_id, nodeid in found if case_id]
        self._inheritance.hand_over(self.directory, self._planned)
        self._warm_up.begin()

    @pytest.hookimpl
    def pytest_report_header(self, config: pytest.Config) -> list[str]:
        replayed = self._settings.cassette and (
            f"ultra: --ultra-cassette={self._settings.cassette}, answers in {_relative(self._settings.cassette_dir)}"
        )
        told = header(
            cases=len(self._cases),
            models=self._settings.model,
            workers=count_workers(config),
            seed=self._settings.seed,
            where=_relative(self.directory.path),
            preset=self._settings.preset,
            departures=self._settings.departures,
        )
        return [*told, *([replayed] if replayed else []), *self._inheritance.tell(len(self._cases))]

    @pytest.hookimpl
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what was selected where this process collects; xdist's controller does not."""
        self.plan([item.nodeid for item in session.items])

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Stop the workers at once, whatever the reason; with all journals closed, write the document."""
        self.stop()
        self._warm_up.stop()
        result = yield
        if self._is_begun:
            withdraw_stop(self.directory.path)
            if self._cut_off and session.exitstatus == pytest.ExitCode.OK and not has_gates(self._settings):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._settings.json and self._planned:
            ended = {"duration_s": time.time() - self._started_at, "exit_status": int(session.exitstatus)}
            write_document(self._settings.json, self.directory.describe() | ended, self.episodes)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Show in a verbose terminal which results are reused; a failure says so in its text, and its word is kept."""
        if (
            report.when != "call"
            or hasattr(report, "wasxfail")
            or ("ultra_reused", "true") not in report.user_properties
        ):
            return None
        return ("passed", ".", "PASSED (reused)") if report.passed else None

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._planned:
            terminalreporter.section("ultra")
            for line in end_of_run(self.summary, shutil.get_terminal_size().columns):
                terminalreporter.write_line(line.text, **dict.fromkeys(line.markup, True))
            for text in tell_findings(self.episodes):
                terminalreporter.write_line(text, yellow=True)
            if self._cut_off:
                told = f"the run was cut off: {self._cut_off}; the next run takes what is finished and goes on"
                terminalreporter.write_line(told, red=True)

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        if self._demo is not None:
            self._demo.stop()
        if self._is_begun:
            self._course.end()
            if not has_journals(self.directory):
                self.directory.discard()

    def find_in_flight(self, worker: str) -> frozenset[str]:
        """Return the tests whose episodes a worker was living when it crashed."""
        case_ids = find_in_flight(self.directory, worker)
        return frozenset(nodeid for case, nodeid in self._planned if case.case_id in case_ids)

    def set_aside(self, nodeid: str, reason: str) -> None:
        """Keep a record of a case that is not lived, because it crashes whoever lives it."""
        case = next(case for case, planned in self._planned if planned == nodeid)
        journal = Journal(self.directory, SET_ASIDE)
        journal.append(broken_episode(case, nodeid, reason, at=time.time()))
        journal.close()

    def stop(self) -> None:
        """Have all workers cancel what is in flight."""
        if self._is_begun:
            order_stop(self.directory.path)

    @property
    def planned_cases(self) -> int:
        """How many cases were selected; tests that take the same one are no more."""
        return len({case.case_id for case, _ in self._planned})

    @property
    def begun(self) -> RunDirectory | None:
        """The run's directory, None as long as it has not been asked for."""
        return self.directory if self._is_begun else None

    @cached_property
    def episodes(self) -> tuple[Episode, ...]:
        """An episode for each planned case; to be asked for when all workers have closed their journals."""
        return complete(read_episodes(self.directory).episodes, self._planned)

    @cached_property
    def summary(self) -> Summary:
        """The run's figures, likewise."""
        from pytest_ultra.analysis.summary import summarize  # noqa: PLC0415 - for the end of a run only

        return summarize(self.episodes)

    def take_stock(self) -> Summary:
        """Return the figures of what is on disk now: workers may still live the last of it."""
        from pytest_ultra.analysis.summary import summarize  # noqa: PLC0415 - likewise

        return summarize(complete(read_episodes(self.directory).episodes, self._planned))

    @property
    def _is_begun(self) -> bool:
        return "directory" in self.__dict__

    @property
    def _ends_at(self) -> float | None:
        limit_s = self._settings.run_timeout
        return None if limit_s is None else self._started_at + limit_s

    @property
    def _cut_off(self) -> str | None:
        return noted_cut_off(self.directory) if self._is_begun else None


def _needs_demo(config: pytest.Config, settings: Settings) -> bool:
    """Tell whether a model is served by the embedded endpoint; raise `pytest.UsageError` if one cannot be served.

    Where the user's own endpoint is plugged in, the names of models are the user's own too.
    """
    if settings.cassette == "replay":
        return False
    has_own_endpoint = bool(config.hook.pytest_ultra_endpoint.get_hookimpls())
    is_open = has_own_endpoint or settings.cassette == "auto"
    are_demo = [_is_demo(name, settings, is_open=is_open) for name in settings.model]  # checks all of them
    return any(are_demo)


def _is_demo(name: str, settings: Settings, *, is_open: bool) -> bool:
    """Tell who serves a model; with `is_open`, one that cannot be resolved may be served all the same."""
    try:
        return find_spec(settings, name).is_demo
    except ConfigurationError as error:
        if is_open:
            return False
        raise pytest.UsageError(f"--ultra-model: {error}") from None


def _relative(path: Path) -> str:
    return os.path.relpath(path)
