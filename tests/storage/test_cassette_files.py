"""Cassette files: keys, content, paths, and the diff for a missing request."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.axes import PromptType, ToolProtocol
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.cassettes.cassette import Cassette, decode_cassette, encode_cassette
from pytest_ultra.storage.cassettes.cassette_folder import CassetteFolder, cassette_path
from pytest_ultra.storage.cassettes.recorded_requests import request_key
from pytest_ultra.storage.cassettes.request_differences import explain_missing
from tests.results_factory import make_case
from tests.storage.cassette_requests import ANSWER, CALLING, CASE, DONE, OPENING, TOOLS, after, first, schema

PATH = "gpt/simple_task-easy/optimal-rate0.8-i0-r0-s0.json"
REMEDY = "To record it, use --ultra-cassette=auto."


def of(**axes: Any) -> ChatRequest:
    return first(msgspec.structs.replace(CASE, **axes))


def recorded() -> Cassette:
    cassette = Cassette.blank(CASE).add(first(), CALLING, 0.7)
    return cassette.add(after(first(), CALLING), DONE, 1.23456)


@pytest.mark.parametrize(
    "other",
    [
        of(model="gpt-2"),
        of(repeat=1),
        of(temperature=0.0),
        of(request_parameters='{"seed":1}'),
        of(tool_protocol=ToolProtocol.TEXT),
        first(messages=OPENING[:1]),
        first(messages=(OPENING[0], {**OPENING[1], "content": "Read no file."})),
        first(tools=TOOLS[::-1]),
        first(tools=(TOOLS[0], schema("utility_logger", "Logs."))),
        after(first(), CALLING),
    ],
)
def test_a_different_request_has_another_key(other: ChatRequest) -> None:
    assert request_key(other) != request_key(first())


@pytest.mark.parametrize(
    "same",
    [
        of(max_turns=5),
        of(timeout_s=1.0),
        of(instance=7),
        first(messages=tuple(dict(reversed(message.items())) for message in OPENING)),
    ],
    ids=["max_turns", "timeout_s", "instance", "order of names"],
)
def test_the_key_depends_only_on_the_request(same: ChatRequest) -> None:
    assert request_key(same) == request_key(first())


def test_a_key_is_the_same_in_every_process_and_version() -> None:
    assert request_key(first()) == "d59a17675fa31e4e"


def test_a_file_has_each_message_once_in_the_order_of_the_conversation() -> None:
    golden = Path(__file__).parent / "golden" / "cassette.json"
    assert encode_cassette(recorded()).decode() == golden.read_text()


texts = st.text(st.characters(codec="utf-8"))


@given(texts, st.lists(st.builds(ToolCall, texts, texts, texts), max_size=2), texts, st.floats(0, 1e6))
def test_a_recording_is_equal_after_a_round_trip(text: str, calls: list[ToolCall], reason: str, seconds: float) -> None:
    reply = Reply(text, tuple(calls), 7, 3, reason)
    cassette = Cassette.blank(CASE).add(first(), reply, seconds)
    back = decode_cassette(encode_cassette(cassette), Path("c.json"))
    assert back == cassette
    assert (turn := back.find(first())) is not None
    assert turn.reply is not None
    assert turn.reply.reply == reply


def test_recording_a_turn_again_drops_the_later_turns() -> None:
    other = msgspec.structs.replace(DONE, text="Nothing to do.")
    again = recorded().add(first(), other, 0.1)
    assert [turn.turn for turn in again.turns] == [1]
    assert again == Cassette.blank(CASE).add(first(), other, 0.1)


def test_rewritten_messages_are_recorded_in_full() -> None:
    rewritten = msgspec.structs.replace(first(), turn=2, messages=(*OPENING[:1], ANSWER))
    cassette = Cassette.blank(CASE).add(first(), CALLING, 0.7).add(rewritten, DONE, 0.1)
    assert cassette.turns[1].is_whole
    assert [message.role for message in cassette.messages()] == ["system", "tool"]


def test_cases_with_different_requests_have_separate_files() -> None:
    cases = [
        CASE,
        *(msgspec.structs.replace(CASE, **{axis: 1}) for axis in ("instance", "repeat", "seed", "temperature")),
        msgspec.structs.replace(CASE, tool_success_rate=0.75),
        *(msgspec.structs.replace(CASE, request_parameters=text) for text in ('{"seed":1}', '{"stop":["/","é"]}')),
        msgspec.structs.replace(CASE, tool_protocol=ToolProtocol.TEXT),
        make_case(PromptType.FLAWED_MISSING_STEP, model="gpt"),
        *(make_case(model=name) for name in ("a/b", "a-b", "a:b", "..", ".", "/", "x" * 300, "x" * 301)),
    ]
    paths = [cassette_path(case) for case in cases]
    assert len(set(paths)) == len(cases)
    for path in paths:
        assert re.fullmatch(r"[\w-][\w.-]{0,70}/simple_task-easy/[\w.-]{1,200}\.json", str(path))


def test_a_path_names_its_case_and_does_not_depend_on_versions_or_limits() -> None:
    assert str(cassette_path(msgspec.structs.replace(CASE, max_turns=3, timeout_s=9.0))) == PATH
    flawed = make_case(PromptType.FLAWED_MISSING_STEP, model="ollama/llama3.1", temperature=0.5, repeat=2)
    assert str(cassette_path(flawed)) == (
        "ollama-llama3.1-e7b9a4/simple_task-easy/flawed_missing_step-severe-rate0.8-i0-r2-s0-temperature-0.5.json"
    )


def test_a_folder_stores_cassettes_and_has_git_ignore_temporary_files(tmp_path: Path) -> None:
    folder = CassetteFolder(tmp_path / "kept" / "here")
    folder.prepare()
    assert folder.load(CASE) is None
    folder.save(CASE, recorded())
    folder.prepare()
    assert folder.load(CASE) == recorded()
    assert sorted(path.name for path in folder.root.rglob("*") if path.is_file()) == [".gitignore", Path(PATH).name]
    assert (folder.root / ".gitignore").read_text() == "*.tmp\n"


def test_a_cassette_of_a_newer_schema_is_rejected_with_a_remedy(tmp_path: Path) -> None:
    folder = CassetteFolder(tmp_path)
    folder.save(CASE, recorded())
    newer = json.loads((tmp_path / PATH).read_text()) | {"schema_version": 3}
    (tmp_path / PATH).write_text(json.dumps(newer))
    with pytest.raises(ConfigurationError) as error:
        folder.load(CASE)
    assert str(error.value) == (
        f"the cassette '{PATH}' was written by a newer pytest-ultra (schema 3, this one reads up to 2); upgrade "
        "pytest-ultra, or name another folder with --ultra-cassette-dir"
    )


@pytest.mark.parametrize(
    "content", [b"", b'{"schema_version": 1, "tu', b"<<<<<<< HEAD", b"[]", b'{"schema_version":1}']
)
def test_an_unreadable_cassette_is_named_with_a_remedy(content: bytes) -> None:
    message = r"^the cassette 'a.json' cannot be read \(.+\); restore it, or delete it and record it again$"
    with pytest.raises(ConfigurationError, match=message):
        decode_cassette(content, Path("a.json"))


def test_a_missing_cassette_is_reported_with_its_path() -> None:
    message = explain_missing(first(), Cassette.blank(CASE))
    assert message == f"There is no cassette '{PATH}', so turn 1 has no answer. {REMEDY}"


def test_a_different_request_is_shown_as_a_diff_from_the_recorded_one() -> None:
    tools = (schema("file_operations_reader", "Reads."), *TOOLS[1:])
    messages = (OPENING[0], {"role": "user", "content": "Read the file invoices.csv.\nLeave every input as it is."})
    message = explain_missing(first(messages=messages, tools=tools), recorded())
    assert message.splitlines() == [
        f"Turn 1 is not on the cassette '{PATH}': another request was recorded. {REMEDY}",
        "--- recorded, turn 1",
        "+++ requested, turn 1",
        "@@ -14,3 +14,3 @@",
        " flaws: 1",
        "-tool file_operations_reader c6c86f",
        "+tool file_operations_reader c6b361",
        " tool utility_logger 1f11ff",
        "@@ -19,3 +19,3 @@",
        " [user]",
        "-Read the file orders.csv.",
        "+Read the file invoices.csv.",
        " Leave every input as it is.",
    ]


def test_a_turn_after_the_last_is_shown_with_the_new_messages() -> None:
    request = after(after(first(), CALLING), DONE, {"role": "user", "content": "Go on."})
    assert explain_missing(request, recorded()).splitlines() == [
        f"The cassette '{PATH}' ends with turn 2, so turn 3 has no answer. {REMEDY}",
        "--- recorded, turn 2",
        "+++ requested, turn 3",
        "@@ -23 +23,3 @@",
        ' {"handle":"data_1"}',
        "+[user]",
        "+Go on.",
    ]


def test_a_difference_far_into_a_long_line_is_shown() -> None:
    rows = [f"row {number}" for number in range(100)]
    old = after(first(), CALLING, ANSWER | {"content": msgspec.json.encode(rows).decode()})
    new = after(first(), CALLING, ANSWER | {"content": msgspec.json.encode([*rows[:70], "odd", *rows[71:]]).decode()})
    message = explain_missing(new, Cassette.blank(CASE).add(first(), CALLING, 0.1).add(old, DONE, 0.1)).splitlines()
    assert [line for line in message if line[0] in "+-"][2:] == ['-"row 70",', '+"odd",']


def test_a_long_diff_is_shortened_and_says_so() -> None:
    other = first(messages=(OPENING[0], {"role": "user", "content": "\n".join(map(str, range(100)))}))
    message = explain_missing(other, recorded()).splitlines()
    assert len(message) == 26
    assert message[13] == "… 82 lines are left out …"
    assert message[-1] == "+99"


def test_an_edited_answer_is_suspected_if_nothing_else_differs() -> None:
    edited = after(first(), msgspec.structs.replace(CALLING, text="Let me see."))
    assert explain_missing(edited, recorded()).splitlines()[1:] == [
        "The requests look the same; if an answer was edited by hand, all later requests differ."
    ]


def test_an_interrupted_recording_is_distinguished_from_a_missing_one() -> None:
    interrupted = Cassette.blank(CASE).add(first(), None, 3.0)
    message = explain_missing(first(), interrupted)
    assert message == f"The recording of '{PATH}' was interrupted before turn 1 was answered. {REMEDY}"
