"""The line protocol of server-sent events: every form of it, cut anywhere."""

from __future__ import annotations

import pytest

from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.streams.server_sent_events import (
    MAX_EVENT_BYTES,
    EventParser,
    ServerSentEvent,
    is_event_stream,
)
from tests.fuzzing import check_linear_time


def parse(content: bytes, chunk_bytes: int) -> list[ServerSentEvent]:
    parser = EventParser()
    chunks = [content[at : at + chunk_bytes] for at in range(0, len(content), chunk_bytes)]
    return [event for chunk in chunks for event in parser.feed(chunk)] + list(parser.close())


FORMS = {
    "one": (b"data: a\n\n", [b"a"]),
    "no space": (b"data:a\n\n", [b"a"]),
    "only one space is dropped": (b"data:  a \n\n", [b" a "]),
    "crlf": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "cr": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "mixed line ends": (b"data: a\r\n\ndata: b\r\n\rdata: c\n\n", [b"a", b"b", b"c"]),
    "several lines": (b"data: a\ndata: b\ndata\ndata: c\n\n", [b"a\nb\n\nc"]),
    "byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    "comments": (b": ping\n\n:\ndata: a\n: in the event\ndata: b\n\n", [b"a\nb"]),
    "other fields": (b"id: 7\nretry: 3\nname: x\ndata: a\n\n", [b"a"]),
    "empty events": (b"\n\nevent: x\n\ndata: a\n\n\n\n", [b"a"]),
    "no end": (b"data: a\n\ndata: b", [b"a", b"b"]),
    "no empty lines": (b'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n', [b'{"a":1}', b'{"b":2}', b"[DONE]"]),
    "JSON over several lines": (b'data: {\ndata: "a": {}\ndata: }\n\n', [b'{\n"a": {}\n}']),
    "no field": (b'{"a":1}\n\n{\n "a": 1\n}\ndata: [DONE]', [b'{"a":1}', b'{\n "a": 1\n}', b"[DONE]"]),
    "characters of several bytes": ("data: äöü€🙂\n\n".encode(), ["äöü€🙂".encode()]),
    "nothing": (b"", []),
    "other line separators": ("data: a\u2028b\x0bc\x85\n\n".encode(), ["a\u2028b\x0bc\x85".encode()]),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_gives_the_same_events_however_it_is_cut(form: str) -> None:
    content, expected = FORMS[form]
    for chunk_bytes in range(1, len(content) + 2):
        assert [event.data for event in parse(content, chunk_bytes)] == expected, chunk_bytes


def test_an_event_keeps_its_type_and_the_next_has_none() -> None:
    content = b"event: error\ndata: a\n\ndata: b\n\nerror: c\n\n"
    expected = [ServerSentEvent(b"a", b"error"), ServerSentEvent(b"b"), ServerSentEvent(b"c", b"error")]
    assert parse(content, 3) == expected


def test_done_is_reported_before_the_line_after_it() -> None:
    assert [event.data for event in EventParser().feed(b"data: a\ndata: [DONE]\n")] == [b"a", b"[DONE]"]


@pytest.mark.parametrize("line", [b"data: " + b"x" * 1000 + b"\n", b"x" * 1000])
def test_an_event_without_end_is_malformed(line: bytes) -> None:
    with pytest.raises(AttemptFailedError, match="an event of the stream is longer than 4194304 bytes") as caught:
        parse(line * (2 * MAX_EVENT_BYTES // len(line)), 10_000)
    assert caught.value.problem is AttemptProblem.MALFORMED


@pytest.mark.parametrize(
    ("content_type", "beginning", "expected"),
    [
        ("text/event-stream", b'{"choices"', True),
        ("Text/Event-Stream; charset=utf-8", b"", True),
        ("application/json", b"data: {}", True),
        ("", b"\xef\xbb\xbf\n\ndata:{}", True),
        ("text/plain", b": ping\n", True),
        ("text/plain", b"event: x\n", True),
        ("application/json", b'{"data": 1}', False),
        ("text/html", b"<html>data:", False),
        ("", b"", False),
        ("", b"database error", False),
    ],
)
def test_a_stream_is_known_by_its_content_type_or_its_beginning(
    content_type: str,
    beginning: bytes,
    expected: bool,  # noqa: FBT001 - a test parameter
) -> None:
    assert is_event_stream(content_type, beginning) is expected


@pytest.mark.parametrize("unit", [b"data: x\n", b"data: x\n\n", b"\r", b"\n", b": x\n", b"x"])
@pytest.mark.parametrize("chunk_bytes", [1, 1000])
def test_time_is_in_proportion_to_the_size(unit: bytes, chunk_bytes: int) -> None:
    check_linear_time(
        lambda size: parse(unit * (size // len(unit)), chunk_bytes), 15_000 if chunk_bytes == 1 else 60_000
    )
