"""The `--ultra-json` document."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import SCORER_VERSION
from pytest_ultra.core.episode import Outcome, flatten
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.files import check_writable, write_atomically
from pytest_ultra.storage.json_document import complete, skipped_episode, write_document
from tests.results_factory import make_case, make_episode, make_nodeid

CASES = [make_case(prompt_type) for prompt_type in PromptType]
PLANNED = [(case, make_nodeid(case)) for case in CASES]


def test_a_document_holds_the_run_and_its_episodes(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_document(path, {"seed": 0}, [make_episode(CASES[2])])
    document = json.loads(path.read_text())
    assert (document["schema_version"], document["run"]) == (1, {"seed": 0})
    assert document["episodes"] == [json.loads(json.dumps(flatten(make_episode(CASES[2]))))]


def test_planned_cases_come_in_their_order_and_those_without_an_episode_are_skipped() -> None:
    completed = complete([make_episode(case) for case in reversed(CASES[2:])], PLANNED)
    assert [episode.case for episode in completed] == CASES
    assert [str(episode.outcome) for episode in completed] == ["skipped"] * 2 + ["full"] * 9


def test_a_document_has_the_documented_fields(tmp_path: Path) -> None:
    names = """case_id nodeid model prompt_type flaw_kind severity task_type difficulty instance repeat seed
    tool_success_rate outcome milestone_coverage tool_calls reference_calls efficiency random_faults recovered_faults
    obedience failure_class error turns requests prompt_tokens completion_tokens worker started_at duration_s
    model_time_s"""
    write_document(tmp_path / "result.json", {}, [make_episode()])
    (episode,) = json.loads((tmp_path / "result.json").read_text())["episodes"]
    assert set(names.split()) <= episode.keys()


def test_the_order_of_arrival_does_not_change_a_byte(tmp_path: Path) -> None:
    episodes = [make_episode(case) for case in CASES]
    write_document(tmp_path / "one.json", {}, episodes)
    write_document(tmp_path / "other.json", {}, episodes[::-1])
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "other.json").read_bytes()


def test_the_same_case_under_different_versions_is_two_episodes(tmp_path: Path) -> None:
    new = make_episode()
    old = msgspec.structs.replace(new, scorer_version=0)
    assert new.case_id == new.case.case_id != old.case_id
    write_document(tmp_path / "result.json", {}, [old, new])
    found = json.loads((tmp_path / "result.json").read_text())["episodes"]
    assert {(e["case_id"], e["scorer_version"]) for e in found} == {(old.case_id, 0), (new.case_id, SCORER_VERSION)}


def test_a_document_without_episodes_is_a_document(tmp_path: Path) -> None:
    write_document(tmp_path / "result.json", {}, [])
    assert json.loads((tmp_path / "result.json").read_text()) == {"schema_version": 1, "run": {}, "episodes": []}


def test_a_case_that_was_never_started_is_skipped_with_a_reason() -> None:
    episode = skipped_episode(CASES[0], "node")
    assert (episode.outcome, episode.error) == (Outcome.SKIPPED, "not run: the run ended before it")
    assert skipped_episode(CASES[0], "node", reason="budget spent").error == "budget spent"


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_write_the_same_file_do_not_meet(tmp_path: Path) -> None:
    """As those that receive from two hosts which have both generated a task."""
    path, contents = tmp_path / "file", [bytes([number]) * 10_000 for number in range(4)]
    with ThreadPoolExecutor(len(contents)) as pool:
        for _ in pool.map(lambda content: write_atomically(path, content, is_durable=False), contents * 50):
            assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_checking_leaves_only_the_folders(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b" / "result.json", "--ultra-json")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_checking_does_not_change_an_existing_file(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("old")
    check_writable(tmp_path / "result.json", "--ultra-json")
    assert (tmp_path / "result.json").read_text() == "old"


def test_a_path_that_is_a_directory_is_rejected(tmp_path: Path) -> None:
    message = f"--ultra-json: '{tmp_path}' is a directory; name a file that can be written"
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        check_writable(tmp_path, "--ultra-json")


def test_a_path_under_a_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "result.json"
    message = f"--ultra-json: cannot write '{path}' (file exists); name a file in a directory that can be written"
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        check_writable(path, "--ultra-json")


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="No such device"):  # nobody reads it
        write_atomically(path, b"new")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(path, [b"n", b"ew"])
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert path.is_fifo()


def test_a_device_is_written_to_and_not_replaced() -> None:
    main, terminal = os.openpty()
    path = Path(os.ttyname(terminal))
    check_writable(path, "--ultra-json")
    write_atomically(path, b"new")
    assert os.read(main, 10) == b"new"
    assert path.is_char_device()
    for descriptor in (main, terminal):
        os.close(descriptor)
