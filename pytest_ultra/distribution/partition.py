"""Which worker takes which tests: a pure function that the controller and the workers both compute."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence


def partition(nodeids: Sequence[str], workers: int, case_ids: Collection[str]) -> list[list[int]]:
    """Return the indices of each worker's tests that take a case, in the order collected.

    Cases are cut into contiguous shards that differ by one at most, so that the cases of a task, collected
    side by side, are lived close together; tests that take the same case stay on one worker. Indices of other
    tests are in no shard.
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
    """Return the case id in a node id's parameters, which a user's own parametrization may stand beside."""
    parameters = nodeid.partition("::")[2].partition("[")[2].removesuffix("]")
    if parameters in case_ids:
        return parameters
    parts = parameters.split("-")
    spans = ((a, a + length) for length in range(len(parts) - 1, 0, -1) for a in range(len(parts) - length + 1))
    return next((part for a, b in spans if (part := "-".join(parts[a:b])) in case_ids), None)
