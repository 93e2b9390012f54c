"""Serves the results of an earlier test run again, until a call comes that was not made then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_ultra.core.json_types import Json
from pytest_ultra.errors import UltraError
from pytest_ultra.real_tools.call_records import CallRecord, call_key

Remake = Callable[[], Any]
"""Makes a call on the real tool; what it returns may have to be awaited."""


class RecordingDivergedError(UltraError):
    """A call came that was not recorded, and real tools may not be called."""


class Recording:
    """Real calls in the order in which they were made. Calls that ran at once may come in another order.

    With `is_strict`, a call that is not recorded raises `RecordingDivergedError`; otherwise it and all later ones are
    made on the real tools, after the calls that were served until then, so that these are in the same state.
    """

    def __init__(
        self, calls: Sequence[CallRecord], *, is_strict: bool, servers: Mapping[str, Json] | None = None
    ) -> None:
        self._left = [call for call in calls if call.is_made]
        self._is_strict = is_strict
        self.servers = servers or {}
        self._served: list[Remake] = []
        self.divergence: str | None = None

    def serve(self, tool: str, arguments: Mapping[str, Json], remake: Remake) -> CallRecord | None:
        """Return the recorded call, None after the divergence."""
        if self.divergence is None:
            found = self._find(call_key(tool, arguments))
            if found is not None and found.is_stored:
                self._left.remove(found)
                self._served.append(remake)
                return found
            self.divergence = self._describe(tool, arguments)
        if self._is_strict:
            raise RecordingDivergedError(self.divergence)
        return None

    def take_served(self) -> list[Remake]:
        """Return the calls that were served, each once: they have to be made before the first real call."""
        served, self._served = self._served, []
        return served

    def _find(self, key: str) -> CallRecord | None:
        """Return a call that may come next: all that had ended before it started were served."""
        first_end = min((call.ended for call in self._left), default=0)
        return next(
            (call for call in self._left if call.started < first_end and call_key(call.tool, call.arguments) == key),
            None,
        )

    def _describe(self, tool: str, arguments: Mapping[str, Json]) -> str:
        expected = "all recorded calls were served"
        if self._left:
            expected = f"the next call is {call_key(self._left[0].tool, self._left[0].arguments)}"
        return f"the call {call_key(tool, arguments)} is not in the recording, where {expected}"
