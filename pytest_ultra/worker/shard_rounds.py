"""The rounds of a shard: which one is going on, and how the next begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from pytest_ultra.collection.items import case_of
from pytest_ultra.distribution.partition import find_case_id
from pytest_ultra.distribution.placement import Placement
from pytest_ultra.worker.round_gate import RoundGate


class ShardRounds:
    """Without `--ultra-until`, all cases are in one round, and there is no gate."""

    def __init__(self, rounds: Mapping[str, int], gate: RoundGate | None) -> None:
        """`rounds` has the round of each case by its id in node ids."""
        self.by_case = rounds
        self._gate = gate
        self._current = -1
        self._items: Sequence[pytest.Item] = ()

    def open(self, items: Sequence[pytest.Item], placement: Placement) -> None:
        """Take the selected tests of all processes."""
        self._items = items
        if self._gate is None:
            return
        nodeids = [item.nodeid for item in items]
        own = [items[index] for index in placement.assigned_indices(nodeids, self.by_case)]
        numbered = {case.case_id: self._round_of(item.nodeid) for item in own if (case := case_of(item))}
        self._gate.open(nodeids, self.by_case, numbered)

    def begin_next(self) -> list[pytest.Item]:
        """Begin the next round; return its tests, of all processes."""
        self._current += 1
        return [item for item in self._items if case_of(item) and self._round_of(item.nodeid) == self._current]

    def reach(self, nodeid: str, begin: Callable[[], None], is_stopped: Callable[[], bool]) -> str | None:
        """Call `begin` for each round up to that of a test, once the one before has ended everywhere.

        Return why the test's round is not needed, None if it is, or if the run was stopped meanwhile.
        """
        while self._gate is not None and self._current < self._round_of(nodeid):
            reason = self._gate.wait(self._current + 1, is_stopped)
            if reason is not None or is_stopped():
                return reason
            begin()
        return None

    def end_case(self, case_id: str, nodeid: str) -> None:
        """Note that a test has what it waited for."""
        if self._gate is not None:
            self._gate.end_case(case_id, self._round_of(nodeid))

    def close(self) -> None:
        if self._gate is not None:
            self._gate.close()

    def _round_of(self, nodeid: str) -> int:
        return self.by_case[find_case_id(nodeid, self.by_case) or ""]
