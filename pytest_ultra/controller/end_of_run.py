"""Prints what a run has found at the end of pytest's output: causes of errors, the table, notices, what was lost."""

from __future__ import annotations

import shutil

import pytest

from pytest_ultra.controller.output_failures import OutputFailures
from pytest_ultra.controller.run_results import RunResults
from pytest_ultra.controller.wrapped_lines import write_wrapped
from pytest_ultra.reporting.run_causes import cause_lines
from pytest_ultra.reporting.terminal_summary import Detail, end_of_run
from pytest_ultra.reporting.text import neutralise


def print_end_of_run(
    terminalreporter: pytest.TerminalReporter, results: RunResults, failures: OutputFailures, interruption: str | None
) -> None:
    """Print a section; `interruption` says why the run was interrupted, None if it was not."""
    terminalreporter.ensure_newline()
    terminalreporter.section("ultra")
    with failures.caught("what went wrong as a whole cannot be shown"):
        for text in (*cause_lines(results.episodes), *results.notices.no_call_lines()):
            write_wrapped(terminalreporter, text, red=True)
    with failures.caught("the table of results cannot be shown"):
        detail = Detail(min(max(terminalreporter.verbosity, Detail.BRIEF), Detail.WHOLE))
        for line in end_of_run(results.summary, shutil.get_terminal_size().columns, detail):
            terminalreporter.write_line(line.text, **dict.fromkeys(line.markup, True))
    with failures.caught("the notices cannot be shown"):
        for text in results.notices.lines():
            write_wrapped(terminalreporter, text, yellow=True)
    if interruption:
        future = "the next run resumes it" if results.has_started else "no case was started"
        write_wrapped(terminalreporter, f"the run was interrupted: {neutralise(interruption)}; {future}", red=True)
    if results.loss:
        write_wrapped(terminalreporter, results.loss, red=True)
    failures.print(terminalreporter)
