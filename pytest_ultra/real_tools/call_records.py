"""What is kept of each call of a wrapped tool, and the file of a test's calls: a header, then one call per line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import HAPPENED, Fault
from pytest_ultra.errors import ConfigurationError

VERSION = 1


class RecordedError(msgspec.Struct, frozen=True):
    """An exception of the tool itself: the name of its class and of the nearest one of Python's own, and its text."""

    type: str
    message: str
    base: str = "Exception"


class CallRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """The k-th call of a tool (from 1), which is call `number` of the test, and what became of it.

    `is_made` says whether the real tool was called; `result` or `error` is then what it returned or raised, and
    `is_stored` whether `result` holds all of it. `shown` is what an implicit fault made of the result's JSON. `started`
    and `ended` count the starts and ends of all calls, so that they show which calls ran at once.
    """

    number: int
    tool: str
    k: int
    arguments: Mapping[str, Json]
    started: int
    ended: int
    fault: Fault | None = None
    code: str | None = None
    is_made: bool = False
    is_stored: bool = True
    result: Json = None
    error: RecordedError | None = None
    shown: Json = None

    def describe(self) -> str:
        """Return a line about the call and its fault."""
        return f"call {self.number}: {self.tool}({_brief(self.arguments)}), its call {self.k}: {self._fate()}"

    def _fate(self) -> str:
        if self.fault is None:
            return "no fault" if self.error is None else f"the tool's own {self.error.type}"
        match self.fault.kind:
            case FaultKind.IMPLICIT:
                return f"implicit fault ({self.fault.effect})"
            case FaultKind.LOST_REPLY:
                made = "the call was made" if self.fault.effect == HAPPENED else "the call was not made"
                return f"lost_reply fault ({made})"
            case kind:
                what = f", {self.fault.effect}" if self.fault.effect else ""
                return f"{kind} fault ({self.code}{what})"


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line of a file of calls. `servers` holds what MCP servers said about themselves, by name."""

    version: int
    test: str = ""
    seed: str = ""
    servers: Mapping[str, Json] = {}


def write_calls(path: Path, header: Header, calls: Iterable[CallRecord]) -> None:
    """Write a file of calls, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in (header, *calls)))


def read_calls(path: Path) -> tuple[Header, tuple[CallRecord, ...]]:
    """Read a file of calls. Raises `ConfigurationError` if it is none."""
    try:
        first, *lines = path.read_bytes().splitlines()
        header = msgspec.json.decode(first, type=Header)
        calls = tuple(msgspec.json.decode(line, type=CallRecord) for line in lines)
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise ConfigurationError(
            f"{str(path)!r} cannot be read as recorded calls of tools ({error}); delete it, and record again"
        ) from None
    if header.version > VERSION:
        raise ConfigurationError(
            f"{str(path)!r} was recorded by a later version of pytest-ultra; update it, or record again"
        )
    return header, calls


def json_form(value: Any) -> Json:
    """Return a value as JSON that can be written: dataclasses and models as objects, anything else as its `repr`."""
    found = msgspec.to_builtins(value, str_keys=True, enc_hook=_as_json)
    try:
        msgspec.json.encode(found)
    except ValueError:  # text that is not valid Unicode
        return {repr(name): repr(member) for name, member in found.items()} if isinstance(found, dict) else repr(found)
    return found


def call_key(tool: str, arguments: Mapping[str, Json]) -> str:
    """Return a text that calls with equal arguments have in common, whatever the order of keys."""
    return f"{tool} {msgspec.json.encode(arguments, order='deterministic').decode()}"


def _as_json(value: Any) -> Json:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) and not isinstance(value, type) else repr(value)


_BRIEF = 80


def _brief(arguments: Mapping[str, Json]) -> str:
    text = ", ".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in arguments.items())
    return text if len(text) <= _BRIEF else f"{text[: _BRIEF - 1]}…"
