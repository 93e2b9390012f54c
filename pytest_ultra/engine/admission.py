"""Which episodes are begun: all of them, or only as many as a budget is likely to see to their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.core.prices import Price
from pytest_ultra.engine.assignment import Assignment
from pytest_ultra.engine.budget import Amounts, Spent, refusal, share

_PRIOR = 3.0
"""How many times as much as is expected of a model that does its job an unknown model is taken to need."""
_PRIOR_EPISODES = 3


class Admission(Protocol):
    """Asked in the engine's thread, in the order in which episodes are to be begun."""

    def admit(self, assignment: Assignment) -> bool:
        """Tell whether an episode may begin; one that may not is asked for again when another one is over."""

    def settle(self, assignment: Assignment) -> None:
        """Learn that an episode is over."""

    def refuse(self) -> str | None:
        """Return why nothing more may be asked for, to those that wait to ask."""


class OpenDoor:
    """Admits whoever comes."""

    def admit(self, assignment: Assignment) -> bool:
        del assignment
        return True

    def settle(self, assignment: Assignment) -> None: ...

    def refuse(self) -> None: ...


OPEN_DOOR = OpenDoor()


class Purse(Protocol):
    """The budget's side: shares of it that all processes of the run hold for episodes that have begun."""

    @property
    def is_spent(self) -> bool: ...

    def refuse(self) -> str | None: ...

    def reserve(self, held: float, more: float) -> bool:
        """Hold `held` and `more` for this process if there is so much; else hold `held`, and say that there is not."""


class _Begun(msgspec.Struct):
    expected: float
    requests: int = 0
    tokens: int = 0
    cost: float = 0.0


class Reserving:
    """Begins an episode if what is left of a budget covers it, besides what those under way still need.

    So when a budget ends, cases are missing at the end of the order (where a control stands before the cases that are
    compared with it), rather than most of them half done. What an episode needs is expected as `--ultra-plan` does,
    times what episodes before it have needed of that. One at a time is begun in any case: what is left is used.
    """

    def __init__(
        self,
        purse: Purse,
        most: Amounts,
        prices: Mapping[str, Price],
        estimate: Callable[[Assignment], Estimate],
    ) -> None:
        self._purse = purse
        self._estimate = estimate
        self._most = most
        self._prices = prices
        self._begun: dict[str, _Begun] = {}
        self._finished = 0
        self._ratios = 0.0

    def admit(self, assignment: Assignment) -> bool:
        if self._purse.is_spent:
            return True  # whoever asks now is told so at once
        expected = self._expect(assignment)
        has_room = self._purse.reserve(self._held(), self._factor() * expected)
        if not has_room and self._begun:
            return False
        self._begun[assignment.case.case_id] = _Begun(expected)
        return True

    def book(self, case: Case, spent: Spent) -> None:
        """Count what an episode has used of what is held for it."""
        begun = self._begun.get(case.case_id)
        if begun is not None:
            begun.requests += spent.requests
            begun.tokens += spent.tokens
            begun.cost += spent.cost

    def settle(self, assignment: Assignment) -> None:
        begun = self._begun.pop(assignment.case.case_id, None)
        if begun is None:
            return
        used = self._used(begun)
        if used and not self._purse.is_spent:
            self._finished += 1
            self._ratios += used / begun.expected
        self._purse.reserve(self._held(), 0.0)

    def refuse(self) -> str | None:
        reason = self._purse.refuse()
        return None if reason is None else refusal(reason)

    def _expect(self, assignment: Assignment) -> float:
        expected = self._estimate(assignment)
        price = self._prices.get(assignment.case.model)
        cost = 0.0 if price is None else price.cost(expected.prompt_tokens, expected.completion_tokens)
        return share(self._most, expected.requests, expected.tokens, cost)

    def _factor(self) -> float:
        return (_PRIOR * _PRIOR_EPISODES + self._ratios) / (_PRIOR_EPISODES + self._finished)

    def _held(self) -> float:
        factor = self._factor()
        return sum(max(0.0, factor * each.expected - self._used(each)) for each in self._begun.values())

    def _used(self, begun: _Begun) -> float:
        return share(self._most, begun.requests, begun.tokens, begun.cost)
