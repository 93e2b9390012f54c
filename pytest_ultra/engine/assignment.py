"""What an engine is given to live: a case, its guidance, and the test that asks for it."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.case import Case
from pytest_ultra.benchmark.task import Guidance


class Assignment(msgspec.Struct, frozen=True):
    """A case to be lived on behalf of the test `nodeid`."""

    case: Case
    guidance: Guidance
    nodeid: str
