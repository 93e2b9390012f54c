"""Limits what pytest prints of failed cases of the built-in suite at the end of a run; its reports stay as they are."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Protocol

import msgspec
import pytest

from pytest_ultra.collection.builtin_suite import SUITE_ID
from pytest_ultra.collection.episode_failures import CrashLine, episode_failure_of
from pytest_ultra.controller.output_failures import OutputFailures
from pytest_ultra.core.episode import Episode
from pytest_ultra.reporting.text import count

MOST = 3
"""How many failures are shown if the user did not say."""
_KINDS = {"error": "E", "failed": "f"}
"""The lists of pytest's terminal, and the character of `-r` that makes its short summary name what is in them."""
_USUAL_REPORT = "fE"
"""pytest's default of `-r`."""


class _Run(Protocol):
    @property
    def planned_cases(self) -> int: ...
    @property
    def episodes(self) -> Sequence[Episode]: ...


class FailureHooks:
    """Hook implementations of the first process.

    pytest prints the whole text of each failure before other plugins print their summaries, and its short summary after
    them. Only while it does so are its lists of reports shortened: other plugins see all of them.
    """

    def __init__(self, run: _Run, most: int | None) -> None:
        """`most` failures are shown whole. None means that up to `MOST` are, and that of more only lines are."""
        self._run = run
        self._most = most
        self._failures = OutputFailures()
        self._all: dict[str, list[pytest.TestReport]] = {}
        self._missed: list[pytest.TestReport] = []  # the reports of cases with an episode
        self._broken: list[pytest.TestReport] = []
        self._left_out: dict[str, int] = {}  # of each list, how many reports are not in pytest's short summary

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
        """Come before pytest's own texts and after its short summary."""
        if getattr(terminalreporter, "no_summary", False):
            return (yield)
        if terminalreporter.config.option.tbstyle == "line":
            _leave_lines(terminalreporter)
        if terminalreporter.verbosity > 1:
            return (yield)
        self._all = {kind: list(terminalreporter.stats.get(kind, ())) for kind in _KINDS}
        self._missed, self._broken = _split(report for reports in self._all.values() for report in reports)
        try:
            self._show(terminalreporter, self._most_whole(terminalreporter))
            result = yield
        finally:
            self._restore(terminalreporter)
        if terminalreporter.verbosity > 0:
            return result
        is_wanted = getattr(terminalreporter, "hasopt", bool)  # some reporters have few of pytest's attributes
        listed = [kind for kind, char in _KINDS.items() if is_wanted(char)]
        left_out = sum(self._left_out[kind] for kind in listed)
        if left_out and sum(len(self._all[kind]) for kind in listed) > left_out:
            terminalreporter.write_line(f"and {left_out:,} more of the suite's cases; -v names all")
        return result

    @pytest.hookimpl(wrapper=True, trylast=True, specname="pytest_terminal_summary")
    def pytest_terminal_summary_of_others(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, object, object]:
        """Come after pytest's own texts and before its short summary."""
        if not self._all:
            return (yield)
        self._restore(terminalreporter)
        try:
            return (yield)
        finally:
            self._show(terminalreporter, self._most_named(terminalreporter))
            shown = terminalreporter.stats
            self._left_out = {kind: len(reports) - len(shown.get(kind, ())) for kind, reports in self._all.items()}
            _shorten(terminalreporter)

    @pytest.hookimpl(tryfirst=True, specname="pytest_terminal_summary")
    def pytest_terminal_summary_list(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Come after the texts of failures: those that have none get a line."""
        if self._all and terminalreporter.verbosity == 0 and terminalreporter.config.option.tbstyle != "no":
            with self._failures.caught("the failures cannot be listed"):
                self._list(terminalreporter)
            self._failures.print(terminalreporter)

    def _list(self, terminalreporter: pytest.TerminalReporter) -> None:
        failed = self._missed
        if not self._most_listed or len(failed) <= self._most_whole(terminalreporter):
            return
        from pytest_ultra.reporting.failure_list import describe, failure_lines  # noqa: PLC0415 - as above

        by_nodeid = {episode.nodeid: episode for episode in self._run.episodes}
        whole = set(map(id, self._chosen(self._most_whole(terminalreporter))))
        chosen = [report for report in self._chosen(self._most_listed) if id(report) not in whole]
        shown = [describe(by_nodeid[report.nodeid]) for report in chosen if report.nodeid in by_nodeid]
        if not shown:
            return
        terminalreporter.ensure_newline()
        terminalreporter.section(f"{len(shown):,} of {count(len(failed), 'failure')}")
        width = shutil.get_terminal_size().columns
        for line in failure_lines(shown, width):
            terminalreporter.write_line(line)

    @property
    def _most_listed(self) -> int:
        return MOST if self._most is None else self._most

    def _most_named(self, terminalreporter: pytest.TerminalReporter) -> int:
        """Return how many failures pytest's short summary names; with `-q`, none of many, unless the user said so.

        The user also says so by `-r`.
        """
        if terminalreporter.verbosity > 0:
            return len(self._missed)
        is_chosen = self._most is not None or terminalreporter.config.option.reportchars != _USUAL_REPORT
        is_silent = not is_chosen and terminalreporter.verbosity < 0 and len(self._missed) > MOST
        return 0 if is_silent else self._most_listed

    def _most_whole(self, terminalreporter: pytest.TerminalReporter) -> int:
        if terminalreporter.verbosity > 0:
            return len(self._missed)
        if self._most is not None:
            return self._most
        return MOST if len(self._missed) <= MOST and terminalreporter.verbosity == 0 else 0

    def _chosen(self, most: int) -> list[pytest.TestReport]:
        from pytest_ultra.reporting.failure_list import choose_different  # noqa: PLC0415 - imported while tests run

        return choose_different(self._missed, most, _failure_class)

    def _show(self, terminalreporter: pytest.TerminalReporter, most: int) -> None:
        """Leave only so many reports of the suite in pytest's lists, chosen to differ in class.

        Reports without an episode, such as those of a broken fixture, say why in their text: a few always stay.
        """
        from pytest_ultra.reporting.failure_list import choose_different  # noqa: PLC0415 - imported while tests run

        broken = self._broken if terminalreporter.verbosity > 0 else choose_different(self._broken, MOST, _last_line)
        kept = set(map(id, [*self._chosen(most), *broken]))
        for kind, reports in self._all.items():
            if reports:
                terminalreporter.stats[kind] = [r for r in reports if id(r) in kept or not _is_of_suite(r)]

    def _restore(self, terminalreporter: pytest.TerminalReporter) -> None:
        for kind, reports in self._all.items():
            if reports:
                terminalreporter.stats[kind] = reports


class _Line(CrashLine, frozen=True):
    """Takes the place of a failure's text with `--tb=line`: pytest prints its `reprcrash` after what this prints."""

    @property
    def reprcrash(self) -> CrashLine:
        return self

    def toterminal(self, tw: object) -> None: ...


def _leave_lines(terminalreporter: pytest.TerminalReporter) -> None:
    """Leave the reports of episodes in pytest's lists without their texts."""
    for kind in _KINDS:
        if reports := terminalreporter.stats.get(kind):
            terminalreporter.stats[kind] = list(map(_as_line, reports))


def _as_line(report: pytest.TestReport) -> pytest.TestReport:
    failure = episode_failure_of(report)
    if failure is None:
        return report
    line: Any = _Line(*msgspec.structs.astuple(failure.reprcrash))
    report = copy.copy(report)
    report.longrepr = line
    return report


def _shorten(terminalreporter: pytest.TerminalReporter) -> None:
    """Leave the suite's reports in pytest's lists with the first line of their texts.

    Where an environment variable says that this is a CI job, pytest's short summary prints whole texts again.
    """
    for kind in _KINDS:
        if reports := terminalreporter.stats.get(kind):
            terminalreporter.stats[kind] = [_shortened(r) if _is_of_suite(r) else r for r in reports]


def _shortened(report: pytest.TestReport) -> pytest.TestReport:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = report.longreprtext if crash is None else str(crash.message)
    shortened = copy.copy(report)
    shortened.longrepr = text.strip().partition("\n")[0]
    return shortened


def _split(reports: Iterable[pytest.TestReport]) -> tuple[list[pytest.TestReport], list[pytest.TestReport]]:
    """Return the reports of the suite's cases that have an episode, and those that have none."""
    missed: list[pytest.TestReport] = []
    broken: list[pytest.TestReport] = []
    for report in reports:
        if _is_of_suite(report):
            (missed if _failure_class(report) else broken).append(report)
    return missed, broken


def _is_of_suite(report: pytest.TestReport) -> bool:
    return report.nodeid.startswith(f"{SUITE_ID}::")


def _failure_class(report: pytest.TestReport) -> str:
    """Return the failure class of a case; empty without an episode."""
    return str(dict(report.user_properties).get("ultra_failure_class") or "")


def _last_line(report: pytest.TestReport) -> str:
    """Return what differs between reports with another cause."""
    return report.longreprtext.rstrip().rpartition("\n")[2]
