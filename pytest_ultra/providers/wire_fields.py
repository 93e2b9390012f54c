"""The fields of an answer, read one by one: nothing is built from parts that are not needed or are too large."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, TypeVar

import msgspec

from pytest_ultra.core.bounds import MAX_CALLS, bound_tokens, decode_json, without_lone_surrogates
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Extra

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # raised for a body that is not JSON
ABSENT = msgspec.Raw()
_MAX_VALUE_BYTES = 1024 * 1024
"""Size up to which a value of any kind is built: objects take up to thirty times the memory of their JSON."""
_MAX_NUMBER_BYTES = 40
_EMPTY = (b"", b"null", b"false", b"0", b'""', b"[]", b"{}")


class Answer(msgspec.Struct, frozen=True):
    choices: msgspec.Raw = ABSENT
    usage: msgspec.Raw = ABSENT
    model: msgspec.Raw = ABSENT
    system_fingerprint: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class FirstItem(msgspec.Struct, frozen=True, array_like=True):
    """The first item of a list; the others are skipped."""

    item: msgspec.Raw = ABSENT


class Choice(msgspec.Struct, frozen=True):
    message: msgspec.Raw = ABSENT
    finish_reason: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class ReplyMessage(msgspec.Struct, frozen=True):
    content: msgspec.Raw = ABSENT
    refusal: msgspec.Raw = ABSENT
    tool_calls: msgspec.Raw = ABSENT
    function_call: msgspec.Raw = ABSENT


class Call(msgspec.Struct, frozen=True):
    """A call; its name and arguments are mostly inside `function`."""

    id: msgspec.Raw = ABSENT
    function: msgspec.Raw = ABSENT
    name: msgspec.Raw = ABSENT
    arguments: msgspec.Raw = ABSENT


_FirstCalls = msgspec.defstruct(
    "_FirstCalls", [(f"call_{number}", msgspec.Raw, ABSENT) for number in range(MAX_CALLS + 1)], array_like=True
)
_STRING = msgspec.json.Decoder(str)
_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_COUNT = msgspec.json.Decoder(int)
Fields = TypeVar("Fields", bound=msgspec.Struct)


def read_answer(body: bytes) -> Answer:
    """Return the fields of an answer, all of them absent if it is JSON but no object. Raises one of `UNREADABLE`."""
    try:
        return msgspec.json.decode(body, type=Answer)
    except msgspec.ValidationError:
        body.decode()
        return Answer()
    except msgspec.DecodeError:
        return msgspec.json.decode(_without_lone_surrogates(body), type=Answer)


def read_fields(field: msgspec.Raw, kind: type[Fields]) -> Fields | None:
    """Return the fields of an object, or the items of a list; None if it is neither."""
    try:
        return msgspec.json.decode(field, type=kind)
    except msgspec.DecodeError:
        return None


def is_filled(field: msgspec.Raw) -> bool:
    """Return whether a field is there, and not null, false, zero or empty."""
    return _size(field) > len("false") or bytes(field) not in _EMPTY


def read_string(field: msgspec.Raw) -> str | None:
    """Return a string; None if the field is something else. Raises UnicodeDecodeError."""
    return _STRING.decode(field) if _begins_with(field, b'"') else None


def read_text(content: msgspec.Raw) -> str:
    """Return the text of a content: a string, null, or a list of parts, some of them text."""
    return join_parts(_read_value(content)) if _begins_with(content, b"[") else read_string(content) or ""


def read_tokens(field: msgspec.Raw) -> int:
    """Return a number of tokens; 0 if it is missing, or cannot be one."""
    try:
        if 0 < _size(field) <= _MAX_NUMBER_BYTES:
            return bound_tokens(_COUNT.decode(field))
    except msgspec.DecodeError:  # a float, perhaps
        pass
    return bound_tokens(_read_value(field)) if _size(field) <= _MAX_NUMBER_BYTES else 0


def read_arguments(field: msgspec.Raw) -> str:
    """Return arguments as JSON text; some servers send the object itself, or nothing if there are none.

    An object that is too large or nested too deeply stays as it was sent: reading it is left to the tools, which
    reject it as the model's error.
    """
    text = read_string(field)
    if text is not None:
        return text if text.strip() else "{}"
    value = _read_value(field)
    if value is None:
        return bytes(field).decode(errors="replace") if _size(field) > len("null") else "{}"
    return msgspec.json.encode(value).decode()


def read_extra(field: msgspec.Raw, known: frozenset[str]) -> Extra:
    """Return the filled fields of an object that are not among the known ones, unset if there are none."""
    if not 0 < _size(field) <= _MAX_VALUE_BYTES:
        return msgspec.UNSET
    fields = read_names(field)
    unknown = {name: value for name, value in fields.items() if name not in known and is_filled(value)}
    values = {name: _read_value(value) for name, value in unknown.items()}
    return {name: value for name, value in values.items() if value is not None} or msgspec.UNSET


def read_names(field: msgspec.Raw) -> dict[str, msgspec.Raw]:
    """Return the fields of an object by name; none if it is something else."""
    try:
        return _NAMES.decode(field)
    except msgspec.DecodeError:
        return {}


def read_list(field: msgspec.Raw) -> Iterator[msgspec.Raw]:
    """Yield the items of a list, up to the first one beyond `MAX_CALLS`; an object that should be in one counts too."""
    if not _begins_with(field, b"["):
        yield from (field,) if is_filled(field) else ()
        return
    yield from takewhile(_size, msgspec.structs.astuple(msgspec.json.decode(field, type=_FirstCalls)))


def _read_value(field: msgspec.Raw) -> Json:
    """Return a value of any kind; None if it is missing, unreadable, too large to be built, or nested too deeply."""
    try:
        return decode_json(field) if 0 < _size(field) <= _MAX_VALUE_BYTES else None
    except msgspec.DecodeError:
        return None


def join_parts(content: Any) -> str:
    """Return the text of a content that was decoded: a string, or a list of parts, some of them text."""
    if isinstance(content, list):
        return "".join(join_parts(part.get("text") if isinstance(part, dict) else part) for part in content)
    return content if isinstance(content, str) else ""


def _begins_with(field: msgspec.Raw, mark: bytes) -> bool:
    return memoryview(field)[:1] == mark


def _size(field: msgspec.Raw) -> int:
    return memoryview(field).nbytes


def _without_lone_surrogates(body: bytes) -> bytes:
    r"""Return the JSON without escapes such as `\ud83d` that are half a character: servers cut texts inside one."""
    if len(body) > _MAX_VALUE_BYTES or b"\\ud" not in body.lower():
        return body
    try:
        value = json.loads(body)
    except ValueError:
        return body
    return without_lone_surrogates(json.dumps(value, ensure_ascii=False)).encode()
