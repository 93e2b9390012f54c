"""The events of a transcript made ready for the viewer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from pytest_ultra.core.transcript import Answered, Attempted, Discovered, Ended, Event, FellBack, Replied, ToolResult
from pytest_ultra.reporting.html.html_text import shown, shown_value
from pytest_ultra.reporting.html.view_records import CallPiece, EventKind, EventPiece, ResultKind

_SHORT = 200


def show_event(event: Event) -> Iterator[EventPiece]:
    """Yield what is to be seen of an event; a request that was answered is seen by its answer."""
    match event:
        case Attempted(problem=None) | Ended():
            pass
        case Attempted():
            yield EventPiece("attempt", _attempt(event))
        case Replied():
            if text := event.reply.text.strip():
                yield EventPiece("says", shown(text))
            if event.forgiven:
                yield EventPiece("note", f"Forgiven in its calls: {', '.join(event.forgiven).replace('_', ' ')}.")
        case Answered():
            yield _called("call", event)
        case Discovered():
            yield _called("search", event)
        case FellBack():
            detail = shown(event.detail)
            yield EventPiece("note", f"Goes on in the text protocol, since the endpoint rejects tools: {detail}")
        case _:
            assert_never(event)


def _attempt(event: Attempted) -> str:
    problem = f"{event.problem} {event.status}" if event.status is not None else str(event.problem)
    wait = f", waited {event.wait_s:.1f} s" if event.wait_s else ""
    detail = shown(event.detail.partition("\n")[0])
    return f"Request failed ({problem} after {event.duration_s:.1f} s{wait}): {detail}"


def _called(kind: EventKind, event: Answered | Discovered) -> EventPiece:
    return EventPiece(
        kind,
        call=_call(event),
        result=_result(event.result),
        result_kind=_result_kind(event.result),
        handle=shown(event.result.handle) if event.result.handle else None,
    )


def _call(event: Answered | Discovered) -> CallPiece:
    name = shown(event.call.name, _SHORT)
    if event.arguments is None:
        return CallPiece(name, raw=shown(event.call.arguments))
    return CallPiece(name, tuple((shown(key, _SHORT), shown_value(value)) for key, value in event.arguments.items()))


def _result_kind(result: ToolResult) -> ResultKind:
    if result.is_success:
        return "ok"
    return "fault" if result.is_random else "error"


def _result(result: ToolResult) -> str:
    if not result.is_success:
        return shown(f"{result.code}: {result.message}")
    preview = result.value
    if result.handle is not None and isinstance(preview, dict):
        preview = {name: value for name, value in preview.items() if name != "handle"}
    return shown_value(preview)
