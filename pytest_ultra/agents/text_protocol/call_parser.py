"""The parser of tool calls in a model's text: tags first, then code fences, then a reply that is JSON alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from pytest_ultra.agents.text_protocol.lenient_json import UnreadableJsonError, read_json
from pytest_ultra.agents.text_protocol.parsed_reply import (
    ParsedReply,
    TextCall,
    calls_in,
    is_call,
    make_call,
    read_value,
    unreadable_call,
)
from pytest_ultra.agents.text_protocol.tagged_text import MAX_TAGS, OPENER, TaggedText
from pytest_ultra.core.bounds import MAX_CALLS, without_lone_surrogates
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Forgiven


def read_calls(text: str) -> ParsedReply:
    """Return the calls of a reply, in order; never raises, and takes time in proportion to the text.

    Skips the reasoning (`<think>`) before the reply. Stops after the first call beyond `MAX_CALLS`.
    """
    visible = without_lone_surrogates(text[_end_of_reasoning(text) :])
    for find in (_tagged, _fenced, _untagged):
        calls = tuple(islice(find(visible), MAX_CALLS + 1))
        if calls:
            return ParsedReply(calls)
    return ParsedReply(())


_REASONING = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_END_OF_REASONING = "</think>"
_TAG = "tool_call"
_PARAMETER = re.compile(
    r"\s*<parameter(?:=|\s+name=)[\"']?([\w.-]+)[\"']?\s*>(.*?)(?:</parameter>|(?=<parameter)|(?=</))",
    re.DOTALL | re.IGNORECASE,
)
_FENCE = re.compile(r"\s*```[\w-]*\s*")
_BETWEEN = re.compile(r"[\s,;]*")
_SPACE = re.compile(r"\s*")
_AFTER = re.compile(r"[\s}\]]*(?:```)?\s*")
_BROKEN_CALL = re.compile(
    r"""\s*+[\[{]\s*+(?:\{\s*+)?["']?name["']?\s*+:.*["']?(?:arguments|parameters)["']?\s*+:""", re.DOTALL
)


class _Block(msgspec.Struct, frozen=True):
    """The calls inside one tag, and the position where the tag ends."""

    calls: tuple[TextCall, ...]
    end: int


def _end_of_reasoning(text: str) -> int:
    """Return where the reasoning ends; its opening tag may be in the prompt instead of the reply."""
    if match := _REASONING.match(text):
        return match.end()
    end = text.find(_END_OF_REASONING)
    return end + len(_END_OF_REASONING) if end >= 0 and not OPENER.search(text, 0, end) else 0


def _tagged(visible: str) -> Iterator[TextCall]:
    position = 0
    text = TaggedText(visible)
    while (opener := text.next_opener(position)) is not None:
        block = _function(text, opener) if opener["function"] else _tag(text, opener)
        yield from block.calls
        position = max(block.end, opener.end())


def _tag(tagged: TaggedText, opener: re.Match[str]) -> _Block:
    text = tagged.text
    is_ours = (opener["tag"] or "").lower() == _TAG
    other = () if is_ours else (Forgiven.OTHER_TAG,)
    start, fence = _skip_fence(text, opener.end())
    limit = tagged.next_tag(start)
    if text[start : start + 1] not in ("{", "[") or tagged.is_opener(start):
        closer = tagged.closer_at(limit)
        is_attempt = is_ours and closer is not None
        return _Block((unreadable_call(text[start:limit]),) if is_attempt else (), closer.end() if closer else start)
    try:
        calls, end = _read_several(text, start, limit)
    except UnreadableJsonError:
        return _close(tagged, limit, (unreadable_call(text[start:limit]).with_forgiven(*other, *fence),))
    calls = tuple(call.with_forgiven(*other, *fence) for call in calls)
    return _Block(calls, end) if opener["token"] else _close(tagged, end, calls)


def _function(tagged: TaggedText, opener: re.Match[str]) -> _Block:
    """Read `<function=name>`, whose arguments are JSON or one tag each."""
    text, name = tagged.text, opener["function"]
    start, fence = _skip_fence(text, opener.end())
    limit = tagged.next_tag(start)
    forgiven = (Forgiven.OTHER_TAG, *fence)
    if limit == len(text) and text[start : start + 1] != "{":
        return _Block((unreadable_call(text[start:], name).with_forgiven(*forgiven),), limit)  # possibly truncated
    if _PARAMETER.match(text, start):
        arguments, end = _parameters(text, start)
        return _close(tagged, end, (make_call(name, arguments).with_forgiven(*forgiven, Forgiven.ARGUMENTS_AS_TAGS),))
    if start == limit:
        return _close(tagged, start, (TextCall(name, "{}").with_forgiven(*forgiven, Forgiven.MISSING_ARGUMENTS),))
    try:
        value, end, repaired = read_value(text, start, limit, max_open=0)
    except UnreadableJsonError:
        value, end, repaired = None, limit, ()
    readable = make_call(name, value) if isinstance(value, dict) else unreadable_call(text[start:end], name)
    return _close(tagged, end, (readable.with_forgiven(*forgiven, *repaired),))


def _read_several(text: str, start: int, limit: int) -> tuple[tuple[TextCall, ...], int]:
    """Read consecutive JSON values; return their calls and the position after the last value."""
    calls: list[TextCall] = []
    end = start
    while text[start : start + 1] in ("{", "[") and len(calls) <= MAX_CALLS:
        value, end, repaired = read_value(text, start, limit, max_open=1)
        several = (Forgiven.SEVERAL_IN_ONE,) if calls else ()
        calls += [call.with_forgiven(*several) for call in islice(calls_in(value, repaired), MAX_CALLS + 1)]
        start = _skip(_BETWEEN, text, end)
    return tuple(calls), end


def _close(tagged: TaggedText, end: int, calls: tuple[TextCall, ...]) -> _Block:
    """Look for the closing tag after the calls; without one, accept them and forgive the missing tag."""
    text = tagged.text
    limit = tagged.next_tag(_skip(_AFTER, text, end))
    closer = tagged.closer_at(limit)
    if closer is None:
        return _Block(tuple(call.with_forgiven(Forgiven.UNCLOSED_TAG) for call in calls), end)
    trailing = (Forgiven.TRAILING_TEXT,) if text[end:limit].strip("`\n\r\t ") else ()
    return _Block(tuple(call.with_forgiven(*trailing) for call in calls), closer.end())


def _fenced(text: str) -> Iterator[TextCall]:
    """Find code fences that contain calls, whatever text surrounds them."""
    for number, part in enumerate(text.split("```", 2 * MAX_TAGS)):
        if number % 2 == 1:
            start = min((at for at in (part.find("{"), part.find("[")) if at >= 0), default=len(part))
            yield from _calls_only(part[start:], Forgiven.CODE_FENCE)


def _untagged(text: str) -> Iterator[TextCall]:
    return _calls_only(text.strip(), Forgiven.BARE_JSON)


def _calls_only(text: str, forgiven: Forgiven) -> Iterator[TextCall]:
    """Read text that consists of calls alone. A broken call counts only if it is clearly meant as a call."""
    position = 0
    found: list[TextCall] = []
    while text[position : position + 1] in ("{", "["):
        try:
            value, end, repaired = read_value(text, position, len(text), max_open=1)
        except UnreadableJsonError:
            if _BROKEN_CALL.match(text, position):
                yield from (*found, unreadable_call(text[position:]).with_forgiven(forgiven))
            return
        if not is_call(value):
            return
        found += [call.with_forgiven(forgiven) for call in islice(calls_in(value, repaired), MAX_CALLS + 1)]
        position = _skip(_BETWEEN, text, end)
    if position == len(text):
        yield from found


def _skip_fence(text: str, position: int) -> tuple[int, tuple[Forgiven, ...]]:
    fence = _FENCE.match(text, position)
    return (fence.end(), (Forgiven.CODE_FENCE,)) if fence else (_skip(_SPACE, text, position), ())


def _skip(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _parameters(text: str, start: int) -> tuple[dict[str, Json], int]:
    arguments: dict[str, Json] = {}
    while (parameter := _PARAMETER.match(text, start)) is not None:
        arguments[parameter[1]] = _parameter_value(parameter[2])
        start = parameter.end()
    return arguments, start


def _parameter_value(raw: str) -> Json:
    """Return the value of a parameter tag: text, unless it is JSON of another kind."""
    value = raw.strip("\n")
    try:
        read, end = read_json(value.strip())
    except UnreadableJsonError:
        return value
    return read if end == len(value.strip()) and not isinstance(read, str) else value
