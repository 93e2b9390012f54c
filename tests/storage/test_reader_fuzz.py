"""Whatever bytes a stored file holds, its reader returns a value or raises a documented error.

`python benchmarks/fuzz.py` searches for longer.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.analysis.summary import summarize
from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.controller.report_contents import describe_run, stored_contents, write_report
from pytest_ultra.core.progress import Cohort, ShardProgress
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.terminal_summary import end_of_run
from pytest_ultra.storage.baseline_file import read_baseline, write_baseline
from pytest_ultra.storage.cassettes.cassette import Cassette, decode_cassette, encode_cassette
from pytest_ultra.storage.codec import encode
from pytest_ultra.storage.durations_file import Durations, read_durations
from pytest_ultra.storage.episode_index import index_episodes
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.journal import encode_line, read_episodes
from pytest_ultra.storage.json_document import write_document
from pytest_ultra.storage.kept_turns import KeptTurn, read_turns, turns_path, write_turns
from pytest_ultra.storage.progress_files import read_progress
from pytest_ultra.storage.results import find_state, read_results
from pytest_ultra.storage.reuse import find_reuse, read_plan, write_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import read_interruption, read_run_end, write_run_end
from pytest_ultra.storage.slim_episodes import SlimEpisodes
from pytest_ultra.storage.stall_notes import take_stall_notes
from pytest_ultra.storage.started_cases import find_in_flight
from pytest_ultra.storage.store.database import Database
from pytest_ultra.storage.store.store_sync import sync
from tests.fuzzing import check_linear_time, damage, fuzz, spans_of_values
from tests.results_factory import make_case, make_episode, obedient_episode
from tests.storage.cassette_requests import CALLING, CASE, DONE, after, first
from tests.storage.stored_runs import ENDED, make_run, some_episodes

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
    "baseline.json": [lambda run: read_baseline(run.path / "baseline.json")],
    "durations.json": [lambda run: read_durations(run.path / "durations.json").digest],
    "cassette.json": [lambda run: decode_cassette((run.path / "cassette.json").read_bytes(), Path("cassette.json"))],
}


def turn(number: int, at: float = 1_700_000_000.0) -> bytes:
    kept = KeptTurn(make_case().case_id, number, "c0ffee", at, 1.5, Reply("Hi", (ToolCall("a", "f", "{}"),), 9, 3))
    return encode(kept) + b"\n"


def baseline() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "baseline.json")
        write_baseline(path, some_episodes(), run_id="20261124T090000.000000Z", started_at="2026-11-24T09:00:00+00:00")
        return path.read_bytes()


PROGRESS = ShardProgress(
    number=0, worker="gw0", planned=6, slots=4, most_answers=30, tokens=9, ended=(Cohort(6, 2, 5),), cost=0.25
)
AFTER = after(first(), CALLING)
CONTENTS: dict[str, bytes] = {
    "journal-gw0.jsonl": b"".join(encode_line(episode, n) for n, episode in enumerate(some_episodes())),
    "ended.json": encode(ENDED),
    "turns-gw0.jsonl": turn(1) + turn(2) + turn(1, 1_700_000_009.0),
    "progress-0.json": encode(PROGRESS),
    "started-gw0.txt": b"".join(f"{episode.case_id}\n".encode() for episode in some_episodes()),
    "cut-off": b"SIGTERM",
    "stall-gw0": b"gw0: no progress for 60 s",
    "baseline.json": baseline(),
    "durations.json": encode(Durations({"simple_task-easy-0": 4.25}, "20261124T090000.000000Z")),
    "cassette.json": encode_cassette(
        Cassette.blank(CASE).add(first(), CALLING, 0.7).add(after(first(), CALLING), DONE, 1)
    ),
}
"""Valid files; those that are not here are in the run's directory."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return make_run(tmp_path_factory.mktemp("fuzz"), some_episodes(), run_end=None)


def valid_content(name: str, run: RunDirectory) -> bytes:
    return CONTENTS[name] if name in CONTENTS else (run.path / name).read_bytes()


@pytest.mark.parametrize("name", READERS)
@fuzz(25)
@given(data=st.data())
def test_a_reader_raises_only_documented_errors(name: str, run: RunDirectory, data: st.DataObject) -> None:
    read_everything(name, run, damage(valid_content(name, run), data))


def read_everything(name: str, run: RunDirectory, content: bytes) -> None:
    """Read a file with this content by all its readers, and put back what was there."""
    path = run.path / name
    before = path.read_bytes() if path.exists() else None
    try:
        path.write_bytes(content)
        for reader in READERS[name]:
            with suppress(ConfigurationError, FileNotFoundError):
                reader(run)
    finally:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)


@pytest.mark.parametrize("name", READERS)
def test_an_undamaged_file_is_read(name: str, run: RunDirectory) -> None:
    path = run.path / name
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(valid_content(name, run))
    assert [reader(run) for reader in READERS[name]]
    path.unlink(missing_ok=True)
    if before is not None:
        path.write_bytes(before)


UNITS = [b"[", b'{"a":', b'"', b"\\", b"1", b" ", b"\n", b"\0", b"[],", b'{"a":1},', b'"a":1,', b"\xff", b"\\ud83d"]
"""What a long file repeats, beside its own lines and values."""


@pytest.mark.parametrize("name", READERS)
@fuzz(5)
@given(data=st.data())
def test_a_long_file_is_read_in_linear_time(name: str, run: RunDirectory, data: st.DataObject) -> None:
    content = valid_content(name, run)
    start, end = data.draw(st.sampled_from([(0, len(content)), *spans_of_values(content)]))
    own = content[start:end] + data.draw(st.sampled_from([b"", b",", b"\n"]))
    unit = data.draw(st.sampled_from([own, own, *UNITS])) or b"["
    check_linear_time(
        lambda size: read_everything(name, run, content[:end] + unit * (size // len(unit)) + content[end:]), 10_000
    )


def rewrite_journal(run: RunDirectory) -> None:
    lines = [encode_line(episode, n) for n, episode in enumerate(read_episodes(run).episodes)]
    (run.path / "journal-gw0.jsonl").write_bytes(b"".join(lines))


def rewrite_turns(run: RunDirectory) -> None:
    write_turns(turns_path(run, "gw0"), read_turns(run, lambda _: True).values())


def rewrite_plan(run: RunDirectory) -> None:
    plan = read_plan(run)
    if plan is not None:
        write_plan(run, plan)


def rewrite_run_end(run: RunDirectory) -> None:
    end = read_run_end(run)
    if end is not None:
        write_run_end(run, end)


def rewrite_progress(run: RunDirectory) -> None:
    for progress in read_progress(run):
        (run.path / "progress-0.json").write_bytes(encode(progress))


def rewrite_cassette(run: RunDirectory) -> None:
    path = run.path / "cassette.json"
    path.write_bytes(encode_cassette(decode_cassette(path.read_bytes(), path)))


REWRITERS: dict[str, Callable[[RunDirectory], None]] = {
    "journal-gw0.jsonl": rewrite_journal,
    "turns-gw0.jsonl": rewrite_turns,
    "plan.json": rewrite_plan,
    "ended.json": rewrite_run_end,
    "progress-0.json": rewrite_progress,
    "cassette.json": rewrite_cassette,
}


@pytest.mark.parametrize("name", REWRITERS)
@fuzz(25)
@given(data=st.data())
def test_what_can_be_read_is_the_same_after_it_is_written(name: str, run: RunDirectory, data: st.DataObject) -> None:
    path, read = run.path / name, READERS[name][0]
    before = path.read_bytes() if path.exists() else None
    try:
        path.write_bytes(damage(valid_content(name, run), data))
        try:
            first = read(run)
        except ConfigurationError:
            return
        REWRITERS[name](run)
        again = read(run)
        assert getattr(again, "episodes", again) == getattr(first, "episodes", first)
    finally:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)


def test_many_answers_of_one_case_are_read_in_linear_time(run: RunDirectory) -> None:
    def read(size: int) -> None:
        content = b"".join(map(turn, range(size // len(turn(1000)))))
        read_everything("turns-gw0.jsonl", run, content)

    check_linear_time(read, 200_000)


def test_a_long_cassette_is_read_in_linear_time() -> None:
    def read(size: int) -> None:
        turn = {"turn": 1, "key": "k", "model_time_s": 1.0, "messages": [{"role": "user", "content": "x"}]}
        content = encode({"schema_version": 1, "case": {}, "turns": [turn] * (size // 100)})
        assert len(decode_cassette(content, Path("long")).messages()) == size // 100

    check_linear_time(read, 150_000)


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
    with closing(Database.in_memory(root / "results.sqlite")) as database:
        assert sync(database, root).problems == ()
    write_report(root / "report.html", stored_contents(run))


DESCRIBED: dict[str, Any] = {
    "pytest_ultra": "0.9.0",
    "versions": {"generator": 1, "prompts": 1, "scorer": 1},
    "options": {"model": ["demo"], "seed": 0, "prompt_type": ["optimal"], "instances": 1},
    "models": [{"name": "demo", "hosts": ["a"], "parameters": {"temperature": 0.5}}],
    "git": {"commit": "c0ffee", "is_dirty": True},
    "command": ["-n2"],
}


@fuzz(15)
@given(data=st.data())
def test_a_run_description_that_can_be_read_can_be_stored_and_shown(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    run = make_run(tmp_path_factory.mktemp("described"), [make_episode()], described=DESCRIBED)
    path = run.path / "run.json"
    path.write_bytes(damage(encode(msgspec.json.decode(path.read_bytes())), data))
    try:
        run.describe()
    except ConfigurationError:
        return
    _store_and_show(run)


def _store_and_show(run: RunDirectory) -> None:
    root = run.path.parents[1]
    with closing(Database.in_memory(root / "results.sqlite")) as database:
        assert sync(database, root).problems == ()
    write_report(root / "report.html", stored_contents(run))


@pytest.mark.parametrize(
    ("part", "name"),
    [(None, name) for name in DESCRIBED]
    + [(part, name) for part in ("versions", "options", "git") for name in DESCRIBED[part] if name != "commit"]
    + [("models", name) for name in ("hosts", "parameters")],
)
def test_a_run_description_without_an_optional_field_can_be_stored_and_shown(
    tmp_path: Path, part: str | None, name: str
) -> None:
    described = copy.deepcopy(DESCRIBED)
    holder = described if part is None else described[part][0] if part == "models" else described[part]
    del holder[name]
    _store_and_show(make_run(tmp_path, [make_episode()], described=described))


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
