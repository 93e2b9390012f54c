"""Finding a case among the runs that are kept, by any of its names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.episode_index import find_lives
from pytest_ultra.storage.reuse import read_plan
from pytest_ultra.storage.run_directory import RunDirectory

_SHORTEST = 4
"""Digits of a case id that may stand for all of it."""
_MOST_NAMED = 5


class PlannedCase(msgspec.Struct, frozen=True):
    """A case of a run; `case` is None in a run of old, whose plan did not keep it."""

    run: RunDirectory
    case_id: str
    nodeid: str
    case: Case | None

    def read_episode(self) -> Episode | None:
        """Return its newest life, None if it was never lived; no other episode is read."""
        lives = [life for life in find_lives(self.run) if life.case_id == self.case_id]
        return lives[-1].read() if lives else None


def find_planned_case(runs: Iterable[RunDirectory], name: str) -> PlannedCase | None:
    """Return the case that the first of `runs` to know it calls `name`, None if none of them does.

    A name is a case id or the beginning of one, a node id, or what stands in a node id's brackets. Raises
    ConfigurationError when it is the beginning of several case ids.
    """
    for run in runs:
        plan = read_plan(run)
        case_id = _find(plan.nodeids, name, run) if plan else None
        if plan and case_id:
            return PlannedCase(run, case_id, plan.nodeids[case_id], plan.cases.get(case_id))
    return None


def _find(nodeids: Mapping[str, str], name: str, run: RunDirectory) -> str | None:
    inner = _inner(name) or name  # of several tests that take a case, the plan names one
    for case_id, nodeid in nodeids.items():
        if name in (case_id, nodeid) or inner == _inner(nodeid):
            return case_id
    begun = [case_id for case_id in nodeids if len(name) >= _SHORTEST and case_id.startswith(name)]
    if len(begun) > 1:
        named = ", ".join(begun[:_MOST_NAMED]) + (", ..." if len(begun) > _MOST_NAMED else "")
        raise ConfigurationError(f"{name!r} is the beginning of {len(begun)} cases of the run {run.run_id}: {named}")
    return begun[0] if begun else None


def _inner(nodeid: str) -> str:
    """Return what stands in a node id's brackets, which is the same whatever test takes the case."""
    return nodeid.partition("[")[2].removesuffix("]")
