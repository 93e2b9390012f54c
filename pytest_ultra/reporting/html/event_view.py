"""The events of a transcript as the page of a case shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.transcript import Answered, Attempted, Discovered, Ended, Event, FellBack, Replied, ToolResult
from pytest_ultra.reporting.html.html_text import one_line, safe_text
from pytest_ultra.reporting.html.view_records import CallView, EventKind, EventView, ResultKind

_MAX_NAME_LENGTH = 200


def make_event_views(event: Event) -> Iterator[EventView]:
    """Yield the views of an event; a request that was answered has none, since its answer has one."""
    match event:
        case Attempted(problem=None):
            pass
        case Attempted():
            yield EventView("attempt", _attempt(event))
        case Replied():
            yield from _reply(event)
        case Answered():
            yield _call_with_result("call", event)
        case Discovered():
            yield _call_with_result("search", event)
        case FellBack():
            detail = safe_text(event.detail)
            yield EventView("note", f"Continues with the text protocol, since the endpoint rejects tools: {detail}")
        case Ended():
            if event.reason.is_models and event.detail:
                yield EventView("note", safe_text(event.detail.partition("\n")[0]))
        case _:
            assert_never(event)


def _reply(event: Replied) -> Iterator[EventView]:
    if text := event.reply.text.strip():
        yield EventView("text", safe_text(text))
    if event.forgiven:
        forgiven = ", ".join(event.forgiven).replace("_", " ")
        yield EventView("note", f"Accepted despite errors in its calls: {forgiven}.")
    if event.calls_in_text:
        yield EventView("note", f"Tool calls in its text, which were not run: {event.calls_in_text}.")


def _attempt(event: Attempted) -> str:
    problem = f"{event.problem} {event.status}" if event.status is not None else str(event.problem)
    wait = f", waited {event.wait_s:.1f} s" if event.wait_s else ""
    detail = safe_text(event.detail.partition("\n")[0])
    return f"Request failed ({problem} after {event.duration_s:.1f} s{wait}): {detail}"


def _call_with_result(kind: EventKind, event: Answered | Discovered) -> EventView:
    return EventView(
        kind,
        call=_call(event),
        result=_result(event.result),
        result_kind=_result_kind(event.result),
        handle=safe_text(event.result.handle) if event.result.handle else None,
    )


def _call(event: Answered | Discovered) -> CallView:
    name = safe_text(event.call.name, _MAX_NAME_LENGTH)
    if event.arguments is None:
        return CallView(name, raw=safe_text(event.call.arguments))
    arguments = ((safe_text(key, _MAX_NAME_LENGTH), one_line(value)) for key, value in event.arguments.items())
    return CallView(name, tuple(arguments))


def _result_kind(result: ToolResult) -> ResultKind:
    if result.is_success:
        return "ok" if result.fault is None else "fault"
    return "fault" if result.is_random else "error"


def _result(result: ToolResult) -> str:
    effect = safe_text(result.fault_effect.replace("_", " "), _MAX_NAME_LENGTH)
    if not result.is_success:
        became = f" ({effect})" if result.fault_kind is FaultKind.LOST_REPLY else ""
        return safe_text(f"{result.code}{became}: {result.message}")
    return (f"wrong ({effect}): " if result.fault is not None else "") + _success(result)


def _success(result: ToolResult) -> str:
    preview = result.value
    if result.handle is not None and isinstance(preview, dict):
        preview = {name: value for name, value in preview.items() if name != "handle"}
    return one_line(preview)
