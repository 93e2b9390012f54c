"""What to say of a request that is not on its cassette."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import islice

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.storage.cassettes.cassette import Cassette
from pytest_ultra.storage.cassettes.cassette_folder import cassette_path
from pytest_ultra.storage.cassettes.recorded_requests import describe_case, describe_tools, in_words, messages_said

_MOST_LINES = 24
_WAY_OUT = "To record it, use --ultra-cassette=auto."
_EDITED = "The requests read the same; if an answer was edited by hand, the requests after it are others."


def explain_missing(request: ChatRequest, cassette: Cassette) -> str:
    """Show how a request differs from the one recorded for its case that is nearest: that of the same turn."""
    path = str(cassette_path(request.case))
    if not cassette.turns:
        return f"There is no cassette {path!r}, so turn {request.turn} has no answer. {_WAY_OUT}"
    if cassette.find(request) is not None:
        return f"The cassette {path!r} was cut off before turn {request.turn} was answered. {_WAY_OUT}"
    last = cassette.turns[-1].turn
    if last < request.turn:
        what = f"The cassette {path!r} ends with turn {last}, so turn {request.turn} has no answer."
    else:
        what = f"Turn {request.turn} is not on the cassette {path!r}: another request was recorded."
    return "\n".join([f"{what} {_WAY_OUT}", *_difference(request, cassette.until(request.turn))])


def _difference(request: ChatRequest, cassette: Cassette) -> list[str]:
    asked = in_words(describe_case(request.case), describe_tools(request), messages_said(request))
    recorded = f"recorded, turn {cassette.turns[-1].turn}"
    lines = difflib.unified_diff(cassette.in_words(), asked, recorded, f"asked, turn {request.turn}", n=1, lineterm="")
    return _short(lines) or [_EDITED]


def _short(lines: Iterator[str]) -> list[str]:
    first, more = list(islice(lines, _MOST_LINES)), sum(1 for _ in lines)
    return [*first, f"… and {more} more lines"] if more else first
