"""A run that is one shard of several: says which, and leaves the gates to `pytest-ultra merge`."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

import pytest

from pytest_ultra.collection.job_shards import ShardedCases
from pytest_ultra.controller.gate_judgement import InfrastructureErrors
from pytest_ultra.controller.wrapped_lines import write_wrapped
from pytest_ultra.core.rounds import Until
from pytest_ultra.reporting.text import count
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import read_interruption


class _Run(Protocol):
    @property
    def started(self) -> RunDirectory | None: ...
    @property
    def planned_cases(self) -> int: ...


class JobShardHooks:
    """Hook implementations of the first process."""

    def __init__(self, sharded: ShardedCases, run: _Run, *, has_gates: bool) -> None:
        self._sharded = sharded
        self._run = run
        self._has_gates = has_gates
        self._errors = InfrastructureErrors()

    @pytest.hookimpl
    def pytest_report_header(self) -> list[str]:
        return [f"ultra: {shard_line(self._sharded)}"]

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._errors.note(report)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """With gates, only what no gate covers fails a shard; a shard that did not run all its cases has failed."""
        if self._has_gates:
            self._errors.excuse(session)
        result = yield
        run = self._run.started
        is_whole = run is None or read_interruption(run) is None
        if session.exitstatus == pytest.ExitCode.OK and not is_whole:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Come after the table."""
        sharded, planned = self._sharded, self._run.planned_cases
        share = f"{planned:,} of {count(len(sharded.all_cases), 'case')}"
        selected = "" if planned == len(sharded.cases) else f" ({len(sharded.cases):,} before the selection)"
        gates = ", and judges the gates over all shards" if self._has_gates else ""
        text = f"shard {sharded.shard.number} of {sharded.shard.of}: {share}{selected}; `pytest-ultra merge` joins the"
        write_wrapped(terminalreporter, f"{text} shards{gates}")


def shard_line(sharded: ShardedCases) -> str:
    """Return which shard it is, and how many cases of how many."""
    share = f"{len(sharded.cases):,} of {count(len(sharded.all_cases), 'case')}"
    return f"shard {sharded.shard.number} of {sharded.shard.of}: {share}, divided {sharded.basis}"


def check_shard(until: Until | None) -> None:
    """Raise `pytest.UsageError` for what no shard can do by itself."""
    if until is not None:
        raise pytest.UsageError(
            "--ultra-until looks at the figures of the whole run, and a shard (--ultra-shard) has only its own; leave "
            "one of them out, or choose the number of instances by --ultra-detect or --ultra-instances"
        )
