"""Episodes as compressed chunks, and chunks as pages of a limited size."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator

import msgspec

from pytest_ultra.reporting.html.view_records import EpisodeView

CHUNK_SIZE = 1_000_000
"""Bytes of JSON after which a chunk is closed, at the end of a task after half of them; a browser unpacks it whole."""
PAGE_SIZE = 2_000_000
"""Packed characters after which a page is closed, at the end of a task."""
_GZIP = 16 + zlib.MAX_WBITS


class Chunk(msgspec.Struct, frozen=True):
    """A list of episodes, gzipped and in base64; `rows` are their row numbers in the table of cases.

    `starts_task` is true if its first episodes are the first ones of their task.
    """

    rows: tuple[int, ...]
    packed: str
    starts_task: bool = True


class Group(msgspec.Struct, frozen=True):
    """A control and its episodes, which stay in one chunk, by their row numbers in the table of cases.

    All groups with the same `task` stay on one page, since any two of its episodes can be shown together.
    """

    views: dict[int, EpisodeView]
    task: int = 0


def pack(value: object) -> str:
    """Return a value as JSON, gzipped and in base64; equal values give equal texts."""
    return _pack(msgspec.json.encode(value))


def _pack(content: bytes) -> str:
    packer = zlib.compressobj(wbits=_GZIP)  # writes no timestamp, so that the output is reproducible
    return base64.b64encode(packer.compress(content) + packer.flush()).decode("ascii")


def make_chunks(groups: Iterable[Group], most_bytes: int = CHUNK_SIZE) -> Iterator[Chunk]:
    """Pack groups, of which those of a task are together; a chunk ends with a task if that makes it large enough."""
    rows: list[int] = []
    encoded: list[bytes] = []
    task, starts_task = None, True
    for group in groups:
        size, is_new = sum(map(len, encoded)), group.task != task
        if size > (most_bytes / 2 if is_new else most_bytes):
            yield Chunk(tuple(rows), _join(encoded), starts_task)
            rows, encoded = [], []
        if not rows:
            starts_task = is_new
        task = group.task
        rows += group.views
        encoded += map(msgspec.json.encode, group.views.values())
    if rows:
        yield Chunk(tuple(rows), _join(encoded), starts_task)


def _join(encoded: list[bytes]) -> str:
    return _pack(b"[%b]" % b",".join(encoded))


def make_pages(chunks: Iterable[Chunk], most_characters: int = PAGE_SIZE) -> Iterator[tuple[Chunk, ...]]:
    """Distribute chunks over pages, in order; each task is on one page."""
    page: list[Chunk] = []
    for chunk in chunks:
        if chunk.starts_task and sum(len(each.packed) for each in page) > most_characters:
            yield tuple(page)
            page = []
        page.append(chunk)
    if page:
        yield tuple(page)
