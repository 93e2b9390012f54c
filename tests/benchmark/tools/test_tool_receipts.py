"""Tools that produce no data: their changes of the world, and their receipts."""

from __future__ import annotations

from msgspec.structs import replace

from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import LogEntry, Notification, Schedule, Sink, World
from pytest_ultra.core.json_types import Json

ROWS = [{"kind": "a", "n": 1}, {"kind": "b", "n": 2}, {"kind": "a", "n": 3}, {"kind": 7, "n": 4}]
WORLD = World(
    files={"old.txt": "old"},
    sinks={"http://x/1": Sink(), "http://x/2": Sink(service="crm", payloads=("before",))},
    credentials={"crm": "robot"},
    artefacts={"data_1": ROWS, "data_2": "some\ntext"},
)


def change(tool: str, world: World = WORLD, **arguments: Json) -> tuple[World, Json]:
    after, result = invoke(world, tool, arguments)
    assert result.is_success, result.message
    assert result.handle is None
    return after, result.value


def test_the_writer_writes_text_as_it_is_and_anything_else_as_json() -> None:
    after, receipt = change("file_operations_writer", path="new.txt", data="data_2")
    assert after == replace(WORLD, files={"old.txt": "old", "new.txt": "some\ntext"})
    assert receipt == {"written": "new.txt", "characters": 9}
    after, _ = change("file_operations_writer", path="old.txt", data="data_1")
    assert after.files["old.txt"].startswith('[{"kind":"a","n":1},')


def test_the_authenticator_opens_each_session_once() -> None:
    after, receipt = change("integration_authenticator", service="crm")
    assert after == replace(WORLD, sessions=("crm",))
    assert receipt == {"session": "crm", "account": "robot"}
    assert change("integration_authenticator", after, service="crm") == (after, receipt)


def test_the_poster_adds_a_payload_to_a_sink() -> None:
    world = replace(WORLD, sessions=("crm",))
    after, receipt = change("network_poster", world, url="http://x/2", data="data_1")
    assert after.sinks == {"http://x/1": Sink(), "http://x/2": Sink("crm", ("before", ROWS))}
    assert receipt == {"posted_to": "http://x/2", "payloads": 2}


def test_the_router_posts_each_part_to_its_sink() -> None:
    world = replace(WORLD, sessions=("crm",))
    routes = {"7": "http://x/2", "a": "http://x/1", "z": "http://x/1"}
    after, receipt = change("network_router", world, data="data_1", field="kind", routes=routes)
    assert after.sinks["http://x/1"].payloads == ([ROWS[0], ROWS[2]],)
    assert after.sinks["http://x/2"].payloads == ("before", [ROWS[3]])
    assert receipt == {"rows_posted": {"7": 1, "a": 2, "z": 0}, "rows_left": 1}


def test_the_queue_appends() -> None:
    once, _ = change("integration_queue", name="q", data="data_1")
    twice, receipt = change("integration_queue", once, name="q", data="data_2")
    assert twice == replace(WORLD, queues={"q": (ROWS, "some\ntext")})
    assert receipt == {"queue": "q", "items": 2}


def test_the_scheduler_overwrites() -> None:
    once, _ = change("integration_scheduler", name="job", at="2025-01-31T08:00", data="data_1")
    twice, receipt = change("integration_scheduler", once, name="job", at="2025-02-01T23:59", data="data_2")
    assert twice == replace(WORLD, schedules={"job": Schedule("2025-02-01T23:59", "some\ntext")})
    assert receipt == {"scheduled": "job", "at": "2025-02-01T23:59"}


def test_the_logger_accepts_a_message_with_or_without_data() -> None:
    once, _ = change("utility_logger", level="info", message="hello")
    twice, receipt = change("utility_logger", once, level="error", message="look", data="data_2")
    assert twice == replace(WORLD, log=(LogEntry("info", "hello"), LogEntry("error", "look", "some\ntext")))
    assert receipt == {"logged": "error", "entries": 2}


def test_the_cache_keeps_what_is_put() -> None:
    after, receipt = change("utility_cache", action="put", key="k", data="data_2")
    assert after == replace(WORLD, cache={"k": "some\ntext"})
    assert receipt == {"cached": "k"}


def test_the_tracker_appends() -> None:
    once, _ = change("utility_tracker", name="t", data="data_2")
    twice, receipt = change("utility_tracker", once, name="t", data="data_1")
    assert twice == replace(WORLD, trackers={"t": ("some\ntext", ROWS)})
    assert receipt == {"tracker": "t", "records": 2}


def test_the_notifier_puts_a_message_into_the_outbox() -> None:
    after, receipt = change("utility_notifier", recipient="ann", subject="news", data="data_2")
    assert after == replace(WORLD, outbox=(Notification("ann", "news", "some\ntext"),))
    assert receipt == {"sent_to": "ann"}
