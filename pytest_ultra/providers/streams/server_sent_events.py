"""The line protocol of server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has it.

It also accepts what servers of models send beside it: events without an empty line in between, `error:` as a field,
JSON without a field, and a last event that nothing ends.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pytest_ultra.errors import AttemptFailedError, AttemptProblem

DONE = b"[DONE]"
"""The data of the event after the last one."""
EVENT_STREAM = "text/event-stream"
MAX_EVENT_BYTES = 4 * 1024 * 1024
"""Size of one event: a whole reply of the largest size that is kept. JSON takes up to thirty times the memory."""
BEGINNING_BYTES = 16
"""Bytes that show whether a body is an event stream, whatever its content type is."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BEGINNINGS = (b"data:", b"event:", b"id:", b"retry:", b":")
_JSON_MARKS = b' \t{}[]"'


class ServerSentEvent(msgspec.Struct, frozen=True):
    """The data of one event, its lines joined, and the event's type, empty for most."""

    data: bytes
    type: bytes = b""


def is_event_stream(content_type: str, beginning: bytes) -> bool:
    """Return whether a body is an event stream, by its content type or its first `BEGINNING_BYTES`."""
    if content_type.partition(";")[0].strip().lower() == EVENT_STREAM:
        return True
    return beginning.removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(_BEGINNINGS)


class EventParser:
    """Reads events from chunks that may be cut anywhere. Raises `AttemptFailedError` for one that is too long."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._ended_in_cr = False
        self._is_first_line = True
        self._data: list[bytes] = []
        self._size = 0
        self._type = b""

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Yield the events that are complete with this chunk."""
        if not chunk:
            return
        if self._ended_in_cr:
            chunk = chunk.removeprefix(b"\n")
        self._ended_in_cr = chunk.endswith(b"\r")
        lines = chunk.splitlines()
        rest = lines.pop() if lines and not chunk.endswith((b"\r", b"\n")) else b""
        for line in lines:
            yield from self._read_line(self._complete(line))
        self._line += rest
        self._check_size(len(self._line))

    def close(self) -> Iterator[ServerSentEvent]:
        """Yield the last event if the stream ended inside it."""
        if self._line:
            yield from self._read_line(self._complete(b""))
        yield from self._dispatch()

    def _complete(self, end: bytes) -> bytes:
        line = end
        if self._line:
            line = bytes(self._line) + end
            self._line.clear()
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        return line

    def _read_line(self, line: bytes) -> Iterator[ServerSentEvent]:
        if not line:
            yield from self._dispatch()
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            yield from self._add(value.removeprefix(b" "))
        elif name == b"event":
            self._type = value.strip()
        elif name == b"error":  # https://github.com/ggml-org/llama.cpp/pull/16109
            self._type = name
            yield from self._add(value.removeprefix(b" "))
        elif line[0] in _JSON_MARKS:  # https://github.com/decolua/9router/issues/3492
            yield from self._add(line)

    def _add(self, data: bytes) -> Iterator[ServerSentEvent]:
        is_done = data.strip() == DONE
        if is_done or self._is_next_object(data):
            yield from self._dispatch()
        self._data.append(data)
        self._size += len(data)
        self._check_size(self._size)
        if is_done:
            yield from self._dispatch()

    def _is_next_object(self, data: bytes) -> bool:
        """Return whether data begins a JSON object after the end of another, which no single JSON value does."""
        return bool(self._data) and data.startswith(b"{") and self._data[-1].endswith(b"}")

    def _dispatch(self) -> Iterator[ServerSentEvent]:
        if self._data:
            yield ServerSentEvent(b"\n".join(self._data), self._type)
            self._data = []
            self._size = 0
        self._type = b""

    def _check_size(self, size: int) -> None:
        if size > MAX_EVENT_BYTES:
            detail = f"an event of the stream is longer than {MAX_EVENT_BYTES} bytes"
            raise AttemptFailedError(AttemptProblem.MALFORMED, detail)
