"""The tests of each worker: a pure function, computed by the controller and by the workers."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence


def partition(nodeids: Sequence[str], workers: int, case_ids: Collection[str]) -> list[list[int]]:
    """Return, for each worker, the indices of its tests with a case, in collection order.

    Shards are contiguous and their sizes differ by at most one case, so that the cases of a task, which are collected
    next to each other, run close together. Tests of the same case stay on one worker. Tests without a case are in no
    shard.
    """
    tests: dict[str, list[int]] = {}
    for index, nodeid in enumerate(nodeids):
        case_id = find_case_id(nodeid, case_ids)
        if case_id is not None:
            tests.setdefault(case_id, []).append(index)
    groups = list(tests.values())
    bounds = [len(groups) * worker // workers for worker in range(workers + 1)]
    return [sorted(itertools.chain.from_iterable(groups[a:b])) for a, b in itertools.pairwise(bounds)]


def find_case_id(nodeid: str, case_ids: Collection[str]) -> str | None:
    """Return the case id among the parameters of a node id; other parameters may be the user's own."""
    parameters = nodeid.partition("::")[2].partition("[")[2].removesuffix("]")
    if parameters in case_ids:
        return parameters
    parts = parameters.split("-")
    spans = ((a, a + length) for length in range(len(parts) - 1, 0, -1) for a in range(len(parts) - length + 1))
    return next((part for a, b in spans if (part := "-".join(parts[a:b])) in case_ids), None)
