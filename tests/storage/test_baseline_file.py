"""A baseline file is small, has one case per line, and decodes to the episodes that it was made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.baseline_file import read_baseline, write_baseline
from tests.results_factory import make_case, make_episode


def write(path: Path, episodes: list[Episode]) -> int:
    return write_baseline(path, episodes, run_id="20261124T090000.000000Z", started_at="2026-11-24T09:00:00+00:00")


def run_cases(outcomes: list[Outcome], **axes: Any) -> list[Episode]:
    return [
        make_episode(make_case(PromptType(prompt_type), instance=instance, **axes), outcome)
        for prompt_type in ("optimal", "flawed_tool_misuse")
        for instance, outcome in enumerate(outcomes)
    ]


def test_a_written_file_can_be_read_back(tmp_path: Path) -> None:
    episodes = run_cases([Outcome.FULL, Outcome.PARTIAL, Outcome.FAILED, Outcome.ERROR], temperature=0.5)
    assert write(tmp_path / "base.json", episodes) == 6
    baseline, read = read_baseline(tmp_path / "base.json")
    assert (baseline.run_id, baseline.started_at) == ("20261124T090000.000000Z", "2026-11-24T09:00:00+00:00")
    scored = [episode for episode in episodes if episode.outcome.is_scored]
    assert {(e.case, e.outcome, e.versions) for e in read} == {(e.case, e.outcome, e.versions) for e in scored}


def test_a_cases_line_has_only_the_fields_that_differ(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    write(path, run_cases([Outcome.FULL, Outcome.FAILED]))
    lines = path.read_text().splitlines()
    assert lines[-5].startswith(
        '{"case":"gpt-4o-mini-flawed_tool_misuse-simple_task-easy-1","outcome":"failed",'
        '"prompt_type":"flawed_tool_misuse"'
    )
    assert json.loads(path.read_text())["common"]["seed"] == 0
    assert all('"seed"' not in line for line in lines if line.startswith('{"case"'))


def test_two_files_differ_only_in_the_cases_with_other_outcomes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    write(one, run_cases([Outcome.FULL, Outcome.FULL]))
    write(other, run_cases([Outcome.FULL, Outcome.FAILED])[::-1])
    pairs = zip(one.read_text().splitlines(), other.read_text().splitlines(), strict=True)
    assert sum(before != after for before, after in pairs) == 2


def test_a_thousand_cases_take_less_than_200_kb(tmp_path: Path) -> None:
    write(tmp_path / "base.json", run_cases([Outcome.FULL] * 500))
    assert (tmp_path / "base.json").stat().st_size < 200_000


def test_a_run_without_scored_cases_makes_no_baseline(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has scored no case, so there is nothing to compare with later"):
        write(tmp_path / "base.json", run_cases([Outcome.ERROR]))
    assert not (tmp_path / "base.json").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"no json",
        b"[]",
        b'{"schema_version": 1, "run_id": "", "started_at": "", "common": {}, "cases": [{"case": "a"}]}',
        b'{"schema_version": 1, "run_id": "", "started_at": "", "common": {}, "cases": {}}',
    ],
)
def test_any_other_file_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "base.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"is not a baseline file \(.*write one with `pytest-ultra baseline"):
        read_baseline(path)


def test_an_unreadable_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read \(is a directory\)"):
        read_baseline(tmp_path)


def test_a_newer_schema_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    write(path, run_cases([Outcome.FULL]))
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(ConfigurationError, match="newer pytest-ultra"):
        read_baseline(path)
