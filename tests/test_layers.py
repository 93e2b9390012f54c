"""The rooms of the package hold: imports point down, never sideways; those inside functions and for types included."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import pytest_ultra

ROOT = Path(pytest_ultra.__file__).parent

ROWS = (
    ("plugin", "__main__", "suite"),
    ("fixtures", "hookspecs"),
    ("commands",),
    ("controller", "worker"),
    ("collection", "distribution"),
    ("options",),
    ("mcp_suites",),
    ("custom",),
    ("benchmark",),
    ("engine", "providers", "agents", "real_tools", "storage", "analysis", "reporting"),
    ("flaws", "faults"),
    ("core",),
    ("errors",),
)
"""From the top down. A module imports from its own room and from the rows below, and nothing else of the package."""

PURE = {"benchmark", "custom", "flaws", "faults", "core", "agents/text_protocol", "analysis"}
"""Rooms, or folders in one, without a clock, I/O or threads."""
OUTSIDE_WORLD = {"time", "os", "pathlib", "socket", "subprocess", "threading", "asyncio", "tempfile"}

TOP_MODULES = {"__init__", "__main__", "plugin", "hookspecs", "fixtures", "errors"}

SHARED_NAMES = {"__init__", "__main__"}
"""Base names that modules of several folders may share."""


def modules() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*.py")) if room_of(path) != "__init__"]


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def row_of(room: str) -> int:
    return next(number for number, row in enumerate(ROWS) if room in row)


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import hides its layer"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def find_breach(room: str, imported: str, folder: str = "") -> str | None:
    """Return what is wrong with an import in a room, or in a folder of one, None if nothing is."""
    package, _, rest = imported.partition(".")
    if package == "pytest_ultra":
        target = rest.split(".")[0]
        is_own = target in (room, "__version__")
        return None if is_own or row_of(room) < row_of(target) else f"{room} must not import {imported}"
    if package == "xdist":
        return None if room == "distribution" else f"only distribution knows xdist, not {room}"
    if package in ("pytest", "_pytest"):
        return None if row_of(room) <= row_of("options") else f"{room} must not know {package}"
    is_breach = PURE & {room, folder} and package in OUTSIDE_WORLD
    return f"{folder or room} is pure, and must not import {package}" if is_breach else None


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    folder = "/".join(path.relative_to(ROOT).parts[:2])
    breaches = filter(None, (find_breach(room_of(path), name, folder) for name in imported_modules(path)))
    assert not list(breaches)


def test_the_top_folder_holds_rooms_and_the_modules_that_join_them() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} == TOP_MODULES
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms | TOP_MODULES - {"__init__"} == {room for row in ROWS for room in row}


def test_no_two_modules_share_a_base_name() -> None:
    assert not shared_names({str(path.relative_to(ROOT)): path.stem for path in modules()})


def shared_names(stems: Mapping[str, str]) -> dict[str, list[str]]:
    places = defaultdict(list)
    for path, stem in stems.items():
        places[stem].append(path)
    return {stem: paths for stem, paths in places.items() if len(paths) > 1 and stem not in SHARED_NAMES}


@pytest.mark.parametrize(
    ("room", "imported"),
    [
        ("core", "pytest_ultra.benchmark.world.World"),  # up
        ("engine", "pytest_ultra.storage.journal"),  # sideways
        ("controller", "pytest_ultra.worker.shard.Shard"),  # sideways, near the top
        ("core", "pytest_ultra.storage"),  # a whole room
        ("storage", "pytest.fixture"),
        ("controller", "xdist.remote.Producer"),
        ("benchmark", "time.sleep"),
    ],
)
def test_a_breach_of_each_kind_is_found(room: str, imported: str) -> None:
    assert find_breach(room, imported)


def test_a_shared_base_name_is_found() -> None:
    assert shared_names({"core/gates.py": "gates", "engine/gates.py": "gates", "core/__init__.py": "__init__"}) == {
        "gates": ["core/gates.py", "engine/gates.py"]
    }


def test_the_map_in_the_docs_names_every_room_and_only_files_that_exist() -> None:
    page = (Path(__file__).parents[1] / "docs" / "how-it-works.md").read_text()
    start, end = page.index("## The rooms"), page.index("## How a run works")
    tree, table = page[start:end].split("### To change something")
    rooms = {match[1] for match in re.finditer(r"^  (\w+)(?:/|\.py) ", tree, re.MULTILINE)}
    assert rooms == {room for row in ROWS for room in row} - {"__main__"}
    rows = [line for line in table.splitlines() if line.startswith("| ") and "|---" not in line][1:]
    assert len(rows) == 15
    for row in rows:
        names = re.findall(r"`([\w/]+\.(?:py|js))`", row)
        assert 1 <= len(names) <= 3, row
        assert all((ROOT / name).is_file() for name in names), row
