"""Looking up a case in the stored runs by its case id, node id, or the part of the node id in brackets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.episode_index import index_episodes
from pytest_ultra.storage.reuse import read_plan
from pytest_ultra.storage.run_directory import RunDirectory

_MIN_PREFIX_LENGTH = 4
"""The shortest prefix of a case id, in characters, that is accepted in place of the whole id."""
_MAX_LISTED = 5


class PlannedCase(msgspec.Struct, frozen=True):
    """A case of a run; `case` is None if an old pytest-ultra wrote the plan without its cases."""

    run: RunDirectory
    case_id: str
    nodeid: str
    case: Case | None

    def read_episode(self) -> Episode | None:
        """Return the case's newest episode without reading any other, None if the case was not run."""
        episodes = [episode for episode in index_episodes(self.run) if episode.case_id == self.case_id]
        return episodes[-1].read() if episodes else None


def find_planned_case(runs: Iterable[RunDirectory], name: str) -> PlannedCase | None:
    """Return the case with this name from the first of `runs` that planned it, None if no run did.

    A name is a case id, a prefix of one, a node id, or the part of a node id in brackets. Raises
    ConfigurationError if it is a prefix of several case ids.
    """
    for run in runs:
        plan = read_plan(run)
        case_id = _find(plan.nodeids, name, run) if plan else None
        if plan and case_id:
            return PlannedCase(run, case_id, plan.nodeids[case_id], plan.cases.get(case_id))
    return None


def _find(nodeids: Mapping[str, str], name: str, run: RunDirectory) -> str | None:
    in_brackets = _in_brackets(name) or name  # the plan has one node id, even if several tests use the case
    for case_id, nodeid in nodeids.items():
        if name in (case_id, nodeid) or in_brackets == _in_brackets(nodeid):
            return case_id
    matches = [case_id for case_id in nodeids if len(name) >= _MIN_PREFIX_LENGTH and case_id.startswith(name)]
    if len(matches) > 1:
        listed = ", ".join(matches[:_MAX_LISTED]) + (", ..." if len(matches) > _MAX_LISTED else "")
        raise ConfigurationError(
            f"{name!r} is a prefix of {len(matches)} case ids of the run {run.run_id}: {listed}; give more characters"
        )
    return matches[0] if matches else None


def _in_brackets(nodeid: str) -> str:
    """Return the part of a node id in brackets, which is the same for every test that uses the case."""
    return nodeid.partition("[")[2].removesuffix("]")
