"""xdist's load scheduler, except that a worker gets its whole shard at once, and a replacement the rest of it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.partition import find_case_id, partition
from pytest_ultra.distribution.placement import number_of, run_alone_of


@dataclass(frozen=True, slots=True)
class RemainingWork:
    """The work left by a crashed worker: its number, and the unfinished node ids (None: its whole shard).

    Those in `run_alone` may have caused the crash.
    """

    number: int
    remaining: list[str] | None
    run_alone: list[str] = field(default_factory=list)


InFlight = Callable[[str], Collection[str]]
"""Returns the node ids of the episodes that a worker was running."""

MAX_CRASHES = 2
"""A case is quarantined after this many crashes."""

MAX_RUN_ALONE = 16
"""Up to this many suspects of a crash run one by one; if there are more, only those that may have crashed two."""


class ShardScheduling(LoadScheduling):
    """Assigns cases by worker number. Tests without a case are distributed a few at a time, as in xdist."""

    def __init__(
        self, config: pytest.Config, log: Producer, rounds: Mapping[str, int], find_in_flight: InFlight
    ) -> None:
        super().__init__(config, log)
        self._find_in_flight = find_in_flight
        self._rounds = rounds
        self._reserved: dict[int, list[int]] = {}  # cases of a worker number, until its replacement has collected
        self._left: deque[RemainingWork] = deque()
        self._crashes: Counter[str] = Counter()  # per node id: crashes that its case may have caused
        self._last_result: dict[str, str] = {}  # per worker: the node id of the test whose result came last

    def take_remaining(self) -> RemainingWork | None:
        """Return the work for the worker that is about to start, None unless it replaces a crashed one."""
        return self._left.popleft() if self._left else None

    def note_report(self, report: pytest.TestReport) -> None:
        """Remember that a test's result has come: if its worker dies before the test has ended, it is not run again."""
        is_result = report.when == "call" or (report.when == "setup" and not report.passed)
        node: WorkerController | None = getattr(report, "node", None)
        if node is not None and is_result and type(report) is pytest.TestReport:  # a subtest's report is no result
            self._last_result[node.gateway.id] = report.nodeid

    @property
    def tests_finished(self) -> bool:
        """Whether all tests are done. Cases that wait for a replacement count, or the session would end too early."""
        return not self._reserved and super().tests_finished

    def schedule(self) -> None:
        if self.collection is None:
            self._assign_shards(next(iter(self.node2collection.values())))
        else:
            self._assign_reserved()
            super().schedule()

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node not in self.node2collection:
            self._reserved.pop(_number(node), None)
            message = f"{node.gateway.id} replaces a crashed worker but collected other tests: its cases are not run"
            report = pytest.CollectReport(nodeid=node.gateway.id, outcome="failed", longrepr=message, result=[])
            self.config.hook.pytest_collectreport(report=report)

    def remove_node(self, node: WorkerController) -> str | None:
        """Remove a worker that has ended or crashed; return the test that caused a crash, if it is known.

        Any running case may have caused the crash. The replacement runs each of those only when its test asks for it,
        so that another crash identifies the case.
        """
        number = _number(node)
        if self.collection is None and not hasattr(node, "workeroutput"):
            self.node2collection.pop(node, None)
            self._left.append(RemainingWork(number, None))
        elif number in self._reserved:
            self._leave_to_replacement(number, self._reserved[number])
        pending = self._without_reported(node, self.node2pending.pop(node))
        cause, left = self._find_cause(node, pending)
        self._leave_to_replacement(number, [index for index in left if self._is_case(index)])
        self._redistribute([index for index in left if not self._is_case(index)])
        return self._nodeids(cause)[0] if cause else None

    def _assign_shards(self, collection: list[str]) -> None:
        shards = partition(collection, self.numnodes, self._rounds)
        if not any(shards):
            super().schedule()
        elif self._check_nodes_have_same_collection():
            self.collection = collection
            self.maxschedchunk = self.config.getoption("maxschedchunk") or len(collection)
            assigned = {index for shard in shards for index in shard}
            self.pending[:] = [index for index in range(len(collection)) if index not in assigned]
            for node in self.nodes:
                self._assign(node, shards[_number(node)])
            for node in self.nodes:
                if _number(node) not in self._reserved:
                    self.check_schedule(node)

    def _assign_reserved(self) -> None:
        for node in self.nodes:
            if node in self.node2collection and _number(node) in self._reserved:
                self._assign(node, self._reserved.pop(_number(node)))

    def _assign(self, node: WorkerController, indices: list[int]) -> None:
        """Send cases to a worker. If it has just crashed, which xdist reports next, its replacement gets them."""
        if indices:
            try:
                node.send_runtest_some(indices)
            except OSError:
                self._reserved[_number(node)] = indices
            else:
                self.node2pending[node].extend(indices)

    def _without_reported(self, node: WorkerController, pending: list[int]) -> list[int]:
        """Return what a worker had not run, without a case whose result has come, but not yet word of its end."""
        last_result = self._last_result.pop(node.gateway.id, None)
        running = pending[:1]
        is_reported = bool(running) and self._is_case(running[0]) and self._nodeids(running)[0] == last_result
        return pending[1:] if is_reported else pending

    def _find_cause(self, node: WorkerController, pending: list[int]) -> tuple[list[int], list[int]]:
        """Return the test that a crashed worker was running if it caused the crash, and the tests left for others."""
        running = pending[:1]
        if not running or not self._is_case(running[0]):
            return running, pending[1:]
        nodeid = self._nodeids(running)[0]
        suspects = {nodeid, *self._find_in_flight(node.gateway.id)}  # the test itself, or any episode
        self._crashes.update(suspects)
        is_certain = len(suspects) == 1 or nodeid in run_alone_of(node.workerinput)
        is_cause = is_certain and self._crashes[nodeid] >= MAX_CRASHES
        return (running, pending[1:]) if is_cause else ([], pending)

    def _suspects_to_run_alone(self, nodeids: list[str]) -> list[str]:
        suspects = [nodeid for nodeid in nodeids if self._crashes[nodeid]]
        if len(suspects) <= MAX_RUN_ALONE:
            return suspects
        return [nodeid for nodeid in suspects if self._crashes[nodeid] >= MAX_CRASHES]

    def _leave_to_replacement(self, number: int, cases: list[int]) -> None:
        if cases:
            self._reserved[number] = cases
            nodeids = self._nodeids(cases)
            self._left.append(RemainingWork(number, nodeids, self._suspects_to_run_alone(nodeids)))

    def _redistribute(self, others: list[int]) -> None:
        if others:
            self.pending.extend(others)
            for node in self.nodes:
                self.check_schedule(node)

    def _is_case(self, index: int) -> bool:
        return find_case_id(self._nodeids([index])[0], self._rounds) is not None

    def _nodeids(self, indices: list[int]) -> list[str]:
        return [(self.collection or [])[index] for index in indices]


def _number(node: WorkerController) -> int:
    return number_of(node.workerinput)
