"""Worlds over servers: each is known by its calls, and servers are brought to its state."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pytest_ultra.custom.tool_definition import ToolError
from pytest_ultra.errors import ToolServerError
from pytest_ultra.mcp_suites.mcp_answers import McpAnswer
from pytest_ultra.mcp_suites.mcp_world import McpWorld, WorldStates


class Counter:
    """A server with one state, a list. It counts its calls, and breaks or cheats if a test says so."""

    def __init__(self, log: list[str], first: int = 0) -> None:
        self.log = log
        self.first = first
        self.items: list[int] = [first]
        self.log.append("start")

    def call(self, name: str, arguments: dict[str, Any], /) -> McpAnswer:
        self.log.append(name)
        if name == "break":
            raise ToolServerError("gone")
        if name == "add":
            self.items.append(arguments["item"])
        if name == "half":  # fails after it has changed something
            self.items.append(99)
        return McpAnswer(list(self.items), is_error=name == "half")

    def state(self) -> dict[str, Any]:
        return {"items": list(self.items)}

    def reset(self) -> None:
        self.log.append("reset")
        self.items = [self.first]

    def close(self) -> None:
        self.log.append("close")


def open_states(log: list[str], most: int = 8, *, can_reset: bool = False) -> WorldStates:
    return WorldStates(lambda: Counter(log), most=most, can_reset=can_reset)


def add(world: McpWorld, item: int) -> Any:
    return world.call("add", {"item": item})


def test_a_copy_goes_its_own_way_and_what_is_known_is_not_asked_again() -> None:
    log: list[str] = []
    world = McpWorld(open_states(log))
    add(world, 1)
    other = copy.deepcopy(world)
    assert add(world, 2) == [0, 1, 2]
    assert add(other, 3) == [0, 1, 3]  # on servers of its own, after the call that both have made
    assert (world.state(), other.state()) == ({"items": [0, 1, 2]}, {"items": [0, 1, 3]})
    asked = log.count("add")
    again = McpWorld(world._states)
    assert (add(again, 1), add(again, 3)) == ([0, 1], [0, 1, 3])
    assert log.count("add") == asked


def test_a_call_that_changes_nothing_leaves_the_servers_to_others() -> None:
    log: list[str] = []
    states = open_states(log)
    for _ in range(3):
        assert McpWorld(states).call("look", {}) == [0]
    assert add(McpWorld(states), 1) == [0, 1]
    assert log == ["start", "look", "add"]


def test_a_call_that_fails_has_changed_nothing() -> None:
    log: list[str] = []
    world = McpWorld(open_states(log))
    add(world, 1)
    with pytest.raises(ToolError, match="TOOL_ERROR"):
        world.call("half", {})
    assert world.call("look", {}) == [0, 1]
    assert log == ["start", "add", "half", "close", "start", "add", "look"]


@pytest.mark.parametrize("can_reset", [True, False], ids=["reset", "process"])
def test_no_more_servers_run_than_may(*, can_reset: bool) -> None:
    log: list[str] = []
    states = open_states(log, most=2, can_reset=can_reset)
    worlds = [McpWorld(states) for _ in range(4)]
    for number, world in enumerate(worlds, start=1):
        add(world, number)
    assert [world.call("look", {}) for world in worlds] == [[0, 1], [0, 2], [0, 3], [0, 4]]
    assert log.count("start") - log.count("close") == 2
    assert (log.count("start") == 2) is can_reset
    states.close()
    assert log.count("start") == log.count("close")


def test_servers_that_do_not_do_the_same_each_time_are_named() -> None:
    log: list[str] = []
    starts = iter((0, 5))
    states = WorldStates(lambda: Counter(log, next(starts)), most=8, can_reset=False)
    add(McpWorld(states), 1)
    with pytest.raises(ToolServerError, match="do not begin with the same state each time"):
        add(McpWorld(states), 2)


def test_servers_that_broke_are_not_used_again() -> None:
    log: list[str] = []
    world = McpWorld(open_states(log))
    with pytest.raises(ToolServerError, match="gone"):
        world.call("break", {})
    assert add(world, 1) == [0, 1]
    assert log == ["start", "break", "close", "start", "add"]
