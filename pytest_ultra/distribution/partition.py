"""The tests of each worker: a pure function, computed by the controller and by the workers."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence


def partition(nodeids: Sequence[str], workers: int, rounds: Mapping[str, int]) -> list[list[int]]:
    """Return, for each worker, the indices of its tests with a case, in collection order.

    `rounds` has the round of each case by its id; each round is divided by itself.

    Shards are contiguous and their sizes differ by at most one case, so that the cases of a task, which are collected
    next to each other, run close together. Tests of the same case stay on one worker. Tests without a case are in no
    shard.
    """
    tests: dict[int, dict[str, list[int]]] = {}
    for index, nodeid in enumerate(nodeids):
        case_id = find_case_id(nodeid, rounds)
        if case_id is not None:
            tests.setdefault(rounds[case_id], {}).setdefault(case_id, []).append(index)
    shards: list[list[int]] = [[] for _ in range(workers)]
    for _, by_case in sorted(tests.items()):
        groups = list(by_case.values())
        bounds = [len(groups) * worker // workers for worker in range(workers + 1)]
        for shard, (a, b) in zip(shards, itertools.pairwise(bounds), strict=True):
            shard.extend(sorted(itertools.chain.from_iterable(groups[a:b])))
    return shards


def find_case_id(nodeid: str, case_ids: Collection[str]) -> str | None:
    """Return the case id among the parameters of a node id; other parameters may be the user's own."""
    parameters = nodeid.partition("::")[2].partition("[")[2].removesuffix("]")
    if parameters in case_ids:
        return parameters
    parts = parameters.split("-")
    spans = ((a, a + length) for length in range(len(parts) - 1, 0, -1) for a in range(len(parts) - length + 1))
    return next((part for a, b in spans if (part := "-".join(parts[a:b])) in case_ids), None)
