"""What was read of a reply in the text protocol: calls, readable or not, and what had to be forgiven."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from pytest_ultra.agents.text_protocol.lenient_json import UnreadableJsonError, read_json, read_json_leniently
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Forgiven

_ARGUMENT_KEYS = ("arguments", "parameters", "args", "params", "input")
_ANY = 1000
_NAME = re.compile(r"""["']?name["']?\s*[:=]\s*["']?([\w.-]+)""")


class TextCall(msgspec.Struct, frozen=True):
    """A call as text: `arguments` is the JSON that was understood or, where that was not possible, what was sent."""

    name: str
    arguments: str
    is_readable: bool = True
    forgiven: tuple[Forgiven, ...] = ()

    def forgiving(self, *forgiven: Forgiven) -> TextCall:
        return msgspec.structs.replace(self, forgiven=(*forgiven, *self.forgiven))


class Reading(msgspec.Struct, frozen=True):
    """The calls of a reply, in order."""

    calls: tuple[TextCall, ...]

    @property
    def forgiven(self) -> tuple[Forgiven, ...]:
        """Everything that was forgiven, once each, in the order of the enumeration."""
        found = {forgiven for call in self.calls for forgiven in call.forgiven}
        return tuple(forgiven for forgiven in Forgiven if forgiven in found)


def unreadable(raw: str, name: str = "") -> TextCall:
    """Keep a call that cannot be understood, with the tool that it seems to name."""
    match = _NAME.search(raw)
    return TextCall(name or (match[1] if match else ""), raw.strip(), is_readable=False)


def read_value(text: str, start: int, limit: int, *, most_open: int) -> tuple[Json, int, tuple[Forgiven, ...]]:
    """Read one JSON value: strictly, however long it is; or else forgivingly, up to `limit`.

    At the end of the text, which may have been cut, up to `most_open` brackets may be missing.
    """
    try:
        return *read_json(text, start), ()
    except UnreadableJsonError:
        is_whole = limit < len(text)
        return read_json_leniently(text[:limit], start, most_open=_ANY if is_whole else most_open)


def is_call(value: Json) -> bool:
    """Tell whether JSON that stands outside of any tag is a call beyond doubt."""
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(_is_one_call(each) for each in values)


def calls_of(value: Json, repaired: tuple[Forgiven, ...] = ()) -> Iterator[TextCall]:
    """Take a JSON value, which had to be repaired so, for a call or a list of such."""
    values = value if isinstance(value, list) else [value]
    several = (Forgiven.SEVERAL_IN_ONE,) if len(values) > 1 else ()
    for each in values:
        call = _call(each).forgiving(*several, *repaired)
        is_cut = {Forgiven.MISSING_BRACKET, Forgiven.MISSING_ARGUMENTS} <= set(call.forgiven)
        yield unreadable(_write(each), call.name) if is_cut else call


def with_arguments(name: str, arguments: Json) -> TextCall:
    """Make a call of a name and its arguments, which may be JSON within a string."""
    if isinstance(arguments, dict):
        return TextCall(name, _write(arguments))
    if isinstance(arguments, str):
        try:
            inner, _, forgiven = read_value(arguments, 0, len(arguments), most_open=_ANY)
        except UnreadableJsonError:
            return TextCall(name, arguments)
        if isinstance(inner, dict):
            return TextCall(name, _write(inner), forgiven=(Forgiven.ARGUMENTS_AS_TEXT, *forgiven))
    return TextCall(name, _write(arguments))


def _is_one_call(value: Json) -> bool:
    inner = _unwrap(value)
    return isinstance(inner.get("name"), str) and any(key in inner for key in _ARGUMENT_KEYS)


def _unwrap(value: Json) -> dict[str, Json]:
    inner = value.get("function", value) if isinstance(value, dict) else value
    if isinstance(inner, str) and "name" not in value:  # {"function": "reader", "arguments": {...}}
        return {**value, "name": inner}
    inner = value if isinstance(inner, str) else inner
    return inner if isinstance(inner, dict) else {}


def _call(value: Json) -> TextCall:
    inner = _unwrap(value)
    name = inner.get("name")
    if not isinstance(name, str):
        return unreadable(_write(value))
    key = next((key for key in _ARGUMENT_KEYS if key in inner), None)
    wrapped = (Forgiven.WRAPPED,) if inner is not value else ()
    if key is None:
        is_alone = inner.keys() <= {"name", "type", "id"}
        missing = TextCall(name, "{}", forgiven=(*wrapped, Forgiven.MISSING_ARGUMENTS))
        return missing if is_alone else unreadable(_write(value), name)
    other = (Forgiven.OTHER_KEY,) if key != _ARGUMENT_KEYS[0] else ()
    return with_arguments(name, inner[key]).forgiving(*wrapped, *other)


def _write(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
