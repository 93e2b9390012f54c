"""The examples of agents are short, and each is in the table, in tox and in the same form."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "agents"
FILES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_agent_has_at_most_fifteen_lines(path: Path) -> None:
    functions = [
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [function.name for function in functions] == ["solve"]
    (solve,) = functions
    assert (solve.end_lineno or 0) - solve.lineno + 1 <= 15


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_described_and_run_by_tox(path: Path) -> None:
    assert f"--ultra-agent {path.stem}:solve@demo/follower" in (FOLDER / "README.md").read_text()
    assert f"pytest --ultra-agent {path.stem}:solve@demo/follower" in (
        ast.get_docstring(ast.parse(path.read_text())) or ""
    )
    assert f"ULTRA_TEST_FRAMEWORK = {path.stem}\n" in (ROOT / "tox.ini").read_text()
