"""Mirrors: a copy is got under its own name with the tool that gets the original, and holds the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.tools.mirrors import Storage, mirrored_calls, mirrored_names, original_of
from pytest_ultra.benchmark.world import Mirror, Resource, World
from pytest_ultra.core.workflow import Call

ROWS: list[Any] = [{"id": "A-1", "net": 3}, {"id": "A-2", "net": 5}]
WORLD = World(
    files={"data/w1/a.csv": "id,net\nA-1,3\n", "reports/b.json": "[]"},
    modified={"data/w1/a.csv": "2027-01-05T09:00"},
    resources={"https://crumb.example/w1/a/101": Resource(ROWS, "book", 40)},
    datastores={"a_102": ROWS},
    cache={"a:103": ROWS},
    topics={"a 104": ROWS},
    sessions=("book",),
    mirrors=(
        Mirror(Storage.FILE, "drops/", "data/"),
        Mirror(Storage.ADDRESS, "https://crumb-spare.example/", "https://crumb.example/"),
        Mirror(Storage.DATASTORE, "spare_", ""),
        Mirror(Storage.CACHE, "spare/", ""),
        Mirror(Storage.TOPIC, "copy of ", ""),
    ),
)
COPIES = {
    "file_operations_reader": ("path", "data/w1/a.csv", "drops/w1/a.csv", {}),
    "network_fetcher": ("url", "https://crumb.example/w1/a/101", "https://crumb-spare.example/w1/a/101", {}),
    "integration_connector": ("datastore", "a_102", "spare_a_102", {}),
    "utility_cache": ("key", "a:103", "spare/a:103", {"action": "get"}),
    "utility_helper": ("topic", "a 104", "copy of a 104", {}),
}


def get(world: World, tool: str, **arguments: Any) -> Any:
    world, result = invoke(world, tool, arguments)
    assert result.is_success, result.message
    return world.artefacts[str(result.handle)]


@pytest.mark.parametrize("tool", COPIES)
def test_a_copy_holds_what_the_original_holds(tool: str) -> None:
    argument, original, copy, others = COPIES[tool]
    assert get(WORLD, tool, **{argument: copy}, **others) == get(WORLD, tool, **{argument: original}, **others)
    call = Call(tool, {argument: original, **others})
    assert list(mirrored_calls(WORLD, call)) == [Call(tool, {argument: copy, **others})]


@pytest.mark.parametrize("tool", COPIES)
def test_a_copy_of_what_is_not_there_is_not_there_either(tool: str) -> None:
    argument, original, copy, others = COPIES[tool]
    _, result = invoke(WORLD, tool, {argument: copy.replace("a", "x") + "0", **others})
    assert result.code == "NOT_FOUND"
    without = World(resources=WORLD.resources, files=WORLD.files)
    assert invoke(without, tool, {argument: copy, **others})[1].code == "NOT_FOUND"
    assert not list(mirrored_calls(without, Call(tool, {argument: original, **others})))


def test_what_changes_something_has_no_mirror() -> None:
    for call in (
        Call("utility_cache", {"action": "put", "key": "a:103", "data": "data_1"}),
        Call("file_operations_writer", {"path": "data/w1/a.csv", "data": "data_1"}),
        Call("network_poster", {"url": "https://crumb.example/w1/a/101", "data": "data_1"}),
    ):
        assert not list(mirrored_calls(WORLD, call))


def test_a_scan_finds_copies_of_files_with_their_sizes_and_times() -> None:
    [found] = get(WORLD, "file_operations_scanner", pattern="drops/*")
    [original] = get(WORLD, "file_operations_scanner", pattern="data/*")
    assert found == {**original, "path": "drops/w1/a.csv"}


def test_a_copy_of_a_guarded_address_takes_the_same_session() -> None:
    closed = World(resources=WORLD.resources, mirrors=WORLD.mirrors)
    copy = "https://crumb-spare.example/w1/a/101"
    assert invoke(closed, "network_fetcher", {"url": copy})[1].code == "NOT_AUTHENTICATED"
    checked = get(closed, "network_validator", url=copy)
    assert (checked["exists"], checked["service"], checked["rows"]) == (True, "book", 2)
    [measured] = get(closed, "network_monitor", urls=[copy])
    assert measured == {"url": copy, "latency_ms": 40, "status": "unauthorized"}


def test_a_file_written_in_the_place_of_a_copy_hides_it() -> None:
    world, made = invoke(WORLD, "file_operations_reader", {"path": "reports/b.json"})
    world, _ = invoke(world, "file_operations_writer", {"path": "drops/w1/a.csv", "data": made.handle})
    assert get(world, "file_operations_reader", path="drops/w1/a.csv") == "[]"
    assert get(world, "file_operations_reader", path="data/w1/a.csv") == WORLD.files["data/w1/a.csv"]


@given(st.sampled_from(Storage), st.text("abdrops/_ cyf:.", max_size=12))
def test_the_original_of_a_mirrored_name_is_the_name(storage: Storage, name: str) -> None:
    for mirrored in mirrored_names(WORLD, storage, [name]):
        assert original_of(WORLD, storage, mirrored) == name
