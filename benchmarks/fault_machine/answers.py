"""The catalogue of what an endpoint may send in place of a plain answer."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from enum import StrEnum
from typing import Any

from msgspec import Struct

LARGE_BYTES = 4_000_000
ERROR = b'{"error": {"message": "no", "type": "none"}}'


class Then(StrEnum):
    """What the endpoint does after the bytes that it sends."""

    KEEP = "keep"  # the connection for the next request
    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"


class Fault(Struct, frozen=True):
    """Bytes that are no answer, made from the answer that would have been right."""

    group: str
    make: Callable[[bytes], bytes]
    then: Then = Then.KEEP
    byte_pause_s: float = 0.0


class Oddity(Struct, frozen=True):
    """An answer that counts, in an unusual form."""

    group: str
    make: Callable[[dict[str, Any]], bytes]
    delay_s: float = 0.0


def response(status: str, content: bytes, kind: str = "application/json", *, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n{more}\r\n"
    return head.encode() + content


def plain(answer: dict[str, Any]) -> bytes:
    return response("200 OK", json.dumps(answer).encode())


def _limit(header: Callable[[], str] = str) -> Fault:
    return Fault("429", lambda _: response("429 Too Many Requests", ERROR, more=header()))


def _status(group: str, status: str, content: bytes = ERROR, *, more: str = "") -> Fault:
    return Fault(group, lambda _: response(status, content, more=more))


def _body(content: bytes, *, more: str = "") -> Fault:
    return Fault("malformed answers", lambda _: response("200 OK", content, more=more))


def _cut(part: float, then: Then) -> Fault:
    return Fault("broken connections", lambda complete: complete[: int(len(complete) * part)], then)


def _truncated(complete: bytes) -> bytes:
    return response("200 OK", complete.split(b"\r\n\r\n", 1)[1][:-30])


def _half_chunk(complete: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + f"{len(complete):x}\r\n".encode() + complete[: len(complete) // 2]


FAULTS: dict[str, Fault] = {
    "429": _limit(),
    "429 retry-after": _limit(lambda: "retry-after: 1\r\n"),
    "429 retry-after-ms": _limit(lambda: "retry-after-ms: 150\r\n"),
    "429 date": _limit(lambda: f"retry-after: {formatdate(time.time() + 1, usegmt=True)}\r\n"),
    "429 no number": _limit(lambda: "retry-after: soon\r\n"),
    "429 negative": _limit(lambda: "retry-after: -5\r\n"),
    "429 a day": _limit(lambda: "retry-after: 86400\r\n"),
    "400": _status("other errors", "400 Bad Request"),
    "401": _status("other errors", "401 Unauthorized"),
    "404": _status("other errors", "404 Not Found"),
    "408": _status("5xx", "408 Request Timeout"),
    "500": _status("5xx", "500 Internal Server Error"),
    "500 without body": _status("5xx", "500 Internal Server Error", b""),
    "502 HTML": _status("5xx", "502 Bad Gateway", b"<html>bad gateway</html>"),
    "503 retry-after": _status("5xx", "503 Service Unavailable", more="retry-after: 1\r\n"),
    "529": _status("5xx", "529 Overloaded"),
    "reset": _cut(0, Then.RESET),
    "closed": _cut(0, Then.CLOSE),
    "reset in head": _cut(0.05, Then.RESET),
    "closed in body": _cut(0.7, Then.CLOSE),
    "reset in body": _cut(0.7, Then.RESET),
    "closed in chunk": Fault("broken connections", _half_chunk, Then.CLOSE),
    "no HTTP": Fault("broken connections", lambda _: b"\x16\x03\x01 hello\r\n\r\n", Then.CLOSE),
    "hang": Fault("hangs", lambda _: b"", Then.HANG),
    "hang in body": Fault("hangs", lambda complete: complete[:-40], Then.HANG),
    "drip": Fault("hangs", lambda complete: complete, Then.HANG, byte_pause_s=0.5),
    "empty": _body(b""),
    "truncated": Fault("malformed answers", _truncated),
    "HTML": _body(b"<html>We are down.</html>"),
    "null": _body(b"null"),
    "list": _body(b"[1, 2]"),
    "no choices": _body(b'{"choices": []}'),
    "error in 200": _body(b'{"error": {"message": "overloaded", "code": 503}}'),
    "not UTF-8": _body(b'{"choices": [{"message": {"content": "\xff\xfe"}}]'),
    "nested": _body(b"[" * 100_000),
    "false gzip": _body(b"not gzip", more="content-encoding: gzip\r\n"),
    "huge and no JSON": Fault("huge", lambda _: response("200 OK", b"x" * LARGE_BYTES)),
    "huge head": Fault("huge", lambda _: response("200 OK", b"{}", more=f"x-large: {'x' * 500_000}\r\n"), Then.CLOSE),
}


def _with_usage(usage: object) -> Oddity:
    return Oddity("odd answers", lambda answer: plain(answer | {"usage": usage}))


def _with_content(change: Callable[[str], object], group: str = "odd answers") -> Oddity:
    def make(answer: dict[str, Any]) -> bytes:
        choice = answer["choices"][0]
        message = choice["message"] | {"content": change(choice["message"]["content"] or "")}
        return plain(answer | {"choices": [choice | {"message": message}]})

    return Oddity(group, make)


def _chunked(answer: dict[str, Any]) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    content = json.dumps(answer).encode()
    chunks = [content[at : at + 100] for at in range(0, len(content), 100)] + [b""]
    return head + b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)


def _gzipped(answer: dict[str, Any]) -> bytes:
    return response("200 OK", gzip.compress(json.dumps(answer).encode()), more="content-encoding: gzip\r\n")


ODDITIES: dict[str, Oddity] = {
    "slow": Oddity("slow", plain, delay_s=0.8),
    "usage missing": _with_usage(None),
    "usage negative": _with_usage({"prompt_tokens": -5, "completion_tokens": -1}),
    "usage endless": _with_usage({"prompt_tokens": 1e308, "completion_tokens": 10**400}),
    "usage as text": _with_usage({"prompt_tokens": "many", "completion_tokens": ["1"]}),
    "usage as list": _with_usage([1, 2]),
    "content in parts": _with_content(lambda text: [{"type": "text", "text": text}]),
    "control characters": _with_content(lambda text: text + "\x1b]0;title\x07\x00\u2028::stop-commands::x"),
    "half a character": _with_content(lambda text: text + "\ud83d"),
    "huge": _with_content(lambda text: text + " very" * (LARGE_BYTES // 5), "huge"),
    "chunked": Oddity("odd answers", _chunked),
    "gzip": Oddity("odd answers", _gzipped),
    "text/plain": Oddity("odd answers", lambda answer: response("200 OK", json.dumps(answer).encode(), "text/plain")),
    "white space": Oddity("odd answers", lambda answer: response("200 OK", b"\n" * 50 + json.dumps(answer).encode())),
}
GROUPS = {name: fault.group for name, fault in FAULTS.items()} | {name: odd.group for name, odd in ODDITIES.items()}
"""The group in which a behaviour is counted, by its name."""
DENIALS = frozenset({"400", "401", "404", "429 a day"})
"""Behaviours that end an episode, or all of them, at once: calls in flight are then cancelled."""
