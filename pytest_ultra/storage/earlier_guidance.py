"""The tasks and workflows of earlier runs, so that a run need not generate them again."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pytest_ultra import __version__
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.errors import ConfigurationError, UltraError
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.guidance_cache import Generate, GuidanceCache
from pytest_ultra.storage.stored_files import read_stored

MOST_FILES = 2_000
"""How many tasks are kept, 20 to 100 KB each."""
_GENERATOR = ("benchmark", "core", "faults", "flaws")
"""The rooms whose code determines what is generated."""


class EarlierRuns(GuidanceCache):
    """A folder of guidance files beside the runs, whose names end in a hash of their content.

    Each version of the generator's code has its own folder, and removes those of others. A file that is damaged or gone
    is generated again. A file that cannot be written is not kept.
    """

    def __init__(self, root: Path, task_type: type[Any]) -> None:
        """`root` is the value of `--ultra-dir`, `task_type` the record of the built-in suite's tasks."""
        self._folder = root / "guidance" / generator_version()
        self._has_generated = False
        super().__init__(self._folder, task_type)

    def complete(self, generate: Generate) -> Generate:
        def find_or_generate(case: Case, *, task: Any = None, optimal: Workflow | None = None) -> AnyGuidance:
            found = self._find(case)
            self._has_generated |= found is None
            return found or generate(case, task=task, optimal=optimal)

        return find_or_generate

    def keep(self, name: str, content: bytes) -> None:
        if not self._has_generated or len(self._paths) >= MOST_FILES:
            return
        self._has_generated = False
        path = self._folder / f"{name.removesuffix('.json')}-{_hash(content)}.json"
        with suppress(OSError, UltraError):
            if not self._folder.is_dir():
                self._folder.mkdir(parents=True, exist_ok=True)
                self._remove_others()
            write_atomically(path, content, is_durable=False)
            self._add_path(path)

    def _remove_others(self) -> None:
        for other in self._folder.parent.iterdir():
            if other != self._folder:
                shutil.rmtree(other, ignore_errors=True)

    def _read_content(self, path: Path) -> bytes:
        content = read_stored(path)
        if path.stem.rpartition("-")[2] != _hash(content):
            raise ConfigurationError(f"{str(path)!r} is damaged")
        return content


@cache
def generator_version() -> str:
    """Return a hash of the version and of the generator's files: 4 ms, and the same wherever they are installed."""
    package = Path(__file__).parents[1]
    files = (f"{path.relative_to(package)}".encode() + b"\0" + path.read_bytes() for path in sorted(_files(package)))
    return _hash(b"\0".join([__version__.encode(), *files]))


def _files(package: Path) -> Iterator[Path]:
    for room in _GENERATOR:
        yield from (package / room).rglob("*.py")


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()
