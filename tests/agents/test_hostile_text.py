"""The text protocol against hostile replies: no text raises, and reading takes time in proportion to the text."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.agents.text_protocol.call_parser import read_calls
from pytest_ultra.agents.text_protocol.lenient_json import UnreadableJsonError, read_json, read_json_leniently
from pytest_ultra.agents.text_protocol.text_messages import read_messages
from pytest_ultra.core.bounds import MAX_CALLS, MAX_DEPTH
from tests.fuzzing import check_linear_time, fuzz

CALL = '{"name": "read", "arguments": {"path": "a.csv"}}'

HOSTILE = {
    "unclosed tags": ("", "<tool_call>", ""),
    "unclosed tags with brackets": ("", "<tool_call>[", ""),
    "unclosed tags with braces": ("", "<tool_call>{", ""),
    "unclosed tags with keys": ("", "<tool_call>{a:", ""),
    "unclosed tags with strings": ("", '<tool_call>["', ""),
    "unclosed functions": ("", "<function=a>{", ""),
    "closed tags with rubbish": ("", "<tool_call>{x</tool_call>", ""),
    "parameters": ("", "<function=a><parameter=b>x", ""),
    "brackets": ("<tool_call>", "[", ""),
    "bare brackets": ("", "[", ""),
    "objects": ("<tool_call>", '{"a":', ""),
    "bracket and spaces": ("[", " ", "x"),
    "brace and spaces": ("```{", " ", "x```"),
    "fences": ("", "```{", ""),
    "single quotes": ("<tool_call>{'", "' ", ""),
    "escapes": ('<tool_call>{"a', "\\", ""),
    "digits": ("<tool_call>[", "1", ""),
    "name without an end": ("<function=", "a", ""),
    "parameter without an end": ("<function=a><parameter=", "b", ""),
    "broken call": ('{"name":', "arguments ", ""),
    "thoughts": ("", "<think>", ""),
    "calls": ("", f"<tool_call>{CALL}</tool_call>", ""),
    "unclosed calls": ("", f"<tool_call>{CALL}", ""),
    "list of calls": ("<tool_call>[", CALL + ",", CALL + "]"),
    "closing braces": (f"<tool_call>{CALL}", "}", ""),
}
"""Beginning, repeated unit and end of each text."""


def hostile_text(kind: str, size: int) -> str:
    start, unit, end = HOSTILE[kind]
    return start + unit * (size // len(unit)) + end


def reading_time_s(text: str) -> float:
    """Return the processor time of this thread; the best of three, as others may disturb the caches."""
    times = []
    for _ in range(3):
        started = time.thread_time()
        read_calls(text)
        times.append(time.thread_time() - started)
    return min(times)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_read_in_linear_time(kind: str) -> None:
    small, large = (reading_time_s(hostile_text(kind, size)) for size in (100_000, 800_000))
    assert large < 24 * small + 0.05  # linear: 8 times; quadratic: 64 times


@pytest.mark.parametrize("kind", HOSTILE)
def test_two_megabytes_are_read_in_well_under_a_second(kind: str) -> None:
    assert reading_time_s(hostile_text(kind, 2_000_000)) < 0.6


def test_a_turn_is_read_up_to_the_first_call_beyond_the_limit() -> None:
    tags, listed = hostile_text("calls", 100_000), hostile_text("list of calls", 100_000)
    for text in (tags, listed, f"```{listed[11:]}```", listed[11:]):
        assert len(read_calls(text).calls) == MAX_CALLS + 1


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 400, 975])
def test_arguments_that_are_nested_too_deeply_are_unreadable(levels: int) -> None:
    deep = "[" * levels + "]" * levels
    (call,) = read_calls(f'<tool_call>{{"name": "read", "arguments": {{"path": {deep}}}}}</tool_call>').calls
    assert (call.name, call.is_readable) == ("read", False)
    assert deep in call.arguments


@pytest.mark.parametrize(
    "text", ['<tool_call>["name"]</tool_call>', '<tool_call>"name"</tool_call>', "[TOOL_CALLS][7]"]
)
def test_a_list_of_something_else_is_an_unreadable_call(text: str) -> None:
    assert [call.is_readable for call in read_calls(text).calls] in ([False], [])


@pytest.mark.parametrize(
    "text",
    [
        r'<tool_call>{"name": "re\ud800", "arguments": {"path": "\udc00"}}</tool_call>',
        r"<tool_call>{'name': 're\ud800', 'arguments': {'path': '\udc00'}}</tool_call>",
        r'<tool_call>{"name": "re\ud800", "arguments": "\udc00"}</tool_call>',
        '<tool_call>{"name": "re\ud800", "arguments": {"path": "\udc00"}}</tool_call>',
    ],
)
def test_halves_of_surrogate_pairs_are_replaced(text: str) -> None:
    (call,) = read_calls(text).calls
    assert call.name == "re\ufffd"
    assert call.arguments.encode().decode() == call.arguments
    assert "\ufffd" in call.arguments


FRAGMENTS = [*(part for parts in HOSTILE.values() for part in parts), *"<>/[]{}`'\",:\\ \n", "</tool_call>", "</think>"]
TEXTS = st.lists(st.sampled_from([*FRAGMENTS, CALL[:-1], "\ud800", "1e999", "true", "None"]) | st.text()).map("".join)


@fuzz(500)
@given(TEXTS)
def test_no_text_raises_and_every_call_can_be_encoded(text: str) -> None:
    for call in read_calls(text).calls:
        assert json.dumps([call.name, call.arguments], ensure_ascii=False).encode()


@fuzz(300)
@given(TEXTS, st.integers(0, 5))
def test_the_json_readers_return_a_value_or_raise_their_one_error(text: str, max_open: int) -> None:
    for read in (lambda: read_json(text), lambda: read_json_leniently(text, 0, len(text), max_open=max_open)):
        try:
            _, end, *_ = read()
        except UnreadableJsonError:
            continue
        assert 0 < end <= len(text)


@fuzz(200)
@given(TEXTS)
def test_messages_of_any_text_are_translated(text: str) -> None:
    (message,) = read_messages([{"role": "assistant", "content": text}])
    assert message["content"] == text


@fuzz(50)
@given(TEXTS, st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=6).map("".join), TEXTS)
def test_no_repeated_text_takes_more_than_linear_time(start: str, unit: str, end: str) -> None:
    unit = unit or "["
    check_linear_time(lambda size: read_calls(start + unit * (size // len(unit)) + end))
