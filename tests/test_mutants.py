"""The command that mutates the scorer: what it changes, and which changes it finds unnoticed."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
MODULE = '''
"""A module."""

LIMIT: int = 3


def is_small(value: int, others: list[int]) -> bool:
    """Return whether a value is small."""
    others.append(value)
    if value < LIMIT and not others[1:]:
        return True
    return any(other + 1 == value for other in others if other)
'''
TEST = """
from pytest_ultra.small import is_small


def test_small():
    others = []
    assert is_small(2, others) is True
    assert others == [2]
    assert is_small(3, []) is False
"""


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "benchmarks" / "mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


mutants = load()


def test_every_kind_of_change_is_made_once_at_each_place() -> None:
    found = mutants.find_mutants(MODULE)
    assert Counter(mutant.kind for mutant in found) == {
        "constant": 4,  # the limit, [1:], True, + 1
        "comparison": 2,
        "boolean": 3,  # and, not, any
        "arithmetic": 1,
        "branch": 2,  # the if, and the condition of the generator
        "statement": 3,  # append, and two returns
    }
    texts = {mutant.text for mutant in found}
    assert len(texts) == len(found)
    assert all(ast.dump(ast.parse(text)) != ast.dump(ast.parse(MODULE)) for text in texts)
    changed = {mutant.after for mutant in found}
    assert {"value <= LIMIT", "other - 1", "other + 1 != value", "None", "return None", "False"} <= changed
    assert mutants.find_mutants("pairs = zip(ours, theirs, strict=True)") == []


def test_what_no_test_notices_is_named_and_what_one_notices_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("pytest_ultra", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "pytest_ultra" / "__init__.py").touch()
    (tmp_path / "pytest_ultra" / "small.py").write_text(MODULE)
    (tmp_path / "tests" / "test_small.py").write_text(TEST)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '-p no:ultra'\n")
    results = mutants.run(tmp_path, {"small": ("tests/test_small.py",)}, jobs=1)
    survived = list(mutants.survivors(results))
    verdicts = Counter(result.verdict for result in results)
    assert verdicts["survived"] == len(survived)
    assert 0 < len(survived) < len(results) == 15
    assert any(line.startswith("small.py:12: arithmetic: other + 1") for line in survived)
    assert not any("others.append" in line or "value <= LIMIT" in line for line in survived)
    assert capsys.readouterr().out.startswith("small: 15 mutants, ")


def test_tests_that_fail_without_a_mutant_are_an_error(tmp_path: Path) -> None:
    for folder in ("pytest_ultra", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "pytest_ultra" / "small.py").write_text("X = 1\n")
    (tmp_path / "tests" / "test_small.py").write_text("def test_it():\n    assert False\n")
    with pytest.raises(RuntimeError, match=r"without a mutant, tests/test_small\.py is killed"):
        mutants.run(tmp_path, {"small": ("tests/test_small.py",)}, jobs=1)


def test_every_listed_module_and_test_exists() -> None:
    for module, tests in mutants.TESTS.items():
        assert (ROOT / "pytest_ultra" / f"{module}.py").is_file(), module
        assert all((ROOT / test).is_file() for test in tests), module
