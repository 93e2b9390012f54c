"""Finding tool calls in a model's text: tags first, else fences, else nothing but JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from pytest_ultra.agents.text_protocol.lenient_json import UnreadableJsonError, read_json
from pytest_ultra.agents.text_protocol.text_reading import (
    Reading,
    TextCall,
    calls_of,
    is_call,
    read_value,
    unreadable,
    with_arguments,
)
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Forgiven


def read_calls(text: str) -> Reading:
    """Read the calls of a reply, in order; never raises. What a model thinks aloud beforehand is passed over."""
    spoken = text[_end_of_thought(text) :]
    for find in (_tagged, _fenced, _bare):
        calls = tuple(find(spoken))
        if calls:
            return Reading(calls)
    return Reading(())


_THOUGHT = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_END_OF_THOUGHT = "</think>"
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
    """What one tag holds, and where it ends."""

    calls: tuple[TextCall, ...]
    end: int


def _end_of_thought(text: str) -> int:
    """Return where thinking aloud ends; its beginning may have stood in the prompt."""
    if match := _THOUGHT.match(text):
        return match.end()
    end = text.find(_END_OF_THOUGHT)
    return end + len(_END_OF_THOUGHT) if end >= 0 and not _OPENER.search(text, 0, end) else 0


def _tagged(text: str) -> Iterator[TextCall]:
    position = 0
    while (opener := _OPENER.search(text, position)) is not None:
        block = _function(text, opener) if opener["function"] else _tag(text, opener)
        yield from block.calls
        position = max(block.end, opener.end())


def _tag(text: str, opener: re.Match[str]) -> _Block:
    is_ours = (opener["tag"] or "").lower() == _TAG
    other = () if is_ours else (Forgiven.OTHER_TAG,)
    start, fence = _pass_fence(text, opener.end())
    limit = _limit(text, start)
    if _OPENER.match(text, start):
        return _Block((), start)
    if text[start : start + 1] not in ("{", "["):
        closer = _CLOSER.match(text, limit)
        is_attempt = is_ours and closer is not None
        return _Block((unreadable(text[start:limit]),) if is_attempt else (), closer.end() if closer else start)
    try:
        calls, end = _read_several(text, start, limit)
    except UnreadableJsonError:
        return _close(text, limit, (unreadable(text[start:limit]).forgiving(*other, *fence),))
    calls = tuple(call.forgiving(*other, *fence) for call in calls)
    return _Block(calls, end) if opener["token"] else _close(text, end, calls)


def _function(text: str, opener: re.Match[str]) -> _Block:
    """Read `<function=name>`, with its arguments as JSON or as a tag each."""
    name = opener["function"]
    start, fence = _pass_fence(text, opener.end())
    limit = _limit(text, start)
    forgiven = (Forgiven.OTHER_TAG, *fence)
    if limit == len(text) and text[start : start + 1] != "{":
        return _Block((unreadable(text[start:], name).forgiving(*forgiven),), limit)  # cut, for all we know
    if _PARAMETER.match(text, start):
        arguments, end = _parameters(text, start)
        return _close(text, end, (with_arguments(name, arguments).forgiving(*forgiven, Forgiven.ARGUMENTS_AS_TAGS),))
    if start == limit:
        return _close(text, start, (TextCall(name, "{}").forgiving(*forgiven, Forgiven.MISSING_ARGUMENTS),))
    try:
        value, end, repaired = read_value(text, start, limit, most_open=0)
    except UnreadableJsonError:
        value, end, repaired = None, limit, ()
    readable = with_arguments(name, value) if isinstance(value, dict) else unreadable(text[start:end], name)
    return _close(text, end, (readable.forgiving(*forgiven, *repaired),))


def _read_several(text: str, start: int, limit: int) -> tuple[tuple[TextCall, ...], int]:
    """Read one JSON value after another."""
    calls: list[TextCall] = []
    end = start
    while text[start : start + 1] in ("{", "["):
        value, end, repaired = read_value(text, start, limit, most_open=1)
        several = (Forgiven.SEVERAL_IN_ONE,) if calls else ()
        calls += [call.forgiving(*several) for call in calls_of(value, repaired)]
        start = _skip(_BETWEEN, text, end)
    return tuple(calls), end


def _close(text: str, end: int, calls: tuple[TextCall, ...]) -> _Block:
    """Look for the closing tag after the calls; without one they are calls all the same."""
    after = _skip(_AFTER, text, end)
    limit = _limit(text, after)
    closer = _CLOSER.match(text, limit)
    if closer is None:
        return _Block(tuple(call.forgiving(Forgiven.UNCLOSED_TAG) for call in calls), end)
    trailing = (Forgiven.TRAILING_TEXT,) if text[end:limit].strip("`\n\r\t ") else ()
    return _Block(tuple(call.forgiving(*trailing) for call in calls), closer.end())


def _fenced(text: str) -> Iterator[TextCall]:
    """Find fences that hold calls, whatever stands around them."""
    for number, part in enumerate(text.split("```")):
        if number % 2 == 1:
            start = min((at for at in (part.find("{"), part.find("[")) if at >= 0), default=len(part))
            yield from _whole(part[start:], Forgiven.CODE_FENCE)


def _bare(text: str) -> Iterator[TextCall]:
    return _whole(text.strip(), Forgiven.BARE_JSON)


def _whole(text: str, forgiven: Forgiven) -> Iterator[TextCall]:
    """Read text that is nothing but calls; a broken one counts if it can have been meant as nothing else."""
    position = 0
    found: list[TextCall] = []
    while text[position : position + 1] in ("{", "["):
        try:
            value, end, repaired = read_value(text, position, len(text), most_open=1)
        except UnreadableJsonError:
            if _BROKEN_CALL.match(text, position):
                yield from (*found, unreadable(text[position:]).forgiving(forgiven))
            return
        if not is_call(value):
            return
        found += [call.forgiving(forgiven) for call in calls_of(value, repaired)]
        position = _skip(_BETWEEN, text, end)
    if position == len(text):
        yield from found


def _pass_fence(text: str, position: int) -> tuple[int, tuple[Forgiven, ...]]:
    fence = _FENCE.match(text, position)
    return (fence.end(), (Forgiven.CODE_FENCE,)) if fence else (_skip(_SPACE, text, position), ())


def _limit(text: str, start: int) -> int:
    """Return where the next tag, opening or closing, begins."""
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
    """A parameter in a tag is text, unless it is JSON of another kind."""
    value = raw.strip("\n")
    try:
        read, end = read_json(value.strip())
    except UnreadableJsonError:
        return value
    return read if end == len(value.strip()) and not isinstance(read, str) else value
