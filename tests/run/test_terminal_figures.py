"""The figures that a real run prints agree with an independent computation from its journals."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pytest_ultra.core.episode import Episode
from tests import independent
from tests.independent_words import assert_shown
from tests.run.project import Project


def identify(episode: dict[str, Any]) -> str:
    return msgspec.convert(episode, Episode).case_id


def test_the_terminal_agrees_with_the_journals(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    prompt_types = "--ultra-prompt-type=baseline,optimal,flawed_tool_misuse,flawed_redundant_operations"
    models, tasks = "--ultra-model=demo,demo/stubborn", "--ultra-task-type=simple_task,basic_task"
    result = project.run("-n2", "-v", models, prompt_types, tasks, "--ultra-instances=3", "--ultra-repeats=2")
    (run,) = project.runs()
    expected = independent.summary(independent.read_journals(run), identify)
    assert expected["counts"]["full"] + expected["counts"]["partial"] + expected["counts"]["failed"] == 2 * 4 * 12
    assert_shown(result.outlines, expected)
