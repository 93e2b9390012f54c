"""The signal handling that tests expect, the fuzzing profile, whole files for workers, and a session's figures."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from pytest_ultra.options.settings import SETTINGS

_FIGURES = "figures"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the fuzzing profile, unless Hypothesis is missing: a run in a checkout loads this file without it."""
    if config.pluginmanager.hasplugin("hypothesispytest"):
        from hypothesis import settings  # noqa: PLC0415 - an environment without the extra `test` has no Hypothesis

        settings.register_profile("fuzz", max_examples=500, database=None, derandomize=False, print_blob=True)
    config.pluginmanager.register(_WholeFiles())


class _WholeFiles:
    """Lets `-n` give each worker whole test files, so that the tasks and flaws that a file's tests share are made once.

    A run of the benchmark in a checkout, which loads this file too, keeps its own scheduler; so does a `--dist`.
    """

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        if config.getoption("dist", "no") == "load" and SETTINGS not in config.stash:
            config.option.dist = "loadfile"


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts us in the background ignores Ctrl-C for us; some tests send it to themselves or to a child.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def show_figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return a function that shows a test's figures at the session's end, even if it passes, and in JUnit's report."""
    return lambda text: record_property(_FIGURES, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    measured = [(report.nodeid, dict(report.user_properties).get(_FIGURES)) for report in reports]
    if any(figures for _, figures in measured):
        terminalreporter.section("figures")
    for nodeid, figures in measured:
        if figures:
            terminalreporter.write_line(f"{nodeid}\n{figures}")
