"""The parser of tool calls in a model's text: tags first, then code fences, then a reply that is JSON alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Forgiven


def read_calls(text: str) -> ParsedReply:
    """Return the calls of a reply, in order; never raises. Skips the reasoning (`<think>`) before the reply."""
    visible = text[_end_of_reasoning(text) :]
    for find in (_tagged, _fenced, _untagged):
        calls = tuple(find(visible))
        if calls:
            return ParsedReply(calls)
    return ParsedReply(())


_REASONING = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_END_OF_REASONING = "</think>"
_TAG = "tool_call"
_TAGS = "tool_call|tool_calls|function_call|function_calls|functioncall|tool_use|tools|tool"
_OPENER = re.compile(
    rf"<(?P<tag>{_TAGS})>"
    r"|<(?:function|invoke)(?:=|\s+name=)[\"']?(?P<function>[\w.-]+)[\"']?\s*>"
    r"|(?P<token><\|python_tag\|>|<\|tool_call\|>|\[TOOL_CALLS\])",
    re.IGNORECASE,
)
_CLOSER = re.compile(rf"</\s*(?:{_TAGS}|function|invoke)\s*>", re.IGNORECASE)
_PARAMETER = re.compile(
    r"\s*<parameter(?:=|\s+name=)[\"']?([\w.-]+)[\"']?\s*>(.*?)(?:</parameter>|(?=<parameter)|(?=</))",
    re.DOTALL | re.IGNORECASE,
)
_FENCE = re.compile(r"\s*```[\w-]*\s*")
_BETWEEN = re.compile(r"[\s,;]*")
_SPACE = re.compile(r"\s*")
_AFTER = re.compile(r"[\s}\]]*(?:```)?\s*")
_BROKEN_CALL = re.compile(r"""\s*[\[{]\s*\{?\s*["']?name["']?\s*:.*["']?(?:arguments|parameters)["']?\s*:""", re.DOTALL)


class _Block(msgspec.Struct, frozen=True):
    """The calls inside one tag, and the position where the tag ends."""

    calls: tuple[TextCall, ...]
    end: int


def _end_of_reasoning(text: str) -> int:
    """Return where the reasoning ends; its opening tag may be in the prompt instead of the reply."""
    if match := _REASONING.match(text):
        return match.end()
    end = text.find(_END_OF_REASONING)
    return end + len(_END_OF_REASONING) if end >= 0 and not _OPENER.search(text, 0, end) else 0


def _tagged(text: str) -> Iterator[TextCall]:
    position = 0
    while (opener := _OPENER.search(text, position)) is not None:
        block = _function(text, opener) if opener["function"] else _tag(text, opener)
        yield from block.calls
        position = max(block.end, opener.end())


def _tag(text: str, opener: re.Match[str]) -> _Block:
    is_ours = (opener["tag"] or "").lower() == _TAG
    other = () if is_ours else (Forgiven.OTHER_TAG,)
    start, fence = _skip_fence(text, opener.end())
    limit = _next_tag(text, start)
    if _OPENER.match(text, start):
        return _Block((), start)
    if text[start : start + 1] not in ("{", "["):
        closer = _CLOSER.match(text, limit)
        is_attempt = is_ours and closer is not None
        return _Block((unreadable_call(text[start:limit]),) if is_attempt else (), closer.end() if closer else start)
    try:
        calls, end = _read_several(text, start, limit)
    except UnreadableJsonError:
        return _close(text, limit, (unreadable_call(text[start:limit]).with_forgiven(*other, *fence),))
    calls = tuple(call.with_forgiven(*other, *fence) for call in calls)
    return _Block(calls, end) if opener["token"] else _close(text, end, calls)


def _function(text: str, opener: re.Match[str]) -> _Block:
    """Read `<function=name>`, whose arguments are JSON or one tag each."""
    name = opener["function"]
    start, fence = _skip_fence(text, opener.end())
    limit = _next_tag(text, start)
    forgiven = (Forgiven.OTHER_TAG, *fence)
    if limit == len(text) and text[start : start + 1] != "{":
        return _Block((unreadable_call(text[start:], name).with_forgiven(*forgiven),), limit)  # possibly truncated
    if _PARAMETER.match(text, start):
        arguments, end = _parameters(text, start)
        return _close(text, end, (make_call(name, arguments).with_forgiven(*forgiven, Forgiven.ARGUMENTS_AS_TAGS),))
    if start == limit:
        return _close(text, start, (TextCall(name, "{}").with_forgiven(*forgiven, Forgiven.MISSING_ARGUMENTS),))
    try:
        value, end, repaired = read_value(text, start, limit, max_open=0)
    except UnreadableJsonError:
        value, end, repaired = None, limit, ()
    readable = make_call(name, value) if isinstance(value, dict) else unreadable_call(text[start:end], name)
    return _close(text, end, (readable.with_forgiven(*forgiven, *repaired),))


def _read_several(text: str, start: int, limit: int) -> tuple[tuple[TextCall, ...], int]:
    """Read consecutive JSON values; return their calls and the position after the last value."""
    calls: list[TextCall] = []
    end = start
    while text[start : start + 1] in ("{", "["):
        value, end, repaired = read_value(text, start, limit, max_open=1)
        several = (Forgiven.SEVERAL_IN_ONE,) if calls else ()
        calls += [call.with_forgiven(*several) for call in calls_in(value, repaired)]
        start = _skip(_BETWEEN, text, end)
    return tuple(calls), end


def _close(text: str, end: int, calls: tuple[TextCall, ...]) -> _Block:
    """Look for the closing tag after the calls; without one, accept them and forgive the missing tag."""
    after = _skip(_AFTER, text, end)
    limit = _next_tag(text, after)
    closer = _CLOSER.match(text, limit)
    if closer is None:
        return _Block(tuple(call.with_forgiven(Forgiven.UNCLOSED_TAG) for call in calls), end)
    trailing = (Forgiven.TRAILING_TEXT,) if text[end:limit].strip("`\n\r\t ") else ()
    return _Block(tuple(call.with_forgiven(*trailing) for call in calls), closer.end())


def _fenced(text: str) -> Iterator[TextCall]:
    """Find code fences that contain calls, whatever text surrounds them."""
    for number, part in enumerate(text.split("```")):
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
        found += [call.with_forgiven(forgiven) for call in calls_in(value, repaired)]
        position = _skip(_BETWEEN, text, end)
    if position == len(text):
        yield from found


def _skip_fence(text: str, position: int) -> tuple[int, tuple[Forgiven, ...]]:
    fence = _FENCE.match(text, position)
    return (fence.end(), (Forgiven.CODE_FENCE,)) if fence else (_skip(_SPACE, text, position), ())


def _next_tag(text: str, start: int) -> int:
    """Return the position of the next opening or closing tag, or of the end of the text."""
    found = [match.start() for pattern in (_OPENER, _CLOSER) if (match := pattern.search(text, start))]
    return min(found, default=len(text))


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
