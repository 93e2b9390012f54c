"""The user's own markers `ultra` on a test, which restrict the cases that the test takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from pytest_ultra.core.axes import FLAWED_MARK
from pytest_ultra.core.case import Case
from pytest_ultra.options.option_parsers import parse
from pytest_ultra.options.option_table import OPTIONS

MARKER = "ultra"

_CHECKED = ("prompt_type", "difficulty", "severity", "prompt_variant", "flaw_visibility")
"""The axes whose values are known in advance: the markers take what the options of these names take."""


def values_of(case: Case) -> dict[str, Any]:
    """Return the arguments of a case's marker: plain values, since `-m` compares nothing else."""
    return {
        "model": case.model,
        "prompt_type": str(case.prompt_type),
        "task_type": str(case.task_type),
        "difficulty": str(case.difficulty),
        "severity": case.severity and str(case.severity),
        "prompt_variant": str(case.prompt_variant),
        "tool_protocol": str(case.tool_protocol),
        "tool_discovery": case.has_tool_discovery,
        "flaws": case.flaws,
        "flaw_visibility": case.flaw_visibility and str(case.flaw_visibility),
        "tool_success_rate": str(case.tool_success_rate),
        "fault_kind": case.fault_kind,
        "instance": case.instance,
        "repeat": case.repeat,
    }


def restrict(cases: Mapping[str, Case], test: pytest.Item) -> Mapping[str, Case]:
    """Return the cases that all markers `ultra` of a test allow: of its function, its class and its module."""
    kept = cases
    for marker in test.iter_markers(MARKER):
        _check(marker, next(iter(cases.values())))
        for name, value in marker.kwargs.items():
            wanted = _texts(value)
            kept = {key: case for key, case in kept.items() if _is_one_of(wanted, name, values_of(case)[name])}
    return kept


def describe_restriction(test: pytest.Item) -> str:
    """Return the arguments of a test's markers, as they are written."""
    return ", ".join(f"{name}={value!r}" for mark in test.iter_markers(MARKER) for name, value in mark.kwargs.items())


def _is_one_of(wanted: Collection[str], name: str, value: object) -> bool:
    is_flawed = name == "prompt_type" and str(value).startswith(FLAWED_MARK)
    return str(value) in wanted or "all" in wanted or (is_flawed and "flawed" in wanted)


def _check(marker: pytest.Mark, example: Case) -> None:
    """Fail the collection of a test for a name or a value that no case can have."""
    if marker.args:
        raise _failure(f"the axes have names, as in @pytest.mark.{MARKER}(prompt_type='optimal')")
    for name, value in marker.kwargs.items():
        known = values_of(example)
        if name not in known:
            raise _failure(f"there is no axis {name!r}; choose from {', '.join(known)}")
        option = next(option for option in OPTIONS if option.name == name) if name in _CHECKED else None
        try:
            _ = option and parse(option, _texts(value))
        except ValueError as error:
            raise _failure(f"{name}: {error}") from None


def _failure(reason: str) -> BaseException:
    return pytest.fail.Exception(f"@pytest.mark.{MARKER}: {reason}", pytrace=False)


def _texts(value: object) -> Sequence[str]:
    """Return the values that an argument allows: one value, or a collection of them."""
    is_several = isinstance(value, Collection) and not isinstance(value, str)
    return [str(each) for each in value] if is_several else [str(value)]  # type: ignore[attr-defined]
