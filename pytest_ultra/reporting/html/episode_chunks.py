"""Episodes as compressed chunks, and chunks as pages of a limited size."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator

import msgspec

from pytest_ultra.reporting.html.view_records import EpisodeView

CHUNK_SIZE = 1_000_000
"""Bytes of JSON after which a chunk is closed; a browser unpacks a whole chunk to show one episode."""
PAGE_SIZE = 2_000_000
"""Packed characters after which a page is closed."""
_GZIP = 16 + zlib.MAX_WBITS


class Chunk(msgspec.Struct, frozen=True):
    """A list of episodes, gzipped and in base64; `rows` are their row numbers in the table of cases."""

    rows: tuple[int, ...]
    packed: str


class Group(msgspec.Struct, frozen=True):
    """Episodes that are shown together, and so stay in one chunk, by their row numbers in the table of cases."""

    views: dict[int, EpisodeView]


def pack(value: object) -> str:
    """Return a value as JSON, gzipped and in base64; equal values give equal texts."""
    return _pack(msgspec.json.encode(value))


def _pack(content: bytes) -> str:
    packer = zlib.compressobj(wbits=_GZIP)  # writes no timestamp, so that the output is reproducible
    return base64.b64encode(packer.compress(content) + packer.flush()).decode("ascii")


def make_chunks(groups: Iterable[Group]) -> Iterator[Chunk]:
    rows: list[int] = []
    encoded: list[bytes] = []
    for group in groups:
        rows += group.views
        encoded += map(msgspec.json.encode, group.views.values())
        if sum(map(len, encoded)) > CHUNK_SIZE:
            yield _close(rows, encoded)
            rows, encoded = [], []
    if rows:
        yield _close(rows, encoded)


def _close(rows: list[int], encoded: list[bytes]) -> Chunk:
    return Chunk(tuple(rows), _pack(b"[%b]" % b",".join(encoded)))


def make_pages(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, ...]]:
    """Distribute chunks over pages, in order."""
    page: list[Chunk] = []
    for chunk in chunks:
        page.append(chunk)
        if sum(len(chunk.packed) for chunk in page) > PAGE_SIZE:
            yield tuple(page)
            page = []
    if page:
        yield tuple(page)
