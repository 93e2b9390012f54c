"""The folder of an episode: a copy of the user's files, and what is in it as a state that can be compared."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_ultra.core.json_types import Json

_MAX_TEXT_BYTES = 1_000_000
_EMPTY_FOLDER = "an empty folder"


class EpisodeFiles:
    """A folder that starts as a copy of a template, or empty without one. It is removed by `close`."""

    def __init__(self, folder: Path, template: Path | None, ignore: Sequence[str]) -> None:
        self.folder = folder
        self._template = template
        self._ignore = ignore
        self._fill()

    def restore(self) -> None:
        """Bring the folder back to its beginning."""
        for path in list(self.folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        self._fill()

    def state(self) -> dict[str, Json]:
        """Return the files by their paths: their text, or a digest of what is no text. Folders count if empty."""
        return dict(self._entries())

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fill(self) -> None:
        if self._template is not None:
            shutil.copytree(self._template, self.folder, dirs_exist_ok=True, symlinks=True)

    def _entries(self) -> Iterator[tuple[str, Json]]:
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if any(fnmatchcase(name, pattern) or fnmatchcase(path.name, pattern) for pattern in self._ignore):
                continue
            if path.is_symlink():
                yield name, f"a link to {path.readlink()}"
            elif path.is_file():
                yield name, _read(path)
            elif path.is_dir() and not any(path.iterdir()):
                yield name, _EMPTY_FOLDER


def digest_files(folder: Path) -> str:
    """Return a digest of all files below a folder."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.blake2b(path.read_bytes()).digest())
    return digest.hexdigest()


def _read(path: Path) -> str:
    content = path.read_bytes()
    if len(content) <= _MAX_TEXT_BYTES:
        try:
            return content.decode()
        except UnicodeDecodeError:
            pass
    return f"{len(content)} bytes, digest {hashlib.blake2b(content, digest_size=8).hexdigest()}"
