"""Bounds on what a model may send: far beyond any ordinary reply, and small enough to be handled at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import TOKEN_COUNTS, Reply, ToolCall

MAX_CALLS = 128
"""Tool calls of one turn that are run."""
MAX_DEPTH = 200
"""Levels of nesting in JSON. Well below the interpreter's recursion limit, however deep the stack of a reader is."""
MAX_TOKENS = 10**12
"""Tokens that a reply may report."""
MAX_REPLY_CHARS = 1_000_000
"""Characters of one reply, its calls included: more than any model writes at once."""
MAX_EPISODE_CHARS = 4_000_000
"""Characters of an episode's replies: about a million tokens, more than nearly any model's context holds."""
MAX_EXTRA_CHARS = 500_000
"""Characters of JSON in the unknown fields of one reply, such as what a model thought; further fields are dropped."""
MAX_NAME_CHARS = 200
"""Characters of the name of the model, and of the fingerprint, that a reply reports."""
CUT = "length"
"""The finish reason of a reply that was cut; endpoints give it for replies that they end early."""

AnyReply = TypeVar("AnyReply", bound=Reply)


def bound_reply(reply: AnyReply) -> AnyReply:
    """Return the reply within all bounds: one call more than `MAX_CALLS` stays, as the sign that there were more."""
    within = _bound_extra(reply).with_texts(without_lone_surrogates)
    within = msgspec.structs.replace(
        within,
        **{name: bound_tokens(getattr(reply, name)) for name in TOKEN_COUNTS},
        model=within.model[:MAX_NAME_CHARS],
        fingerprint=within.fingerprint[:MAX_NAME_CHARS],
    )
    if reply_chars(within) <= MAX_REPLY_CHARS and len(within.tool_calls) <= MAX_CALLS + 1:
        return within
    text = within.text[:MAX_REPLY_CHARS]
    calls = tuple(_first_calls(within.tool_calls, MAX_REPLY_CHARS - len(text)))
    return msgspec.structs.replace(within, text=text, tool_calls=calls, finish_reason=CUT)


def _bound_extra(reply: AnyReply) -> AnyReply:
    """Return the reply with unknown fields up to `MAX_EXTRA_CHARS`, its own before those of its calls."""
    if not reply.extra and not any(call.extra for call in reply.tool_calls):
        return reply
    chars = MAX_EXTRA_CHARS
    kept = []
    for fields in (reply.extra, *(call.extra for call in reply.tool_calls)):
        within, chars = _first_fields(fields or {}, chars)
        kept.append(within or msgspec.UNSET)
    calls = (msgspec.structs.replace(call, extra=own) for call, own in zip(reply.tool_calls, kept[1:], strict=True))
    return msgspec.structs.replace(reply, extra=kept[0], tool_calls=tuple(calls))


def _first_fields(fields: dict[str, Json], chars: int) -> tuple[dict[str, Json], int]:
    """Return the fields that fit, and the characters that are left."""
    kept: dict[str, Json] = {}
    for name, value in fields.items():
        size = MAX_EXTRA_CHARS + 1 if is_too_deep(value) else len(json.dumps(value)) + len(name)
        if size <= chars:
            kept[name] = value
            chars -= size
    return kept, chars


def reply_chars(reply: Reply) -> int:
    """Return the characters of a reply, those of its calls included."""
    calls = sum(len(call.id) + len(call.name) + len(call.arguments) for call in reply.tool_calls)
    return len(reply.text) + calls + len(reply.finish_reason)


def bound_tokens(tokens: object) -> int:
    """Return a reported number of tokens; 0, as if it were missing, if it is not a whole number up to `MAX_TOKENS`."""
    if type(tokens) is int:
        return tokens if 0 <= tokens <= MAX_TOKENS else 0
    if isinstance(tokens, bool) or not isinstance(tokens, int | float):
        return 0
    return int(tokens) if 0 <= tokens <= MAX_TOKENS and tokens == int(tokens) else 0


def is_too_deep(value: Json) -> bool:
    """Return whether a JSON value is nested beyond `MAX_DEPTH`. Does not recurse."""
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        level = [inner for one in level for inner in _containers(one.values() if isinstance(one, dict) else one)]
    return bool(level)


def decode_json(content: bytes | str | msgspec.Raw) -> Json:
    """Return the value of JSON from outside; raise msgspec.DecodeError if it is none, or is nested too deeply.

    How deep decoders can read depends on the version of Python: from 3.12 on, deeper than functions here can follow.
    """
    try:
        value = msgspec.json.decode(content)
    except (UnicodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None
    if is_too_deep(value):
        raise msgspec.DecodeError(f"it is nested more than {MAX_DEPTH} levels deep")
    return value


def parse_arguments(text: str) -> dict[str, Json] | None:
    """Return a call's arguments; None if the text is not a JSON object, or one that is nested too deeply."""
    try:
        arguments = decode_json(text)
    except msgspec.DecodeError:
        return None
    return arguments if isinstance(arguments, dict) else None


def without_lone_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs, which cannot be encoded, and join the pairs whose halves came apart."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _first_calls(calls: Iterable[ToolCall], chars: int) -> Iterator[ToolCall]:
    for call in islice(calls, MAX_CALLS + 1):
        if chars <= 0:
            return
        id_ = call.id[:chars]
        name = call.name[: chars - len(id_)]
        arguments = call.arguments[: chars - len(id_) - len(name)]
        chars -= len(id_) + len(name) + len(arguments)
        yield ToolCall(id_, name, arguments, call.extra)


def _containers(items: Iterable[Json]) -> list[Json]:
    return [item for item in items if isinstance(item, dict | list)]
