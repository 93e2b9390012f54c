"""Items: a test function that uses `ultra_episode` becomes one item per planned case."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_ultra.collection.case_restriction import describe_restriction, restrict, values_of
from pytest_ultra.core.case import Case

FIXTURE = "ultra_episode"
NOT_STARTED = "ultra_not_started"
"""The property of a test's report that says why its process could not start any episodes."""


def parametrize(metafunc: pytest.Metafunc, cases: Mapping[str, Case]) -> None:
    """Give a test that takes an episode its cases; without any, it is skipped, and says why."""
    if FIXTURE not in metafunc.fixturenames:
        return
    kept = restrict(cases, metafunc.definition)
    params = [pytest.param(case, id=case_id, marks=case_marker(case)) for case_id, case in kept.items()]
    if not params:
        reason = f"no case of this run has {describe_restriction(metafunc.definition)}"
        params = [pytest.param(None, id="no-case", marks=pytest.mark.skip(reason=reason))]
    metafunc.parametrize(FIXTURE, params, indirect=True)


def case_marker(case: Case) -> pytest.MarkDecorator:
    """Return the marker for selecting a case by `-m`."""
    marker: pytest.MarkDecorator = pytest.mark.ultra(**values_of(case))
    return marker


def case_of(item: pytest.Item) -> Case | None:
    """Return the case of an item, None if it has none."""
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get(FIXTURE) if callspec else None
    return case if isinstance(case, Case) else None


def uses_episode(item: pytest.Item) -> bool:
    return FIXTURE in getattr(item, "fixturenames", ())
