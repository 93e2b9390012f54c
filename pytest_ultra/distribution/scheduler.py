"""xdist's load scheduling, but each worker gets its whole shard of cases at once, and a crashed one an heir."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.partition import find_case_id, partition
from pytest_ultra.distribution.placement import number_of


@dataclass(frozen=True, slots=True)
class Legacy:
    """What a crashed worker leaves: its number, and the node ids not done yet (None: all of its shard)."""

    number: int
    remaining: list[str] | None


class ShardScheduling(LoadScheduling):
    """Cases belong to a worker's number; tests that take none are handed out a few at a time, as ever."""

    def __init__(self, config: pytest.Config, log: Producer, case_ids: Collection[str]) -> None:
        super().__init__(config, log)
        self._case_ids = case_ids
        self._owed: dict[int, list[int]] = {}  # what the heir of a number is to get once it has collected
        self._legacies: deque[Legacy] = deque()
        self._suspects: set[int] = set()

    def inherit(self) -> Legacy | None:
        """Return what the worker about to be started takes over, if it replaces a crashed one."""
        return self._legacies.popleft() if self._legacies else None

    @property
    def tests_finished(self) -> bool:
        """Whether nothing is left to hand out; were cases that wait for an heir not counted, the session would end."""
        return not self._owed and super().tests_finished

    def schedule(self) -> None:
        if self.collection is None:
            self._start(next(iter(self.node2collection.values())))
        else:
            self._hand_over()
            super().schedule()

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node not in self.node2collection:
            self._owed.pop(_number(node), None)
            message = (
                f"{node.gateway.id} replaces a crashed worker but has collected other tests: its cases are not run"
            )
            report = pytest.CollectReport(nodeid=node.gateway.id, outcome="failed", longrepr=message, result=[])
            self.config.hook.pytest_collectreport(report=report)

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget a worker that has ended or crashed; return the test to blame for a crash, if there is one.

        The case that a worker was at when it crashed is blamed only when it happens again: to wait for an
        episode crashes nobody, and the heir finds the episode on disk or lives it.
        """
        number = _number(node)
        if self.collection is None and not hasattr(node, "workeroutput"):
            self.node2collection.pop(node, None)
            self._legacies.append(Legacy(number, None))
        elif number in self._owed:
            self._bequeath(number, self._owed[number])
        pending = self.node2pending.pop(node)
        blamed, left = self._blame(pending)
        self._bequeath(number, [index for index in left if self._is_case(index)])
        self._put_back([index for index in left if not self._is_case(index)])
        return self._nodeids(blamed)[0] if blamed else None

    def _start(self, collection: list[str]) -> None:
        shards = partition(collection, self.numnodes, self._case_ids)
        if not any(shards):
            super().schedule()
        elif self._check_nodes_have_same_collection():
            self.collection = collection
            self.maxschedchunk = self.config.getoption("maxschedchunk") or len(collection)
            dealt = {index for shard in shards for index in shard}
            self.pending[:] = [index for index in range(len(collection)) if index not in dealt]
            for node in self.nodes:
                self._give(node, shards[_number(node)])
            for node in self.nodes:
                self.check_schedule(node)

    def _hand_over(self) -> None:
        for node in self.nodes:
            if node in self.node2collection and _number(node) in self._owed:
                self._give(node, self._owed.pop(_number(node)))

    def _give(self, node: WorkerController, indices: list[int]) -> None:
        if indices:
            self.node2pending[node].extend(indices)
            node.send_runtest_some(indices)

    def _blame(self, pending: list[int]) -> tuple[list[int], list[int]]:
        running = pending[:1]
        if running and self._is_case(running[0]) and running[0] not in self._suspects:
            self._suspects.add(running[0])
            return [], pending
        return running, pending[1:]

    def _bequeath(self, number: int, cases: list[int]) -> None:
        if cases:
            self._owed[number] = cases
            self._legacies.append(Legacy(number, self._nodeids(cases)))

    def _put_back(self, others: list[int]) -> None:
        if others:
            self.pending.extend(others)
            for node in self.nodes:
                self.check_schedule(node)

    def _is_case(self, index: int) -> bool:
        return find_case_id(self._nodeids([index])[0], self._case_ids) is not None

    def _nodeids(self, indices: list[int]) -> list[str]:
        return [(self.collection or [])[index] for index in indices]


def _number(node: WorkerController) -> int:
    return number_of(node.workerinput)
