"""Items: a test function that uses `ultra_episode` becomes one item per planned case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from pytest_ultra.core.case import Case

FIXTURE = "ultra_episode"
NOT_STARTED = "ultra_not_started"
"""The property of a test's report that says why its process could not start any episodes."""


def parametrize(metafunc: pytest.Metafunc, cases: Mapping[str, Case]) -> None:
    if FIXTURE in metafunc.fixturenames:
        params = [pytest.param(case, id=case_id, marks=case_marker(case)) for case_id, case in cases.items()]
        metafunc.parametrize(FIXTURE, params, indirect=True)


def case_marker(case: Case) -> pytest.MarkDecorator:
    """Return the marker for selecting a case by `-m`, which compares only plain values."""
    return pytest.mark.ultra(
        model=case.model,
        prompt_type=str(case.prompt_type),
        task_type=str(case.task_type),
        difficulty=str(case.difficulty),
        severity=case.severity and str(case.severity),
        prompt_variant=str(case.prompt_variant),
        tool_protocol=str(case.tool_protocol),
        tool_discovery=case.has_tool_discovery,
        flaws=case.flaws,
        flaw_visibility=case.flaw_visibility and str(case.flaw_visibility),
        tool_success_rate=str(case.tool_success_rate),
        fault_kind=case.fault_kind,
        instance=case.instance,
        repeat=case.repeat,
    )


def case_of(item: pytest.Item) -> Case | None:
    """Return the case of an item, None if it has none."""
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get(FIXTURE) if callspec else None
    return case if isinstance(case, Case) else None


def uses_episode(item: pytest.Item) -> bool:
    return FIXTURE in getattr(item, "fixturenames", ())


def lift_time_limits(items: Iterable[pytest.Item]) -> None:
    """Lift pytest-timeout's general limit for items that wait for an episode: a whole shard runs while they wait.

    The limits of episodes are `--ultra-timeout` and `--ultra-run-timeout`. An item's own `timeout` marker stays.
    """
    for item in filter(uses_episode, items):
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(0))
