"""Calls compared by what they say, whatever the handles of the data that they use."""

from __future__ import annotations

from pytest_ultra.core.transcript import Answered
from pytest_ultra.core.workflow import Call


def says_the_same(event: Answered, call: Call) -> bool:
    """Return whether a call that was made has the tool of a planned one and its arguments, apart from references."""
    given = event.arguments
    if given is None or event.call.name != call.tool or given.keys() != call.arguments.keys():
        return False
    return all(given[name] == value for name, value in call.literals.items())
