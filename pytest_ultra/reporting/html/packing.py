"""Episodes packed for a page: compressed chunk by chunk, and page by page where one would be too large."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator

import msgspec

from pytest_ultra.reporting.html.view_records import EpisodePiece

CHUNK_SIZE = 1_000_000
"""Bytes of JSON after which a chunk is closed: what a browser unpacks at once to show one episode."""
PAGE_SIZE = 2_000_000
"""Packed characters after which a page takes no more chunks."""
_GZIP = 16 + zlib.MAX_WBITS


class Chunk(msgspec.Struct, frozen=True):
    """A list of episodes, gzipped and in base64; `rows` are their numbers in the table of cases."""

    rows: tuple[int, ...]
    packed: str


class Group(msgspec.Struct, frozen=True):
    """Episodes that are shown beside one another, and so stay in one chunk, by their numbers in the table."""

    pieces: dict[int, EpisodePiece]


def pack(value: object) -> str:
    """Return a value as JSON, gzipped and in base64; the same value always gives the same text."""
    return _pack(msgspec.json.encode(value))


def _pack(content: bytes) -> str:
    packer = zlib.compressobj(wbits=_GZIP)  # writes no time, so that bytes repeat
    return base64.b64encode(packer.compress(content) + packer.flush()).decode("ascii")


def make_chunks(groups: Iterable[Group]) -> Iterator[Chunk]:
    rows: list[int] = []
    encoded: list[bytes] = []
    for group in groups:
        rows += group.pieces
        encoded += map(msgspec.json.encode, group.pieces.values())
        if sum(map(len, encoded)) > CHUNK_SIZE:
            yield _close(rows, encoded)
            rows, encoded = [], []
    if rows:
        yield _close(rows, encoded)


def _close(rows: list[int], encoded: list[bytes]) -> Chunk:
    return Chunk(tuple(rows), _pack(b"[%b]" % b",".join(encoded)))


def make_pages(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, ...]]:
    """Put chunks on pages, in order; there is at least one page."""
    page: list[Chunk] = []
    for chunk in chunks:
        page.append(chunk)
        if sum(len(chunk.packed) for chunk in page) > PAGE_SIZE:
            yield tuple(page)
            page = []
    if page:
        yield tuple(page)
