"""The message for a request that its cassette does not answer."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.storage.cassettes.cassette import Cassette
from pytest_ultra.storage.cassettes.cassette_folder import cassette_path
from pytest_ultra.storage.cassettes.recorded_requests import (
    describe_case,
    describe_tools,
    recorded_messages,
    request_lines,
)

_MAX_LINES = 24
_REMEDY = "To record it, use --ultra-cassette=auto."
_EDITED = "The requests look the same; if an answer was edited by hand, all later requests differ."


def explain_missing(request: ChatRequest, cassette: Cassette) -> str:
    """Say why the cassette has no answer, with a diff between the request and the one recorded for the same turn."""
    path = str(cassette_path(request.case))
    if not cassette.turns:
        return f"There is no cassette {path!r}, so turn {request.turn} has no answer. {_REMEDY}"
    if cassette.find(request) is not None:
        return f"The recording of {path!r} was interrupted before turn {request.turn} was answered. {_REMEDY}"
    first, last = cassette.turns[0].turn, cassette.turns[-1].turn
    if first > request.turn:
        return f"The cassette {path!r} begins with turn {first}, so turn {request.turn} has no answer. {_REMEDY}"
    if last < request.turn:
        what = f"The cassette {path!r} ends with turn {last}, so turn {request.turn} has no answer."
    else:
        what = f"Turn {request.turn} is not on the cassette {path!r}: another request was recorded."
    return "\n".join([f"{what} {_REMEDY}", *_diff(request, cassette.until(request.turn))])


def _diff(request: ChatRequest, cassette: Cassette) -> list[str]:
    requested = request_lines(describe_case(request.case), describe_tools(request), recorded_messages(request))
    recorded = f"recorded, turn {cassette.turns[-1].turn}"
    lines = difflib.unified_diff(
        cassette.request_lines(), requested, recorded, f"requested, turn {request.turn}", n=1, lineterm=""
    )
    return _shorten(lines) or [_EDITED]


def _shorten(lines: Iterator[str]) -> list[str]:
    """Leave out lines in the middle: a recorded message comes first, and what was requested instead last."""
    known = list(lines)
    more = len(known) - _MAX_LINES
    if more <= 0:
        return known
    half = _MAX_LINES // 2
    return [*known[:half], f"… {more} lines are left out …", *known[-half:]]
