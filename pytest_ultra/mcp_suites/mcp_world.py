"""The world of a suite over MCP servers: it is known by the calls that have changed it, and so it can be copied.

A running server has one state at a time, and episodes and rehearsals need many. A world is therefore the calls that
led to it. What a call answers in a world is asked once, and remembered; for a call that is not known yet, a server
with that state is found, or one is brought there by making the calls again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.custom.episode_world import World
from pytest_ultra.custom.tool_definition import ToolError
from pytest_ultra.errors import ToolServerError
from pytest_ultra.mcp_suites.mcp_answers import McpAnswer

FAILED = "TOOL_ERROR"
"""The code of an error that a server answers."""

MadeCall = tuple[str, bytes]
"""A tool, and its arguments as JSON with sorted keys."""
History = tuple[MadeCall, ...]
"""The calls that have changed a world, in their order."""


class Servers(Protocol):
    """Servers that run, with one state; see `suite_servers.SuiteServers`."""

    def call(self, name: str, arguments: dict[str, Json], /) -> McpAnswer: ...

    def state(self) -> dict[str, Json]: ...

    def reset(self) -> None: ...

    def close(self) -> None: ...


class _Placed:
    """Running servers, and the history of the state that they have."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.history: History = ()


class _Known(msgspec.Struct, frozen=True):
    """What a call answers in a world, and the world after it."""

    answer: McpAnswer
    after: History


class WorldStates:
    """The states of a suite's worlds, and up to `most` running servers that have one of them.

    `start` starts servers; with `can_reset`, they can be brought back to the beginning.
    """

    def __init__(self, start: Callable[[], Servers], *, most: int, can_reset: bool) -> None:
        self._start = start
        self._most = most
        self._can_reset = can_reset
        self._running: list[_Placed] = []  # the least recently used first
        self._known: dict[tuple[History, MadeCall], _Known] = {}
        self._states: dict[History, dict[str, Json]] = {}

    def state(self, history: History) -> Mapping[str, Json]:
        if history not in self._states:
            self._find(history)
        return self._states[history]

    def call(self, history: History, name: str, arguments: dict[str, Json]) -> tuple[McpAnswer, History]:
        """Return what a call answers in the world with this history, and the history after it.

        A call that fails has changed nothing: servers in which it did are not used again. Raises ToolServerError.
        """
        made = (name, msgspec.json.encode(arguments, order="sorted"))
        if (history, made) not in self._known:
            self._known[history, made] = self._call_servers(self._find(history), made)
        known = self._known[history, made]
        return known.answer, known.after

    def close(self) -> None:
        while self._running:
            self._running.pop().servers.close()

    def _call_servers(self, placed: _Placed, made: MadeCall) -> _Known:
        before = placed.history
        try:
            answer = placed.servers.call(made[0], msgspec.json.decode(made[1]))
            state = placed.servers.state()
        except ToolServerError:
            self._drop(placed)
            raise
        if state == self._states[before]:
            return _Known(answer, before)
        if answer.is_error:
            self._drop(placed)
            return _Known(answer, before)
        placed.history = (*before, made)
        self._states.setdefault(placed.history, state)
        return _Known(answer, placed.history)

    def _find(self, history: History) -> _Placed:
        """Return servers with the state of a history, the most recently used ones from now on."""
        placed = self._nearest(history) or self._begin()
        self._running.append(placed)
        for number in range(len(placed.history), len(history)):
            self._replay(placed, history[: number + 1])
        return placed

    def _nearest(self, history: History) -> _Placed | None:
        """Take the servers from the list that need the fewest calls to get there; None if there are none."""
        fit = [placed for placed in self._running if placed.history == history[: len(placed.history)]]
        if not fit:
            return None
        nearest = max(fit, key=lambda placed: len(placed.history))
        self._running.remove(nearest)
        return nearest

    def _begin(self) -> _Placed:
        """Return servers at the beginning: new ones, or if there are too many, the least recently used ones."""
        placed = self._take_oldest() or _Placed(self._start())
        try:
            if self._can_reset:  # servers that run already may be in any state
                placed.servers.reset()
            placed.history = ()
            self._check_beginning(placed.servers.state())
        except BaseException:
            placed.servers.close()
            raise
        return placed

    def _take_oldest(self) -> _Placed | None:
        """Make room for one more, and return what can be reset instead."""
        if len(self._running) < self._most:
            return None
        oldest = self._running.pop(0)
        if self._can_reset:
            return oldest
        oldest.servers.close()
        return None

    def _check_beginning(self, state: dict[str, Json]) -> None:
        if self._states.setdefault((), state) != state:
            raise ToolServerError(
                "the servers do not begin with the same state each time, or are not reset to it; see reset, snapshot "
                "and ignore"
            )

    def _replay(self, placed: _Placed, history: History) -> None:
        """Make the last call of a history again."""
        name, arguments = history[-1]
        try:
            placed.servers.call(name, msgspec.json.decode(arguments))
            state = placed.servers.state()
        except ToolServerError:
            self._drop(placed)
            raise
        if self._states.setdefault(history, state) != state:
            self._drop(placed)
            raise ToolServerError(
                f"the tool {name} does not do the same each time that it is called with {arguments!r}"
            )
        placed.history = history

    def _drop(self, placed: _Placed) -> None:
        if placed in self._running:
            self._running.remove(placed)
        placed.servers.close()


class McpWorld(World):
    """A world of a suite over MCP servers."""

    def __init__(self, states: WorldStates, history: History = ()) -> None:
        self._states = states
        self._history = history

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(self._states, self._history)

    def state(self) -> Mapping[str, Json]:
        return self._states.state(self._history)

    def call(self, name: str, arguments: dict[str, Json]) -> Json:
        """Call a tool. Raises ToolError for an error that the server answers."""
        answer, self._history = self._states.call(self._history, name, arguments)
        if answer.is_error:
            raise ToolError(FAILED, str(answer.value))
        return answer.value
