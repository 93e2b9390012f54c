"""Records to JSON and back, with a check of the schema version."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pytest_ultra.errors import ConfigurationError

SCHEMA_VERSION = 1

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for content that is damaged, is something else, or is nested too deeply."""


class Versioned(msgspec.Struct, frozen=True):
    """A record that says by which schema it was written."""

    schema_version: int


def encode(record: Any) -> bytes:
    """Encode a record as one line of JSON, without a newline.

    A model may send half a surrogate pair, which no encoding can represent: it becomes a replacement character.
    """
    try:
        return msgspec.json.encode(record)
    except UnicodeEncodeError:
        return msgspec.json.encode(_replace_surrogates(msgspec.to_builtins(record)))


def _replace_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="surrogatepass").decode(errors="replace")
    if isinstance(value, dict):
        return {_replace_surrogates(name): _replace_surrogates(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_surrogates(item) for item in value]
    return value


Record = TypeVar("Record")
VersionedT = TypeVar("VersionedT", bound=Versioned)


def decode_file(content: bytes, kind: type[Record], path: Path) -> Record:
    """Decode the content of a file; raise ConfigurationError if it is damaged or has a newer schema version."""
    check_version(content, path)
    try:
        return msgspec.json.decode(content, type=kind)
    except UNREADABLE as error:
        raise ConfigurationError(
            f"{str(path)!r} is damaged ({error}); leave its run out, or restore the file"
        ) from error


def decode_versioned(content: bytes, decoder: msgspec.json.Decoder[VersionedT], path: Path) -> VersionedT | None:
    """Return the record, None if it is damaged; raise ConfigurationError if it has a newer schema version."""
    record: VersionedT | None = None
    with suppress(*UNREADABLE):
        record = decoder.decode(content)
    if record is None or record.schema_version > SCHEMA_VERSION:
        check_version(content, path)
    return record


def check_version(content: bytes, path: Path) -> None:
    """Raise ConfigurationError if `content` has a newer schema version than this pytest-ultra reads."""
    try:
        version = msgspec.json.decode(content, type=Versioned).schema_version
    except UNREADABLE:
        return
    if version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"{str(path)!r} was written by a newer pytest-ultra (schema {version}, this one reads up to "
            f"{SCHEMA_VERSION}); upgrade pytest-ultra, or name another directory with --ultra-dir"
        )
