"""Whatever bytes a stored file holds, its reader returns a value or raises a documented error.

`python benchmarks/fuzz.py` searches for longer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.analysis.summary import summarize
from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.controller.report_contents import describe_run, stored_contents, write_report
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.terminal_summary import end_of_run
from pytest_ultra.storage.baseline_file import read_baseline
from pytest_ultra.storage.cassettes.cassette import decode_cassette
from pytest_ultra.storage.codec import encode
from pytest_ultra.storage.episode_index import index_episodes
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.journal import encode_line, read_episodes
from pytest_ultra.storage.json_document import write_document
from pytest_ultra.storage.kept_turns import read_turns
from pytest_ultra.storage.progress_files import read_progress
from pytest_ultra.storage.results import SlimEpisodes, find_state, read_results
from pytest_ultra.storage.reuse import find_reuse, read_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import read_interruption, read_run_end
from pytest_ultra.storage.stall_notes import take_stall_notes
from pytest_ultra.storage.started_cases import find_in_flight
from pytest_ultra.storage.store.database import Database
from pytest_ultra.storage.store.store_sync import sync
from tests.fuzzing import damage, fuzz
from tests.results_factory import make_case, make_episode, obedient_episode
from tests.storage.stored_runs import make_run, some_episodes

Reader = Callable[[RunDirectory], object]


def consume(iterable: Iterable[object]) -> list[object]:
    return list(iterable)


READERS: dict[str, list[Reader]] = {
    "journal-gw0.jsonl": [
        read_episodes,
        read_results,
        lambda run: [indexed.read() for indexed in index_episodes(run)],
        lambda run: find_reuse(run.path.parents[1], [make_case().case_id]),
        SlimEpisodes,
    ],
    "run.json": [RunDirectory.describe, describe_run],
    "plan.json": [read_plan, read_results],
    "ended.json": [read_run_end, find_state],
    "turns-gw0.jsonl": [lambda run: read_turns(run, lambda _: True)],
    "progress-0.json": [read_progress],
    "started-gw0.txt": [lambda run: find_in_flight(run, "gw0")],
    "cut-off": [read_interruption],
    "stall-gw0": [take_stall_notes],
    "budget.json": [lambda run: read_baseline(run.path / "budget.json")],
    "cassette.json": [lambda run: decode_cassette((run.path / "cassette.json").read_bytes(), Path("cassette.json"))],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return make_run(tmp_path_factory.mktemp("fuzz"), some_episodes(), run_end=None)


def valid_content(name: str, run: RunDirectory) -> bytes:
    if name == "journal-gw0.jsonl":
        return b"".join(encode_line(episode, n) for n, episode in enumerate(some_episodes()))
    path = run.path / name
    return (
        path.read_bytes() if path.exists() else b'{"schema_version":1,"run_id":"a","common":{},"cases":[{"case":""}]}'
    )


@pytest.mark.parametrize("name", READERS)
@fuzz(25)
@given(data=st.data())
def test_a_reader_raises_only_documented_errors(name: str, run: RunDirectory, data: st.DataObject) -> None:
    before = (run.path / name).read_bytes() if (run.path / name).exists() else None
    content = damage(valid_content(name, run), data)
    try:
        (run.path / name).write_bytes(content)
        for reader in READERS[name]:
            try:
                reader(run)
            except (ConfigurationError, FileNotFoundError):
                continue
    finally:
        (run.path / name).unlink(missing_ok=True)
        if before is not None:
            (run.path / name).write_bytes(before)


@fuzz(15)
@given(data=st.data())
def test_an_episode_that_can_be_read_can_be_shown_everywhere(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    run = make_run(tmp_path_factory.mktemp("shown"), [])
    lines = [encode_line(episode, number) for number, episode in enumerate([obedient_episode(), make_episode()])]
    (run.path / "journal-gw0.jsonl").write_bytes(damage(lines[0].rstrip(b"\n"), data) + b"\n" + lines[1])
    root = run.path.parents[1]
    try:
        episodes = read_episodes(run).episodes
    except ConfigurationError:
        return
    end_of_run(summarize(episodes), 80)
    write_document(root / "out.json", run.describe(), episodes)
    json.loads((root / "out.json").read_bytes())
    assert sync(Database.in_memory(root / "results.sqlite"), root).problems == ()
    write_report(root / "report.html", stored_contents(run))


@fuzz(15)
@given(data=st.data())
def test_a_run_description_that_can_be_read_can_be_stored_and_shown(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    described: dict[str, Any] = {
        "pytest_ultra": "0.9.0",
        "versions": {"generator": 1, "prompts": 1, "scorer": 1},
        "options": {"model": ["demo"], "seed": 0, "prompt_type": ["optimal"], "instances": 1},
        "models": [{"name": "demo", "hosts": ["a"], "parameters": {"temperature": 0.5}}],
        "git": {"commit": "c0ffee", "is_dirty": True},
        "command": ["-n2"],
    }
    run = make_run(tmp_path_factory.mktemp("described"), [make_episode()], described=described)
    path = run.path / "run.json"
    path.write_bytes(damage(encode(msgspec.json.decode(path.read_bytes())), data))
    try:
        run.describe()
    except ConfigurationError:
        return
    root = run.path.parents[1]
    assert sync(Database.in_memory(root / "results.sqlite"), root).problems == ()
    write_report(root / "report.html", stored_contents(run))


@fuzz(15)
@given(data=st.data())
def test_a_damaged_workflow_is_a_documented_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("guidance")
    case = make_case()
    GuidanceCache(folder, BENCHMARK.task_type).fill([case], BENCHMARK.make_guidance)
    (path,) = folder.glob("*.json")
    path.write_bytes(damage(path.read_bytes(), data))
    with suppress(ConfigurationError, LookupError):
        GuidanceCache(folder, BENCHMARK.task_type).get(case)
    assert GuidanceCache(folder, BENCHMARK.task_type).fill([case], BENCHMARK.make_guidance) in (0, 1)
    GuidanceCache(folder, BENCHMARK.task_type).get(case)
