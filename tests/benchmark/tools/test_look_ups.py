"""The tools that deliver show what is there if they are called without what they deliver."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ultra.benchmark.tools.call_targets import DownTarget, is_look_up, look_up_of, target_of
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import Sink, World
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call

ROWS = [{"id": 1, "team": "a"}, {"id": 2, "team": "b"}]
WORLD = World(artefacts={"data_1": ROWS, "data_2": "done"}, sinks={"http://x/in": Sink(), "http://x/crm": Sink("crm")})
TABLE = {"kind": "table", "rows": 2, "fields": ["id", "team"], "value": ROWS}
TEXT = {"kind": "text", "value": "done"}

DELIVERIES: list[tuple[str, dict[str, Any], Json, Json]] = [
    (
        "network_poster",
        {"url": "http://x/in", "data": "data_1"},
        {"url": "http://x/in", "payloads": 0, "latest": []},
        {"url": "http://x/in", "payloads": 1, "latest": [TABLE]},
    ),
    (
        "network_router",
        {"field": "team", "routes": {"a": "http://x/in"}, "data": "data_1"},
        {"addresses": [{"url": "http://x/in", "payloads": 0, "latest": []}]},
        {
            "addresses": [
                {
                    "url": "http://x/in",
                    "payloads": 1,
                    "latest": [{**TABLE, "rows": 1, "value": ROWS[:1]}],
                }
            ]
        },
    ),
    (
        "integration_queue",
        {"name": "jobs", "data": "data_2"},
        {"queue": "jobs", "items": 0, "latest": []},
        {"queue": "jobs", "items": 1, "latest": [TEXT]},
    ),
    (
        "integration_scheduler",
        {"name": "nightly", "at": "2027-01-02T03:00", "data": "data_2"},
        {"name": "nightly", "job": None},
        {"name": "nightly", "job": {"at": "2027-01-02T03:00", "data": TEXT}},
    ),
    (
        "utility_tracker",
        {"name": "weekly", "data": "data_2"},
        {"tracker": "weekly", "records": 0, "latest": []},
        {"tracker": "weekly", "records": 1, "latest": [TEXT]},
    ),
    (
        "utility_notifier",
        {"recipient": "a@example.com", "subject": "News", "data": "data_2"},
        {"recipient": "a@example.com", "messages": 0, "latest": []},
        {"recipient": "a@example.com", "messages": 1, "latest": [{"subject": "News", "data": TEXT}]},
    ),
    (
        "utility_logger",
        {"level": "info", "message": "ready", "data": "data_2"},
        {"level": "info", "entries": 0, "latest": []},
        {"level": "info", "entries": 1, "latest": [{"message": "ready", "data": TEXT}]},
    ),
]


@pytest.mark.parametrize(("tool", "arguments", "before", "after"), DELIVERIES, ids=[case[0] for case in DELIVERIES])
def test_looking_shows_what_is_there_and_changes_nothing(
    tool: str, arguments: dict[str, Any], before: Json, after: Json
) -> None:
    call = Call(tool, arguments)
    look_up = look_up_of(call)
    assert look_up is not None
    assert is_look_up(look_up)
    assert not is_look_up(call)
    delivered, result = invoke(WORLD, tool, arguments)
    assert result.is_success
    for world, shown in ((WORLD, before), (delivered, after)):
        seen, looked = invoke(world, tool, look_up.arguments)
        assert (seen, looked.value, looked.handle) == (world, shown, None)


def test_only_the_newest_are_shown() -> None:
    world = WORLD
    for _ in range(5):
        world, _ = invoke(world, "integration_queue", {"name": "jobs", "data": "data_2"})
    _, looked = invoke(world, "integration_queue", {"name": "jobs"})
    assert looked.value == {"queue": "jobs", "items": 5, "latest": [TEXT] * 3}


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("integration_scheduler", {"name": "n", "at": "2027-01-02T03:00"}, "'data' is missing"),
        ("integration_scheduler", {"name": "n", "data": "data_1"}, "'at' is missing"),
        ("utility_notifier", {"recipient": "a", "subject": "s"}, "'data' is missing"),
        ("utility_notifier", {"recipient": "a", "data": "data_1"}, "'subject' is missing"),
        ("utility_logger", {"level": "info", "data": "data_1"}, "data: it goes with a message; give both, or neither."),
    ],
)
def test_half_a_delivery_is_an_error_and_no_look(tool: str, arguments: dict[str, Any], message: str) -> None:
    world, result = invoke(WORLD, tool, arguments)
    assert (world, result.code) == (WORLD, "INVALID_ARGUMENTS")
    assert message in result.message


def test_looking_at_a_protected_address_needs_a_session() -> None:
    _, result = invoke(WORLD, "network_poster", {"url": "http://x/crm"})
    assert result.code == "NOT_AUTHENTICATED"


def test_a_tool_that_delivers_nothing_has_no_look_up() -> None:
    assert look_up_of(Call("file_operations_reader", {"path": "a"})) is None


def test_what_is_down_is_a_tool_or_one_target_of_it() -> None:
    call = Call("network_fetcher", {"url": "http://x/a"})
    assert target_of(call) == "http://x/a"
    assert DownTarget("network_fetcher").includes(call)
    assert DownTarget("network_fetcher", "http://x/a").includes(call)
    assert not DownTarget("network_fetcher", "http://x/b").includes(call)
    assert not DownTarget("network_poster").includes(call)
