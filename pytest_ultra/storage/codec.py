"""Records as JSON lines and back, with the schema version that guards them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pytest_ultra.errors import ConfigurationError

SCHEMA_VERSION = 1


class _Version(msgspec.Struct):
    schema_version: int


def encode(record: Any) -> bytes:
    """Encode a record as one line of JSON without its line end.

    A model may send half a surrogate pair, which is no text in any encoding: it becomes a replacement character.
    """
    try:
        return msgspec.json.encode(record)
    except UnicodeEncodeError:
        return msgspec.json.encode(_sound(msgspec.to_builtins(record)))


def _sound(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="surrogatepass").decode(errors="replace")
    if isinstance(value, dict):
        return {_sound(name): _sound(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sound(item) for item in value]
    return value


Record = TypeVar("Record")


def decode_file(content: bytes, kind: type[Record], path: Path) -> Record:
    """Decode what a file holds; raise ConfigurationError when it is damaged, or of a newer schema than ours."""
    check_version(content, path)
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{str(path)!r} is damaged ({error}); leave its run out, or restore the file"
        ) from error


def check_version(content: bytes, path: Path) -> None:
    """Raise ConfigurationError when `content`, which could not be decoded, is of a newer schema than ours."""
    try:
        version = msgspec.json.decode(content, type=_Version).schema_version
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"{str(path)!r} was written by a newer pytest-ultra (schema {version}, this one reads up to "
            f"{SCHEMA_VERSION}); upgrade pytest-ultra, or name another directory with --ultra-dir"
        )
