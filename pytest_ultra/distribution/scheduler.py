"""xdist's load scheduling, but each worker gets its whole shard of cases at once, and a crashed one an heir."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.partition import find_case_id, partition
from pytest_ultra.distribution.placement import careful_of, number_of


@dataclass(frozen=True, slots=True)
class Legacy:
    """What a crashed worker leaves: its number, and the node ids not done yet (None: all of its shard).

    Those in `careful` are suspected of the crash.
    """

    number: int
    remaining: list[str] | None
    careful: list[str] = field(default_factory=list)


InFlight = Callable[[str], Collection[str]]
"""Returns the node ids whose episodes a worker was living."""

CRASHES = 2
"""With so many a case is set aside."""

MOST_CAREFUL = 16
"""So many cases are lived one by one when any of them may have crashed a worker; of more, those that may have twice."""


class ShardScheduling(LoadScheduling):
    """Cases belong to a worker's number; tests that take none are handed out a few at a time, as ever."""

    def __init__(
        self, config: pytest.Config, log: Producer, case_ids: Collection[str], find_in_flight: InFlight
    ) -> None:
        super().__init__(config, log)
        self._find_in_flight = find_in_flight
        self._case_ids = case_ids
        self._owed: dict[int, list[int]] = {}  # what the heir of a number is to get once it has collected
        self._legacies: deque[Legacy] = deque()
        self._crashes: Counter[str] = Counter()  # how many each test's case may have caused

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

        Any case that was being lived may have caused it. The heir lives those only when their tests ask for them, so
        that a case is known for certain when it happens again.
        """
        number = _number(node)
        if self.collection is None and not hasattr(node, "workeroutput"):
            self.node2collection.pop(node, None)
            self._legacies.append(Legacy(number, None))
        elif number in self._owed:
            self._bequeath(number, self._owed[number])
        pending = self.node2pending.pop(node)
        blamed, left = self._blame(node, pending)
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

    def _blame(self, node: WorkerController, pending: list[int]) -> tuple[list[int], list[int]]:
        """Return the test that a crashed worker was at if it is to blame, and what is left for others."""
        running = pending[:1]
        if not running or not self._is_case(running[0]):
            return running, pending[1:]
        nodeid = self._nodeids(running)[0]
        suspects = {nodeid, *self._find_in_flight(node.gateway.id)}  # it may be the test, or any episode
        self._crashes.update(suspects)
        is_certain = len(suspects) == 1 or nodeid in careful_of(node.workerinput)
        is_to_blame = is_certain and self._crashes[nodeid] >= CRASHES
        return (running, pending[1:]) if is_to_blame else ([], pending)

    def _suspected(self, nodeids: list[str]) -> list[str]:
        once = [nodeid for nodeid in nodeids if self._crashes[nodeid]]
        return once if len(once) <= MOST_CAREFUL else [nodeid for nodeid in once if self._crashes[nodeid] >= CRASHES]

    def _bequeath(self, number: int, cases: list[int]) -> None:
        if cases:
            self._owed[number] = cases
            nodeids = self._nodeids(cases)
            self._legacies.append(Legacy(number, nodeids, self._suspected(nodeids)))

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
