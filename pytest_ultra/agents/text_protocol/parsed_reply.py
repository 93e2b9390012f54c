"""The parsed calls of a reply in the text protocol, readable or not, and the format errors that were forgiven."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from pytest_ultra.agents.text_protocol.lenient_json import UnreadableJsonError, read_json, read_json_leniently
from pytest_ultra.core.bounds import without_lone_surrogates
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Forgiven

_ARGUMENT_KEYS = ("arguments", "parameters", "args", "params", "input")
_ANY_NUMBER = 1000
_NAME = re.compile(r"""["']?name["']?\s*[:=]\s*["']?([\w.-]+)""")


class TextCall(msgspec.Struct, frozen=True):
    """A call in text: `arguments` is the parsed JSON, or the text as it was sent if the call is unreadable."""

    name: str
    arguments: str
    is_readable: bool = True
    forgiven: tuple[Forgiven, ...] = ()

    def with_forgiven(self, *forgiven: Forgiven) -> TextCall:
        return msgspec.structs.replace(self, forgiven=(*forgiven, *self.forgiven))


class ParsedReply(msgspec.Struct, frozen=True):
    """The calls of a reply, in order."""

    calls: tuple[TextCall, ...]

    @property
    def forgiven(self) -> tuple[Forgiven, ...]:
        """Return all that was forgiven, without duplicates, in the order of `Forgiven`."""
        all_forgiven = {forgiven for call in self.calls for forgiven in call.forgiven}
        return tuple(forgiven for forgiven in Forgiven if forgiven in all_forgiven)


def unreadable_call(raw: str, name: str = "") -> TextCall:
    """Return an unreadable call with its raw text, and the tool that it seems to name."""
    match = _NAME.search(raw)
    return TextCall(name or (match[1] if match else ""), raw.strip(), is_readable=False)


def read_value(text: str, start: int, limit: int, *, max_open: int) -> tuple[Json, int, tuple[Forgiven, ...]]:
    """Read one JSON value: strictly first, then leniently up to `limit`.

    Any number of closing brackets may be missing at `limit`; only up to `max_open` if the text ends there, since it
    may be truncated. Raises `UnreadableJsonError`.
    """
    try:
        return *read_json(text, start), ()
    except UnreadableJsonError:
        is_whole = limit < len(text)
        return read_json_leniently(text, start, limit, max_open=_ANY_NUMBER if is_whole else max_open)


def is_call(value: Json) -> bool:
    """Return whether JSON outside of any tag is clearly a call, or a list of calls."""
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(_is_one_call(item) for item in values)


def calls_in(value: Json, repaired: tuple[Forgiven, ...] = ()) -> Iterator[TextCall]:
    """Yield the calls in a JSON value, which is a call or a list of calls; `repaired` is what reading it forgave."""
    values = value if isinstance(value, list) else [value]
    several = (Forgiven.SEVERAL_IN_ONE,) if len(values) > 1 else ()
    for item in values:
        call = _call(item).with_forgiven(*several, *repaired)
        is_truncated = {Forgiven.MISSING_BRACKET, Forgiven.MISSING_ARGUMENTS} <= set(call.forgiven)
        yield unreadable_call(_write(item), call.name) if is_truncated else call


def make_call(name: str, arguments: Json) -> TextCall:
    """Return a call with this name and these arguments, which may be JSON inside a string."""
    if isinstance(arguments, dict):
        return TextCall(name, _write(arguments))
    if isinstance(arguments, str):
        try:
            inner, _, forgiven = read_value(arguments, 0, len(arguments), max_open=_ANY_NUMBER)
        except UnreadableJsonError:
            return TextCall(name, without_lone_surrogates(arguments))
        if isinstance(inner, dict):
            return TextCall(name, _write(inner), forgiven=(Forgiven.ARGUMENTS_AS_TEXT, *forgiven))
    return TextCall(name, _write(arguments))


def _is_one_call(value: Json) -> bool:
    inner = _unwrap(value)
    return isinstance(inner.get("name"), str) and any(key in inner for key in _ARGUMENT_KEYS)


def _unwrap(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        return {}
    inner = value.get("function", value)
    if isinstance(inner, str):  # {"function": "reader", "arguments": {...}}
        return value if "name" in value else {**value, "name": inner}
    return inner if isinstance(inner, dict) else {}


def _call(value: Json) -> TextCall:
    inner = _unwrap(value)
    name = inner.get("name")
    if not isinstance(name, str):
        return unreadable_call(_write(value))
    name = without_lone_surrogates(name)
    key = next((key for key in _ARGUMENT_KEYS if key in inner), None)
    wrapped = (Forgiven.WRAPPED,) if inner is not value else ()
    if key is None:
        is_alone = inner.keys() <= {"name", "type", "id"}
        missing = TextCall(name, "{}", forgiven=(*wrapped, Forgiven.MISSING_ARGUMENTS))
        return missing if is_alone else unreadable_call(_write(value), name)
    other = (Forgiven.OTHER_KEY,) if key != _ARGUMENT_KEYS[0] else ()
    return make_call(name, inner[key]).with_forgiven(*wrapped, *other)


def _write(value: Json) -> str:
    return without_lone_surrogates(json.dumps(value, ensure_ascii=False))
