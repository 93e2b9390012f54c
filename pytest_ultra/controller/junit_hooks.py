"""What a run adds to the reports of other plugins: properties of JUnit's, columns and a summary of pytest-html's."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Protocol

import pytest

from pytest_ultra import __version__
from pytest_ultra.controller.junit_report import find_junit_report, place_properties
from pytest_ultra.controller.output_failures import OutputFailures
from pytest_ultra.core.figures import Row, Summary
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.text import neutralise
from pytest_ultra.storage.run_directory import RunDirectory

COLUMNS: Mapping[str, str] = {
    "ultra_model": "Model",
    "ultra_prompt_type": "Prompt type",
    "ultra_outcome": "Outcome",
    "ultra_failure_class": "Failure class",
}
"""Properties of a test with a column in pytest-html's table."""


class _Run(Protocol):
    @property
    def started(self) -> RunDirectory | None: ...
    def summary_so_far(self) -> Summary: ...


class JUnitHooks:
    """Hook implementations of the first process."""

    def __init__(self, settings: Settings, run: _Run) -> None:
        self._seed = settings.seed
        self._place = settings.junit_properties
        self._run = run
        self._failures = OutputFailures()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Come before JUnit's report is written; the workers have ended by then."""
        report = find_junit_report(session.config)
        run = self._run.started
        if report is not None and run is not None:
            with self._failures.caught("the properties of JUnit's report were not written"):
                place_properties(report, self._place)
                for name, value in suite_properties(self._run.summary_so_far(), run.run_id, self._seed):
                    report.add_global_property(name, value)

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._failures.print(terminalreporter)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        cells[2:2] = [f"<th>{title}</th>" for title in COLUMNS.values()]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        properties = dict(report.user_properties)
        cells[2:2] = [f"<td>{html.escape(str(properties.get(name, '')))}</td>" for name in COLUMNS]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        if self._run.started is not None:
            with self._failures.caught("the summary in pytest-html's report was not written"):
                from pytest_ultra.reporting.terminal_summary import counts_line  # noqa: PLC0415 - few runs use pytest-html

                prefix.append(f"<p>pytest-ultra: {html.escape(counts_line(self._run.summary_so_far()))}</p>")


def suite_properties(summary: Summary, run_id: str, seed: int) -> Iterator[tuple[str, str]]:
    """Yield the properties of the whole run: its id, its counts, and a rate for each row of the table."""
    counts = summary.counts
    yield "ultra_version", __version__
    yield "ultra_run", run_id
    yield "ultra_seed", str(seed)
    yield "ultra_versions", "; ".join(map(str, summary.versions))
    for name in ("planned", "scored", "full", "partial", "failed", "error", "skipped"):
        yield f"ultra_{name}", str(getattr(counts, name))
    yield "ultra_reused", str(summary.reused)
    for row in summary.rows:
        if row.success is not None:
            rate = row.success
            text = f"{rate.value:.4f} ({rate.successes}/{rate.n}, 95% interval {rate.low:.4f}-{rate.high:.4f})"
            yield f"ultra_success[{row_name(row)}]", text


def row_name(row: Row) -> str:
    """Name a row by everything that distinguishes it from the others."""
    rate = None if row.tool_success_rate is None else f"{row.tool_success_rate:g}"
    parts = (row.model, row.prompt_type, row.severity, rate, row.prompt_variant, row.versions)
    return ", ".join(neutralise(str(part)) for part in parts if part is not None)
