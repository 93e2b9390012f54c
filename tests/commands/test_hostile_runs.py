"""Commands on a run that a stranger has uploaded: no link is followed, and whatever it holds ends in one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.core.axes import PromptType
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.journal import encode_line
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd
from pytest_ultra.storage.stored_files import MOST_LINES_BYTES
from tests.benchmark import agent_runs
from tests.commands.conftest import CommandResult
from tests.results_factory import make_case, make_episode
from tests.storage.stored_runs import STARTED_AT, make_run

Command = Callable[..., CommandResult]
SECRET = b'{"password": "hunter2"}'
CASE = agent_runs.make_case(PromptType.FLAWED_TOOL_MISUSE)
DESCRIBED: dict[str, Any] = {"pytest_ultra": "0.9.0", "options": {"seed": 0}, "versions": {"generator": 1}}
FILES = ("run.json", "plan.json", "ended.json", "journal-gw0.jsonl")
COMMANDS = (
    ("show",),
    ("show", CASE.case_id),
    ("compare", "latest", "latest"),
    ("merge", ".ultra", "-o", "merged"),
    ("report",),
    ("export",),
    ("rescore",),
)


@pytest.fixture
def run(root: Path) -> RunDirectory:
    run = make_run(root, [make_episode(CASE)], described=DESCRIBED, run_end=RunEnd(0, STARTED_AT + 9))
    GuidanceCache(run.guidance, BENCHMARK.task_type).fill([CASE], BENCHMARK.make_guidance)
    (root.parent / "secret").write_bytes(SECRET)
    return run


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.absolute().parents[3] / "secret")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def enlarge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MOST_LINES_BYTES + 1)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


PLANTED = {"link": link, "pipe": pipe, "large": enlarge, "folder": folder}


def check_one_sentence(shown: CommandResult) -> None:
    assert shown.code == 2
    lines = shown.err.splitlines()
    assert lines
    assert "Traceback" not in shown.err
    assert "error: " in lines[-1]
    assert "hunter2" not in shown.err + shown.out


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
@pytest.mark.parametrize("name", FILES)
def test_a_planted_file_ends_in_one_sentence(
    run: RunDirectory, command: Command, name: str, plant: Callable[[Path], None]
) -> None:
    plant(run.path / name)
    for args in COMMANDS:
        shown = command(*args)
        if shown.code != 2:
            assert args[0] in NOT_READ.get(name, ()), args
        else:
            check_one_sentence(shown)


NOT_READ = {
    "run.json": {"compare", "export", "show"},
    "plan.json": {"compare", "rescore"},
    "ended.json": {"compare", "export", "rescore", "show"},
}
"""The commands that need not read a file; some of them read it for some of their arguments."""


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 9999, b'"text"', b'{"schema_version": 99}', b"\0" * 99])
@pytest.mark.parametrize("name", FILES[:3])
def test_a_file_of_any_content_ends_in_one_sentence(
    run: RunDirectory, command: Command, name: str, content: bytes
) -> None:
    (run.path / name).write_bytes(content)
    for args in COMMANDS:
        shown = command(*args)
        if shown.code != 2:
            assert args[0] in NOT_READ.get(name, ()), args
        else:
            check_one_sentence(shown)


def test_a_linked_folder_of_workflows_is_not_copied(run: RunDirectory, command: Command, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    run.guidance.rename(elsewhere)
    run.guidance.symlink_to(elsewhere)
    for args in (("merge", ".ultra", "-o", "merged"), ("report",), ("show", CASE.case_id)):
        check_one_sentence(command(*args))
    assert not list(tmp_path.glob("merged/runs/*"))


def test_a_linked_run_is_not_searched(run: RunDirectory, command: Command, tmp_path: Path) -> None:
    (tmp_path / "artifact" / "runs").mkdir(parents=True)
    (tmp_path / "artifact" / "runs" / "a").symlink_to(run.path.absolute())
    check_one_sentence(command("merge", "artifact", "-o", "merged"))
    check_one_sentence(command("show", "--dir", "artifact"))
    check_one_sentence(command("show", "--dir", "artifact", "a"))


def test_a_run_that_the_user_names_by_a_link_is_shown(run: RunDirectory, command: Command, tmp_path: Path) -> None:
    (tmp_path / "newest").symlink_to(run.path.absolute())
    assert command("show", "newest").lines[0].startswith(f"run {run.run_id}: ")


def test_a_planted_link_at_the_path_of_an_output_is_not_followed(
    run: RunDirectory, command: Command, tmp_path: Path
) -> None:
    report = run.path / "report.html"
    report.symlink_to(tmp_path / "secret")
    assert command("report").code == 0
    assert (tmp_path / "secret").read_bytes() == SECRET
    assert b"<html" in report.read_bytes()
    assert not report.is_symlink()


def test_a_workflow_that_fits_no_tool_is_one_sentence(run: RunDirectory, command: Command) -> None:
    (path,) = run.guidance.glob("*.json")
    path.write_bytes(
        path.read_bytes().replace(b'"flawed_step":1', b'"flawed_step":999').replace(b'"tool":"', b'"tool":"no_')
    )
    for args in (("show", CASE.case_id), ("show", CASE.case_id, "--prompt")):
        shown = command(*args)
        if shown.code:
            check_one_sentence(shown)


def test_a_line_that_is_damaged_beyond_its_head_is_not_merged(run: RunDirectory, command: Command) -> None:
    line = encode_line(make_episode(CASE), 0).replace(b'"worker":"gw0"', b'"worker":5')
    (run.path / "journal-gw0.jsonl").write_bytes(line)
    shown = command("merge", ".ultra", "-o", "merged")
    check_one_sentence(shown)
    assert "is not complete" in shown.err


def test_a_case_in_which_nothing_fits_is_one_sentence(root: Path, command: Command) -> None:
    case = make_case(model="demo", tool_success_rate=1e308, instance=10**30, seed=-1, max_turns=0)
    run = make_run(root, [make_episode(case)], described=DESCRIBED)
    for args in (*COMMANDS[:1], *COMMANDS[2:], ("show", case.case_id), ("show", case.case_id, "--prompt")):
        shown = command(*args, *(("--run", run.run_id) if case.case_id in args else ()))
        if shown.code == 2:
            check_one_sentence(shown)
