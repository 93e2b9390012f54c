"""What the fuzz tests of readers share: their number of examples, damage to valid documents, and the check of time.

`python benchmarks/fuzz.py` runs all tests marked `fuzz` with many more examples, under the profile `fuzz`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

TestFunction = TypeVar("TestFunction", bound=Callable[..., Any])

_USUAL_EXAMPLES = 100  # of Hypothesis' default profile
_ALLOWED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def fuzz(examples: int) -> Callable[[TestFunction], TestFunction]:
    """Mark a Hypothesis test as a fuzz test with this many examples; the profile `fuzz` multiplies them."""
    count = examples * settings().max_examples // _USUAL_EXAMPLES
    own = settings(max_examples=count, deadline=None, suppress_health_check=_ALLOWED)
    return lambda test: pytest.mark.fuzz(own(test))


_NUMBERS = [
    *("0", "-0", "-1", "7", "2.5", "-0.0", "1e-308", "1e308", "-1e308", "1e999", "-1e999", "NaN", "Infinity", "1e300"),
    *("2147483648", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *("18446744073709551616", "253402300799", "253402300800", "01", "1.", ".5", "0x10", "1_000"),
]
_TEXTS = [
    r'""', r'"\ud800"', r'"\ud83d\ude00"', r'"\udc00\ud800"', r'"\u0000"', r'"\u001b[31m"', r'"a\nb"', r'"../../x"',
    '"/dev/null"', '"\u202e"', '"1"', '"nan"', '"9999-12-31T23:59:59-12:00"', '"0001-01-01T00:00:00+14:00"', '"full"',
    '"error"', '"demo"', '"["', '"{}"', '"=1+1"', '"__class__"',
]  # fmt: skip
_DEEP = ["[" * n + "]" * n for n in (1, 40, 800, 3000)] + ['{"a":' * n + "1" + "}" * n for n in (1, 300, 3000)]
HOSTILE_VALUES = [
    *(text.encode() for text in [*_NUMBERS, *_TEXTS, *_DEEP, "null", "true", "false", "{}", "[null]", "[[],{}]"]),
    b"1" + b"0" * 400,
    b"9" * 5000,
    b'"' + b"x" * 20_000 + b'"',
    b"\xff",
    b'"\xff"',
    b"\xef\xbb\xbf",
    b"[" * 3000,
]
"""JSON values, and texts that are nearly JSON, to put in place of another value."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^\s\[\]{}":,]+')


def spans_of_values(content: bytes) -> list[tuple[int, int]]:
    """Return beginning and end of each JSON value and name in a text that may be damaged."""
    spans, open_at = [], []
    for token in _TOKEN.finditer(content):
        if token[0] in (b"[", b"{"):
            open_at.append(token.start())
        elif token[0] in (b"]", b"}"):
            if open_at:
                spans.append((open_at.pop(), token.end()))
        else:
            spans.append(token.span())
    return spans


def _replace_value(content: bytes, data: st.DataObject) -> bytes:
    start, end = data.draw(st.sampled_from(spans_of_values(content) or [(0, len(content))]))
    value = data.draw(st.sampled_from(HOSTILE_VALUES) | st.binary(max_size=9))
    return content[:start] + value + content[end:]


def _copy_value(content: bytes, data: st.DataObject) -> bytes:
    """Put one of the document's values in place of another, mostly of another type."""
    spans = spans_of_values(content) or [(0, len(content))]
    (start, end), (from_, to) = data.draw(st.sampled_from(spans)), data.draw(st.sampled_from(spans))
    return content[:start] + content[from_:to] + content[end:]


def _repeat_value(content: bytes, data: st.DataObject) -> bytes:
    start, end = data.draw(st.sampled_from(spans_of_values(content) or [(0, len(content))]))
    return content[:end] + (b"," + content[start:end]) * data.draw(st.sampled_from([1, 30])) + content[end:]


def _change_bytes(content: bytes, data: st.DataObject) -> bytes:
    start = data.draw(st.integers(0, len(content)))
    end = start + data.draw(st.integers(0, 3))
    return content[:start] + data.draw(st.binary(max_size=4)) + content[end:]


def _cut(content: bytes, data: st.DataObject) -> bytes:
    return content[: data.draw(st.integers(0, len(content)))]


def _change_lines(content: bytes, data: st.DataObject) -> bytes:
    """Drop, repeat and reorder lines."""
    lines = content.splitlines(keepends=True) or [content]
    return b"".join(data.draw(st.lists(st.sampled_from(lines), max_size=2 * len(lines))))


_DAMAGES = [_replace_value] * 4 + [_copy_value] * 2 + [_repeat_value, _change_bytes, _cut, _change_lines]


def damage(content: bytes, data: st.DataObject) -> bytes:
    """Return a valid document with up to five damages; one in eight is noise instead."""
    if data.draw(st.integers(0, 7)) == 7:
        return data.draw(st.binary(max_size=200))
    for _ in range(data.draw(st.integers(0, 5))):
        content = data.draw(st.sampled_from(_DAMAGES))(content, data)
    return content


def cpu_time_s(action: Callable[[], object], repeats: int = 3) -> float:
    """Return this thread's processor time; the least of several, as others may disturb the caches."""
    times = []
    for _ in range(repeats):
        started = time.thread_time()
        action()
        times.append(time.thread_time() - started)
    return min(times)


def check_linear_time(read: Callable[[int], object], size: int = 40_000) -> None:
    """Check that reading eight times as much costs less than 24 times the time; `read` gets the size in bytes.

    A quadratic reader needs 64 times, each time it is measured; a busy machine disturbs some measurements. What takes
    less than 50 ms is not compared.
    """
    if cpu_time_s(lambda: read(8 * size), 1) < 0.05:
        return
    times = ((cpu_time_s(lambda: read(size)), cpu_time_s(lambda: read(8 * size))) for _ in range(3))
    assert any(large < 24 * small + 0.05 for small, large in times)
