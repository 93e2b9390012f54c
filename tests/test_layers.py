"""The layers of the package hold: imports point down, never sideways, function-level and type-only ones included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_ultra

ROOT = Path(pytest_ultra.__file__).parent

ALLOWED = {
    "errors": set[str](),
    "benchmark": {"errors"},
    "engine": {"errors", "benchmark"},
    "models": {"errors", "benchmark"},
    "storage": {"errors", "benchmark"},
    "analysis": {"errors", "benchmark"},
    "reporting": {"errors", "benchmark"},
}
"""What each of the lower layers may import from the package; what is not named here is the pytest layer."""


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import hides its layer"
            yield node.module or ""


def lower_modules() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*.py")) if layer_of(path) in ALLOWED]


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", lower_modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    layer = layer_of(path)
    for name in imported_modules(path):
        package, _, rest = name.partition(".")
        if package == "pytest_ultra" and rest:
            target = rest.split(".")[0]
            assert target == layer or target in ALLOWED[layer], f"{layer} must not import {name}"
        assert package not in ("pytest", "_pytest", "xdist"), f"{layer} must not know of {package}"


def test_only_distribution_knows_xdist() -> None:
    knowing = {
        layer_of(path)
        for path in ROOT.rglob("*.py")
        if any(name.split(".")[0] == "xdist" for name in imported_modules(path))
    }
    assert knowing <= {"distribution"}


def test_the_benchmark_touches_no_clock_and_no_outside_world() -> None:
    forbidden = {"time", "os", "pathlib", "socket", "subprocess", "threading", "asyncio", "tempfile"}
    for path in (ROOT / "benchmark").rglob("*.py"):
        assert not forbidden & {name.split(".")[0] for name in imported_modules(path)}, path
