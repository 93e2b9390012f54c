"""A run as its first process sees it: opens it, prints its header and summary, closes it."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path

import pytest

from pytest_ultra.collection.run_agents import check_agents
from pytest_ultra.collection.run_commands import check_commands
from pytest_ultra.controller.called_endpoints import find_protocols, needs_demo
from pytest_ultra.controller.demo.process import DemoProcess, start_demo
from pytest_ultra.controller.output_failures import OutputFailures
from pytest_ultra.controller.provenance import describe_run
from pytest_ultra.controller.reused_episodes import ReusedEpisodes
from pytest_ultra.controller.round_hooks import RoundHooks
from pytest_ultra.controller.run_document import RunDocument
from pytest_ultra.controller.run_header import agent_lines, header_lines, selected_line
from pytest_ultra.controller.run_lifecycle import RunLifecycle
from pytest_ultra.controller.run_results import ReportedCases, RunResults
from pytest_ultra.controller.unrun_cases import UnrunCases
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Summary
from pytest_ultra.core.rounds import number_rounds
from pytest_ultra.distribution.partition import find_case_id
from pytest_ultra.distribution.placement import Placement, count_workers
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.header_lines import protocol_lines
from pytest_ultra.storage.journal import QUARANTINED, Journal, has_journals
from pytest_ultra.storage.json_document import broken_episode
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import read_interruption
from pytest_ultra.storage.started_cases import find_in_flight
from pytest_ultra.storage.stop_signal import send_stop, withdraw_stop


class Run:
    """Hook implementations of the first process: xdist's controller, or the only process."""

    def __init__(self, config: pytest.Config, settings: Settings, cases: Mapping[str, Case]) -> None:
        """Check that every model and agent can be reached; raise `pytest.UsageError` if one cannot."""
        check_agents(config, settings.agent)
        check_commands(config, settings)
        self._settings = settings
        self._describe = partial(describe_run, config, settings)
        self._cases = cases
        self._demo: DemoProcess | None = None
        self._planned: list[tuple[Case, str]] = []
        self._planned_cases = 0
        self._is_planned = False
        self._shows_header = config.get_verbosity() >= 0 and not config.getoption("no_header", default=False)
        self.rounds = number_rounds(cases, settings.until, settings.instances)
        self._round_hooks = None if settings.until is None else RoundHooks(self, cases, self.rounds)
        if self._round_hooks is not None:
            config.pluginmanager.register(self._round_hooks, "ultra-rounds")
        self._reused = ReusedEpisodes(settings, [case.case_id for case in cases.values()])
        self._unrun = UnrunCases()
        config.pluginmanager.register(self._unrun, "ultra-unrun-cases")
        self._lifecycle = RunLifecycle(self._unrun)
        config.pluginmanager.register(self._lifecycle, "ultra-lifecycle")
        self._reported = ReportedCases()
        config.pluginmanager.register(self._reported, "ultra-reported-cases")
        self._document = RunDocument()
        config.pluginmanager.register(self._document, "ultra-document")
        self.failures = OutputFailures()
        self._has_demo = needs_demo(config, settings)
        self._protocol_lines = protocol_lines(find_protocols(config, settings))
        self._started_at, self._started = time.time(), time.monotonic()

    @cached_property
    def directory(self) -> RunDirectory:
        """The run's directory. The first access makes it, so a run that never starts leaves none."""
        self._reused.find()
        try:
            directory = RunDirectory.create(self._settings.dir, self._describe(), started_at=self._started_at)
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None
        self._lifecycle.start(directory)
        return directory

    @cached_property
    def demo_url(self) -> str | None:
        if not self._has_demo:
            return None
        self._demo = start_demo()
        return self._demo.url

    def place(self) -> Placement:
        """Return the placement of the only process; workers get theirs from it."""
        return Placement(run_folder=str(self.directory.path), demo_url=self.demo_url, ends_at=self._ends_at)

    def plan(self, nodeids: Sequence[str]) -> list[str]:
        """Store the selected tests as the run's plan, once the demo endpoint is ready; return what to print of it.

        The first collection counts: all workers have the same one, except a replacement that cannot collect all.
        """
        if self._is_planned:
            return []
        self._is_planned = True
        if self._demo is not None:
            self._demo.wait_until_ready()
        found = ((find_case_id(nodeid, self._cases), nodeid) for nodeid in nodeids)
        self._planned = [(self._cases[case_id], nodeid) for case_id, nodeid in found if case_id]
        self._planned_cases = len({case.case_id for case, _ in self._planned})
        self._unrun.expect(self.directory, {nodeid: case.case_id for case, nodeid in self._planned})
        self._reused.write_to(self.directory, self._planned)
        line = selected_line(self.directory, selected=self._planned_cases, planned=len(self._cases))
        return [line] if self._shows_header else []

    @pytest.hookimpl
    def pytest_report_header(self, config: pytest.Config) -> list[str]:
        number, workers = len(self._cases), count_workers(config)
        self._reused.find()
        lines = header_lines(self._settings, cases=number, workers=workers)
        return [*lines, *self._protocol_lines, *agent_lines(self._settings), *self._reused.header_lines(number)]

    @pytest.hookimpl
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Plan what was selected if this process collects; xdist's controller does not."""
        self.plan([item.nodeid for item in session.items])

    @pytest.hookimpl
    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> list[str]:
        """Plan here too: pytest's terminal comes before `pytest_collection_finish` of this class."""
        return self.plan([item.nodeid for item in items])

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Stop the workers at once, whatever the reason; write the document when all journals are closed."""
        self.stop()
        result = yield
        if self._has_started:
            with suppress(OSError):
                withdraw_stop(self.directory)
            is_stopped = self._interruption and not self._settings.gates.decide_run
            if session.exitstatus == pytest.ExitCode.OK and (is_stopped or self._results.loss):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self._fail_if_not_written(session)  # first, so that the document says the same
        if self._settings.json and self._planned:
            self._write_document(self._settings.json, session)
        self._fail_if_not_written(session)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Stop the workers before pytest renders the traceback, which can take seconds."""
        self.stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Mark reused results in a verbose terminal; a failure's text says it itself."""
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
            from pytest_ultra.controller.end_of_run import print_end_of_run  # noqa: PLC0415 - imported while tests run

            print_end_of_run(terminalreporter, self._results, self.failures, self._interruption)

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        if self._demo is not None:
            self._demo.stop()
        if self._has_started:
            self._lifecycle.end()
            with suppress(OSError):  # what cannot be read is not discarded
                if not self._planned and not has_journals(self.directory):
                    self.directory.discard()

    def find_in_flight(self, worker: str) -> frozenset[str]:
        """Return the tests whose episodes were in flight when a worker crashed."""
        case_ids = find_in_flight(self.directory, worker)
        return frozenset(nodeid for case, nodeid in self._planned if case.case_id in case_ids)

    def quarantine(self, nodeid: str, reason: str) -> None:
        """Record an error for a case that is not run, because it crashes every worker that runs it."""
        case = next(case for case, planned in self._planned if planned == nodeid)
        journal = Journal(self.directory, QUARANTINED)
        journal.append(broken_episode(case, nodeid, reason, at=time.time()))
        journal.close()

    def stop(self) -> None:
        """Make all workers cancel their episodes in flight."""
        if self._has_started:
            with suppress(OSError):  # the run's directory is gone, which workers notice themselves
                send_stop(self.directory)

    @property
    def planned_cases(self) -> int:
        """The number of selected cases; several tests that take the same case count once."""
        return self._planned_cases

    @property
    def started(self) -> RunDirectory | None:
        """The run's directory, None if the run has not started."""
        return self.directory if self._has_started else None

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """An episode for each planned case, without transcripts. Use it only when all journals are closed."""
        return self._results.episodes

    def read_episode(self, episode: Episode) -> Episode:
        """Return an episode with its transcript, which may be read from disk."""
        return self._results.read(episode)

    @property
    def summary(self) -> Summary:
        """The run's figures. Use it only when all workers have closed their journals."""
        return self._results.summary

    @property
    def has_lost_results(self) -> bool:
        return self._results.loss is not None

    def summary_so_far(self) -> Summary:
        """Return the figures of what is on disk now: workers may still be running the last episodes."""
        return self._read_results().summary

    @cached_property
    def _results(self) -> RunResults:
        return self._read_results()

    def _read_results(self) -> RunResults:
        planned = self._planned if self._round_hooks is None else self._round_hooks.keep_needed(self._planned)
        return RunResults(self.directory, planned, self._reported, self._settings.tested)

    def _fail_if_not_written(self, session: pytest.Session) -> None:
        if self.failures.lines and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write_document(self, path: Path, session: pytest.Session) -> None:
        """Write the JSON document. A run of which an output that the user wanted was not written has failed."""
        end = {"duration_s": time.monotonic() - self._started, "exit_status": int(session.exitstatus)}
        with self.failures.caught("the JSON document was not written"):
            self._document.write(path, self.directory.describe() | end, self.episodes)

    @property
    def _has_started(self) -> bool:
        return "directory" in self.__dict__

    @property
    def _ends_at(self) -> float | None:
        limit_s = self._settings.run_timeout
        return None if limit_s is None else self._started_at + limit_s

    @property
    def _interruption(self) -> str | None:
        return read_interruption(self.directory) if self._has_started else None
