"""What other plugins' reports of a run tell of it: JUnit's properties, pytest-html's columns and summary."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import pytest

from pytest_ultra import __version__
from pytest_ultra.core.figures import Row, Summary
from pytest_ultra.reporting.terminal_summary import counts_line
from pytest_ultra.reporting.text import neutralise
from pytest_ultra.storage.run_directory import RunDirectory

COLUMNS: Mapping[str, str] = {
    "ultra_model": "Model",
    "ultra_prompt_type": "Prompt type",
    "ultra_outcome": "Outcome",
    "ultra_failure_class": "Failure class",
}
"""The properties of a test that have a column in pytest-html's table."""


class _Run(Protocol):
    @property
    def begun(self) -> RunDirectory | None: ...
    def take_stock(self) -> Summary: ...


class SuiteHooks:
    """Hook implementations of the controller, or of the only process."""

    def __init__(self, seed: int, run: _Run) -> None:
        self._seed = seed
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Come before JUnit's report is written, but after the workers have ended, which is seen to before."""
        add = _find_junit(session.config)
        begun = self._run.begun
        if add is not None and begun is not None:
            for name, value in suite_properties(self._run.take_stock(), begun.run_id, self._seed):
                add(name, value)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        cells[2:2] = [f"<th>{title}</th>" for title in COLUMNS.values()]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        noted = dict(report.user_properties)
        cells[2:2] = [f"<td>{html.escape(str(noted.get(name, '')))}</td>" for name in COLUMNS]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        if self._run.begun is not None:
            prefix.append(f"<p>pytest-ultra: {html.escape(counts_line(self._run.take_stock()))}</p>")


def _find_junit(config: pytest.Config) -> Callable[[str, object], None] | None:
    """Return how JUnit's report is given a property, None without one: the fixture for it knows no workers."""
    if not config.getoption("xmlpath", None):
        return None
    found = (getattr(plugin, "add_global_property", None) for plugin in config.pluginmanager.get_plugins())
    return next(filter(None, found), None)


def suite_properties(summary: Summary, run_id: str, seed: int) -> Iterator[tuple[str, str]]:
    """Yield what JUnit's report tells of the whole run: where it is kept, its counts, and a rate for each row."""
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
            told = f"{rate.value:.4f} ({rate.successes}/{rate.n}, 95% interval {rate.low:.4f}-{rate.high:.4f})"
            yield f"ultra_success[{row_name(row)}]", told


def row_name(row: Row) -> str:
    """Name a row by all that tells it from the others."""
    rate = None if row.tool_success_rate is None else f"{row.tool_success_rate:g}"
    parts = (row.model, row.prompt_type, row.severity, rate, row.prompt_variant, row.versions)
    return ", ".join(neutralise(str(part)) for part in parts if part is not None)
