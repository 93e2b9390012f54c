"""Admission of episodes: start all of them, or only as many as the budget is likely to pay for to the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.core.prices import Price
from pytest_ultra.engine.budget import BudgetLimits, Spent, describe_refusal, largest_share
from pytest_ultra.engine.episode_queue import Assignment

_PRIOR_FACTOR = 3.0
"""Assumed use of an unknown model, as a multiple of the estimate, which is for a model that does its job."""
_PRIOR_EPISODES = 3


class Admission(Protocol):
    """Decides which episodes start. Called in the engine's thread, in the order in which episodes are to start."""

    def admit(self, assignment: Assignment) -> bool:
        """Return whether an episode may start; if not, the pool asks again when another one has ended."""

    def finish(self, assignment: Assignment) -> None:
        """Record that an episode has ended."""

    def find_refusal(self) -> str | None:
        """Return why no more requests may be sent, None if they may; callers that wait to send one get the reason."""


class AdmitAll:
    """Admits every episode."""

    def admit(self, assignment: Assignment) -> bool:
        del assignment
        return True

    def finish(self, assignment: Assignment) -> None: ...

    def find_refusal(self) -> None: ...


ADMIT_ALL = AdmitAll()


class BudgetReserve(Protocol):
    """The shares of the budget that all processes of the run reserve for the episodes that they have started."""

    @property
    def is_spent(self) -> bool: ...

    def find_refusal(self) -> str | None: ...

    def reserve(self, held: float, more: float) -> bool:
        """Reserve `held + more` for this process and return True; if too little is left, reserve `held` alone."""


class _StartedEpisode(msgspec.Struct):
    expected: float
    requests: int = 0
    tokens: int = 0
    cost: float = 0.0


class BudgetAdmission:
    """Starts an episode if the rest of the budget covers it, besides what the running episodes still need.

    So a budget that runs out leaves out cases at the end of the order (a control comes before the cases that are
    compared with it), rather than most cases half done. An episode's expected use is the estimate of `--ultra-plan`
    times the ratio of use to estimate in earlier episodes. One episode at a time always starts, to use up the rest.
    Where there is no estimate, as of the costs that an agent reports itself, the mean use of earlier episodes is taken.
    A case that cannot be estimated, as when its workflow cannot be read, starts: its own episode reports the error.
    """

    def __init__(
        self,
        reserve: BudgetReserve,
        limits: BudgetLimits,
        prices: Mapping[str, Price],
        estimate: Callable[[Assignment], Estimate],
    ) -> None:
        self._reserve = reserve
        self._estimate = estimate
        self._limits = limits
        self._prices = prices
        self._started: dict[str, _StartedEpisode] = {}
        self._finished = 0
        self._sum_of_ratios = 0.0
        self._unestimated = 0
        self._unestimated_use = 0.0

    def admit(self, assignment: Assignment) -> bool:
        if self._reserve.is_spent:
            return True  # its first request is refused at once, with the reason
        try:
            expected = self._expected_share(assignment)
        except Exception:  # noqa: BLE001 - a suite of the user may raise anything, as for its episode
            return True
        if not expected and not self._unestimated and self._started:
            return False  # nothing is known of what it may report: see what one uses first
        has_room = self._reserve.reserve(self._reserved_share(), self._use_factor() * expected)
        if not has_room and self._started:
            return False
        self._started[assignment.case.case_id] = _StartedEpisode(expected)
        return True

    def record(self, case: Case, spent: Spent) -> None:
        """Count what an episode has used of its reserved share."""
        started = self._started.get(case.case_id)
        if started is not None:
            started.requests += spent.requests
            started.tokens += spent.tokens
            started.cost += spent.cost

    def finish(self, assignment: Assignment) -> None:
        started = self._started.pop(assignment.case.case_id, None)
        if started is None:
            return
        used = self._used_share(started)
        if not started.expected:
            self._unestimated += 1
            self._unestimated_use += used
        elif used and not self._reserve.is_spent:
            self._finished += 1
            self._sum_of_ratios += used / started.expected
        self._reserve.reserve(self._reserved_share(), 0.0)

    def find_refusal(self) -> str | None:
        reason = self._reserve.find_refusal()
        return None if reason is None else describe_refusal(reason)

    def _expected_share(self, assignment: Assignment) -> float:
        expected = self._estimate(assignment)
        price = self._prices.get(assignment.case.model)
        cost = 0.0 if price is None else price.cost(expected.prompt_tokens, expected.completion_tokens)
        share = largest_share(self._limits, expected.requests, expected.tokens, cost)
        return share or self._unestimated_use / max(1, self._unestimated)

    def _use_factor(self) -> float:
        return (_PRIOR_FACTOR * _PRIOR_EPISODES + self._sum_of_ratios) / (_PRIOR_EPISODES + self._finished)

    def _reserved_share(self) -> float:
        factor = self._use_factor()
        return sum(max(0.0, factor * each.expected - self._used_share(each)) for each in self._started.values())

    def _used_share(self, started: _StartedEpisode) -> float:
        return largest_share(self._limits, started.requests, started.tokens, started.cost)
