"""The call parser: it forgives format errors, but never invents a call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ultra.agents.text_protocol.call_parser import read_calls
from pytest_ultra.agents.text_protocol.text_messages import write_call
from pytest_ultra.core.transcript import Forgiven, ToolCall

F = Forgiven
READ = ("read", {"path": "a.csv"})
ALONE = '{"name": "read", "arguments": {"path": "a.csv"}}'
TAGGED = f"<tool_call>{ALONE}</tool_call>"

FORGIVEN = [
    (TAGGED, ()),
    (f"I will read it first.\n<tool_call>\n{ALONE}\n</tool_call>\nThen I go on.", ()),
    (f"<think>Perhaps <tool_call>{{}}</tool_call>?</think>{TAGGED}", ()),
    (f"Perhaps I should read it.</think>\n\n{TAGGED}", ()),
    (f"<tool_call>{ALONE}", (F.UNCLOSED_TAG,)),
    (f"<tool_call>{ALONE}<tool_call>", (F.UNCLOSED_TAG,)),
    (f"<tool_call>{ALONE}\nNow I wait for the result.", (F.UNCLOSED_TAG,)),
    (f"<tool_call>```json\n{ALONE}\n```</tool_call>", (F.CODE_FENCE,)),
    (f"This is the call:\n```json\n{ALONE}\n```", (F.CODE_FENCE,)),
    (f"```\n{ALONE}\n```", (F.CODE_FENCE,)),
    (f"```tool_call\n{ALONE}", (F.CODE_FENCE,)),
    (ALONE, (F.BARE_JSON,)),
    (f"  [{ALONE}]\n", (F.BARE_JSON,)),
    (TAGGED.replace("arguments", "parameters"), (F.OTHER_KEY,)),
    (TAGGED.replace("arguments", "args"), (F.OTHER_KEY,)),
    (TAGGED.replace('"a.csv"', '"a.csv",'), (F.TRAILING_COMMA,)),
    (TAGGED.replace('"', "'"), (F.SINGLE_QUOTES,)),
    (TAGGED.replace('"name"', "name"), (F.UNQUOTED_KEY,)),
    (f"<tool_call>{ALONE[:-1]}</tool_call>", (F.MISSING_BRACKET,)),
    (f"<tool_call>{ALONE[:-2]}</tool_call>", (F.MISSING_BRACKET,)),
    (f"<tool_call>{ALONE[:-1]}", (F.UNCLOSED_TAG, F.MISSING_BRACKET)),
    (f"<tool_call>{ALONE}}}</tool_call>", (F.TRAILING_TEXT,)),
    (f"<tool_call>{ALONE} please</tool_call>", (F.TRAILING_TEXT,)),
    (f'<tool_call>{{"type": "function", "function": {ALONE}}}</tool_call>', (F.WRAPPED,)),
    (f'{{"function": "read", "arguments": {json.dumps(READ[1])}}}', (F.BARE_JSON, F.WRAPPED)),
    ('<tool_call>{"name": "read", "arguments": "{\\"path\\": \\"a.csv\\"}"}</tool_call>', (F.ARGUMENTS_AS_TEXT,)),
    ('<function=read>{"path": "a.csv"}</function>', (F.OTHER_TAG,)),
    ('<function=read>{"path": "a.csv"}', (F.UNCLOSED_TAG, F.OTHER_TAG)),
    ('<tool_call><function=read>{"path": "a.csv"}</function></tool_call>', (F.OTHER_TAG,)),
    (
        "<tool_call>\n<function=read>\n<parameter=path>\na.csv\n</parameter>\n</function>\n</tool_call>",
        (F.OTHER_TAG, F.ARGUMENTS_AS_TAGS),
    ),
    (
        '<invoke name="read"><parameter name="path">a.csv</parameter></invoke>',
        (F.OTHER_TAG, F.ARGUMENTS_AS_TAGS),
    ),
    (f"<|python_tag|>{ALONE.replace('arguments', 'parameters')}", (F.OTHER_TAG, F.OTHER_KEY)),
    (f"[TOOL_CALLS][{ALONE}]", (F.OTHER_TAG,)),
    (f"<tools>\n{ALONE}\n</tools>", (F.OTHER_TAG,)),
    (f"<function_call>{ALONE}</function_call>", (F.OTHER_TAG,)),
]


@pytest.mark.parametrize(("text", "forgiven"), FORGIVEN)
def test_a_call_is_read_in_every_known_format_and_what_was_forgiven_is_recorded(
    text: str, forgiven: tuple[Forgiven, ...]
) -> None:
    reading = read_calls(text)
    assert [(call.name, json.loads(call.arguments), call.is_readable) for call in reading.calls] == [(*READ, True)]
    assert reading.forgiven == forgiven


@pytest.mark.parametrize(
    ("arguments", "read", "forgiven"),
    [
        ("{'note': 'it's late', 'ok': True}", {"note": "it's late", "ok": True}, (F.SINGLE_QUOTES, F.PYTHON_LITERAL)),
        ("{'none': None, 'no': False}", {"none": None, "no": False}, (F.SINGLE_QUOTES, F.PYTHON_LITERAL)),
        ('{"text": "two\nlines"}', {"text": "two\nlines"}, (F.RAW_CONTROL_CHARACTER,)),
        (r"{'a': 'it\'s \u00e9\ud83d\ude00\n\d'}", {"a": "it's é😀\nd"}, (F.SINGLE_QUOTES,)),
        ('{"n": [1, -2.5e3, true, null,],}', {"n": [1, -2500.0, True, None]}, (F.TRAILING_COMMA,)),
        ("{n: 1}", {"n": 1}, (F.UNQUOTED_KEY,)),
    ],
)
def test_json_is_read_as_models_write_it(arguments: str, read: dict[str, Any], forgiven: tuple[Forgiven, ...]) -> None:
    reading = read_calls(f'<tool_call>{{"name": "t", "arguments": {arguments}}}</tool_call>')
    assert [json.loads(call.arguments) for call in reading.calls] == [read]
    assert reading.forgiven == forgiven


def test_parameters_in_tags_are_text_unless_they_are_json_of_another_kind() -> None:
    tags = "".join(
        f"<parameter={name}>{value}</parameter>" for name, value in zip("abcd", ["3", "x", '"3"', "[1]"], strict=True)
    )
    (call,) = read_calls(f"<function=t>{tags}</function>").calls
    assert json.loads(call.arguments) == {"a": 3, "b": "x", "c": '"3"', "d": [1]}


@pytest.mark.parametrize(
    ("text", "forgiven"),
    [
        (TAGGED + "\n" + TAGGED, ()),
        (f"First {TAGGED} and then <tool_call>{ALONE}", (F.UNCLOSED_TAG,)),
        (f"<tool_call>{ALONE}<tool_call>{ALONE}</tool_call>", (F.UNCLOSED_TAG,)),
        (f"<tool_call>{ALONE}\n{ALONE}</tool_call>", (F.SEVERAL_IN_ONE,)),
        (f"<tool_call>[{ALONE}, {ALONE}]</tool_call>", (F.SEVERAL_IN_ONE,)),
        (f"{ALONE}\n{ALONE}", (F.BARE_JSON,)),
        (f"{ALONE};{ALONE}", (F.BARE_JSON,)),
        (f"```json\n{ALONE}\n```\nand\n```json\n{ALONE}\n```", (F.CODE_FENCE,)),
        ('<function=read>{"path": "a.csv"}</function><function=read>{"path": "a.csv"}</function>', (F.OTHER_TAG,)),
    ],
)
def test_several_calls_of_one_reply_are_read_in_order(text: str, forgiven: tuple[Forgiven, ...]) -> None:
    reading = read_calls(text)
    assert [(call.name, json.loads(call.arguments)) for call in reading.calls] == [READ, READ]
    assert reading.forgiven == forgiven


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Done.\nANSWER: 42",
        'ANSWER: {"name": "read", "arguments": {}}',
        "I could use <tool_call> for that, but I need not.",
        "There is a <tools> section and [TOOL_CALLS] too, and a <|python_tag|>.",
        '{"total": 3}',
        '{"name": "Smith"}',
        "[1, 2]",
        "[]",
        'The row {"name": "Smith", "arguments": "none"} is wrong.',
        '```json\n{"name": "Smith"}\n```',
        "```python\nprint({'a': 1})\n```",
        "{broken",
        "<think>I might write <tool_call>{}</tool_call></think>Done.",
    ],
)
def test_text_without_a_call_gives_none(text: str) -> None:
    assert read_calls(text).calls == ()


@pytest.mark.parametrize(
    ("text", "name", "raw"),
    [
        ("<tool_call>read the file</tool_call>", "", "read the file"),
        ("<tool_call></tool_call>", "", ""),
        ('<tool_call>{"name": "read", "arguments": {"path": "a', "read", '{"name": "read", "arguments": {"path": "a'),
        ('<tool_call>{"name": "read", "arguments": {"n": 1', "read", '{"name": "read", "arguments": {"n": 1'),
        ('<tool_call>{"name": "read", "path": "a"}</tool_call>', "read", '{"name": "read", "path": "a"}'),
        ('<tool_call>{"name": 5}</tool_call>', "5", '{"name": 5}'),
        ("<tool_call>[1]</tool_call>", "", "1"),
        ('<tool_call>{"a" 1}</tool_call>', "", '{"a" 1}'),
        ("<function=read>the file</function>", "read", "the file"),
        ('{"name": "read", "arguments": {"path": ', "read", '{"name": "read", "arguments": {"path":'),
    ],
)
def test_an_intended_but_unreadable_call_is_kept_as_it_was_sent(text: str, name: str, raw: str) -> None:
    calls = read_calls(text).calls
    assert [(call.name, call.arguments, call.is_readable) for call in calls] == [(name, raw, False)]


@pytest.mark.parametrize("text", ["<function=now></function>", '<tool_call>{"name": "now"}</tool_call>'])
def test_a_call_without_arguments_has_an_empty_object(text: str) -> None:
    reading = read_calls(text)
    assert [(call.name, call.arguments) for call in reading.calls] == [("now", "{}")]
    assert F.MISSING_ARGUMENTS in reading.forgiven


def test_json_nested_too_deeply_is_unreadable_and_no_crash() -> None:
    deep = "[" * 100_000
    assert [call.is_readable for call in read_calls(f'<tool_call>{{"name": "t", "arguments": {deep}').calls] == [False]


def calls_with(texts: st.SearchStrategy[str]) -> st.SearchStrategy[ToolCall]:
    numbers = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
    json_values = st.recursive(
        st.none() | st.booleans() | numbers | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
    arguments = st.dictionaries(st.text(), json_values, max_size=4)
    return st.builds(ToolCall, st.just(""), st.from_regex(r"[a-z_]{1,20}", fullmatch=True), arguments.map(json.dumps))


NASTY = st.sampled_from(["</tool_call>", "<tool_call>", "```", "</think>", "<function=x>", "'", '"', "\\"])
PROSE = st.text(st.characters(exclude_characters="<[{`"), max_size=40)


@given(st.lists(calls_with(st.text() | NASTY), min_size=1, max_size=3), PROSE, PROSE)
def test_well_formed_calls_are_read_whatever_their_arguments(calls: list[ToolCall], before: str, after: str) -> None:
    text = before + after.join(map(write_call, calls)) + after
    reading = read_calls(text)
    assert [(call.name, json.loads(call.arguments)) for call in reading.calls] == [
        (call.name, json.loads(call.arguments)) for call in calls
    ]
    assert reading.forgiven == ()


def cuts_change_no_call(text: str) -> bool:
    whole = [(call.name, call.arguments) for call in read_calls(text).calls]
    cut = [call for end in range(len(text)) for call in read_calls(text[:end]).calls]
    return all(not call.is_readable or (call.name, call.arguments) in whole for call in cut)


@pytest.mark.parametrize("text", [text for text, _ in FORGIVEN])
def test_a_truncated_reply_never_raises_and_never_changes_a_call(text: str) -> None:
    assert cuts_change_no_call(text)


@given(calls_with(st.text(max_size=10)))
@settings(deadline=None)
def test_a_truncated_well_formed_call_never_changes(call: ToolCall) -> None:
    assert cuts_change_no_call(write_call(call))


@given(st.text(st.sampled_from("<>/[]{}`'\",: \\ntool_call=functiojsnmeargu1")) | st.text())
def test_no_text_raises(text: str) -> None:
    read_calls(text)


@given(PROSE)
def test_prose_gives_no_call(text: str) -> None:
    assert read_calls(text).calls == ()
