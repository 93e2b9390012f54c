"""What an engine is given to live: a case, its guidance, and the test that asks for it."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import AnyGuidance


class Place(IntEnum):
    """When a case is lived: the first before all that tests wait for, the last after all others."""

    FIRST = 0
    AWAITED = 1
    AHEAD = 2
    LAST = 3


class Assignment(msgspec.Struct, frozen=True):
    """A case to be lived on behalf of the test `nodeid`."""

    case: Case
    guidance: AnyGuidance
    nodeid: str
    place: Place = Place.AHEAD
