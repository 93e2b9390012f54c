"""Calls compared by what they say, whatever the handles of the data that they use."""

from __future__ import annotations

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Answered
from pytest_ultra.core.workflow import Call, referenced_step


def has_same_literals(first: Call, second: Call) -> bool:
    """Return whether two calls of plans have the same tool, and the same arguments apart from references."""
    return first.tool == second.tool and _literals(first) == _literals(second)


def says_the_same(event: Answered, call: Call) -> bool:
    """Return whether a call that was made has the tool of a planned one and its arguments, apart from references."""
    given = event.arguments
    if given is None or event.call.name != call.tool or given.keys() != call.arguments.keys():
        return False
    return all(given[name] == value for name, value in _literals(call).items())


def _literals(call: Call) -> dict[str, Json]:
    return {name: value for name, value in call.arguments.items() if referenced_step(value) is None}
