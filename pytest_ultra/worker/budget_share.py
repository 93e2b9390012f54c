"""The budget of a run, from the user's options to the word at its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
import pytest

from pytest_ultra.core.case import Case
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.engine.admission import OPEN_DOOR, Admission, Reserving
from pytest_ultra.engine.assignment import Assignment, Place
from pytest_ultra.engine.budget import Amounts, BudgetedEndpoint, Spent, find_limit
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.options.known_prices import check_prices, known_prices
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.budget_lines import budget_line
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import note_cut_off

if TYPE_CHECKING:  # POSIX only
    from pytest_ultra.engine.shared_budget import SharedBudget


def amounts_of(settings: Settings) -> Amounts:
    return Amounts(settings.max_requests, settings.max_tokens, settings.max_cost)


def check_budget(settings: Settings, *, is_posix: bool = os.name == "posix") -> None:
    """Raise `pytest.UsageError` for a budget that could not be held."""
    if amounts_of(settings).is_limited and not is_posix:
        raise pytest.UsageError(
            "--ultra-max-cost, --ultra-max-tokens and --ultra-max-requests need a POSIX system; leave them out here"
        )
    check_prices(settings)


@dataclass(frozen=True)
class Funds:
    """A process's part in the run's budget: which episodes are begun, and an endpoint asked only while it lasts."""

    admission: Admission = OPEN_DOOR
    limit: Callable[[Endpoint], Endpoint] = lambda endpoint: endpoint


def open_funds(settings: Settings, run: RunDirectory, estimate: Callable[[Assignment], Estimate]) -> Funds:
    """Return the part of this process; without a budget, everything goes its way."""
    most = amounts_of(settings)
    if not most.is_limited:
        return Funds()
    budget, prices = _open(settings, run), known_prices(settings)
    reserving = Reserving(budget, most, prices, estimate)
    return Funds(reserving, lambda endpoint: BudgetedEndpoint(endpoint, budget, prices, reserving.book))


def keep_pairs_whole(
    assignments: Sequence[Assignment],
    settings: Settings,
    others: Iterable[Case],
    is_at_hand: Callable[[Case], bool],
) -> list[Assignment]:
    """Under a budget, begin with the controls that other shards' flawed cases need, and postpone those that need such.

    `others` are the cases of other shards; `is_at_hand` tells of a case whether it is finished, or of this shard.
    """
    if not amounts_of(settings).is_limited:
        return list(assignments)
    needed = {case.control for case in others if case.prompt_type.flaw_kind}
    return [msgspec.structs.replace(each, place=_place(each.case, needed, is_at_hand)) for each in assignments]


def _place(case: Case, needed: Collection[Case], is_at_hand: Callable[[Case], bool]) -> Place:
    if case in needed:
        return Place.FIRST
    return Place.AHEAD if is_at_hand(case.control) else Place.LAST


class _Begun(Protocol):
    @property
    def begun(self) -> RunDirectory | None: ...


class BudgetHooks:
    """Hook implementations of the controller, or of the only process: what became of the budget."""

    def __init__(self, settings: Settings, run: _Begun) -> None:
        self._settings = settings
        self._run = run
        self._spent = Spent()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Read what was spent. A run that could not go on for want of budget is cut off."""
        run = self._run.begun
        if run is None:
            return
        budget = _open(self._settings, run)
        self._spent = budget.spent
        budget.close()
        if self._spent.has_refused:
            note_cut_off(run, find_limit(self._spent, amounts_of(self._settings)) or "the budget is spent")

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Come after the table."""
        if self._run.begun is None:
            return
        limit = find_limit(self._spent, amounts_of(self._settings)) if self._spent.has_refused else None
        line = budget_line(self._spent.requests, self._spent.tokens, self._spent.cost, limit=limit)
        terminalreporter.write_line(line, yellow=self._spent.has_refused)


def _open(settings: Settings, run: RunDirectory) -> SharedBudget:
    from pytest_ultra.engine.shared_budget import SharedBudget  # noqa: PLC0415 - not on Windows

    return SharedBudget(budget_path(run), amounts_of(settings))


def budget_path(run: RunDirectory) -> Path:
    return run.path / "budget"
