"""A suite over a real MCP server: every kind of fault happens to its tools, and can be dealt with."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.transcript import Answered
from pytest_ultra.mcp_suites.mcp_suite import McpSuite
from pytest_ultra.options.config_file import read_suite_table
from tests.custom.suite_runs import make_own_case, play

FILES = Path(__file__).parent
FALLBACK = ', fallback = { tool = "search", arguments = { text = "milk" } } }'


def test_every_kind_of_fault_happens_and_the_perfect_agent_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    shutil.copy(FILES / "notes_server.py", tmp_path)
    text = (FILES / "notes.ultra.toml").read_text()
    path = tmp_path / "notes.ultra.toml"
    path.write_text(
        text.replace('arguments = { word = "milk" } }', 'arguments = { word = "milk" }' + FALLBACK).replace(
            'offer = ["find"', 'offer = ["find", "search"'
        )
    )
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "shopping.txt").write_text("milk\nbread\n")
    (tmp_path / "notes" / "calls.txt").write_text("Call Bob on Friday.\n")
    suite = McpSuite(read_suite_table(path), tmp_path)
    kinds = Counter[FaultKind | None]()
    try:
        for seed in range(20):
            case = make_own_case(suite, "eggs", seed=seed, tool_success_rate=0.4, fault_kind="+".join(FaultKind))
            score, events = play(suite, case, "perfect")
            assert score.outcome is Outcome.FULL
            kinds.update(event.result.fault_kind for event in events if isinstance(event, Answered))
    finally:
        suite.close()
    assert {*FaultKind} <= kinds.keys()
