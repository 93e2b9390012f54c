"""Conversation: how an episode continues and ends, and its messages and events."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from pytest_ultra.agents.text_protocol.text_messages import write_reply
from pytest_ultra.agents.turn_messages import assistant_message
from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.benchmark.tools import TOOLS, tool_schema
from pytest_ultra.core.axes import Difficulty, PromptType, TaskType, ToolProtocol
from pytest_ultra.core.bounds import MAX_CALLS, MAX_DEPTH, MAX_EPISODE_CHARS, MAX_REPLY_CHARS, bound_reply, reply_chars
from pytest_ultra.core.case import Case
from pytest_ultra.core.transcript import Answered, Attempted, Ended, EndReason, Forgiven, Replied, Reply, ToolCall
from tests.benchmark.agent_runs import make_case, run_agent, run_script, tool_call

WRONG = tool_call("file_operations_reader", path="no/such/file")
LIST = tool_call("file_operations_scanner", pattern="*")


def offer_all(case: Case) -> BenchmarkGuidance:
    """Return the case's guidance, with every tool offered."""
    guidance = make_guidance(case)
    return msgspec.structs.replace(guidance, task=msgspec.structs.replace(guidance.task, tools=tuple(TOOLS)))


CASE = make_case(PromptType.BASELINE)
GUIDANCE = offer_all(CASE)


def get_results(conversation: Conversation) -> list[str | None]:
    return [event.result.code for event in conversation.events if isinstance(event, Answered)]


def test_the_same_call_with_the_same_earned_error_three_times_in_a_row_is_giving_up() -> None:
    assert run_script(CASE, GUIDANCE, [WRONG], [WRONG]).ended is None
    assert run_script(CASE, GUIDANCE, [WRONG], [WRONG], [WRONG]).ended is EndReason.GAVE_UP


def test_calls_with_equal_arguments_are_the_same_however_they_are_spelled() -> None:
    spelled = [
        ToolCall("c", WRONG.name, text) for text in ('{"path":"no"}', '{ "path": "no" }', '{"path": "\\u006eo"}')
    ]
    assert run_script(CASE, GUIDANCE, *([call] for call in spelled)).ended is EndReason.GAVE_UP


def test_calls_with_other_arguments_or_another_name_are_different() -> None:
    other_path = tool_call("file_operations_reader", path="no/other/file")
    other_tool = tool_call("network_fetcher", url="no/such/file")
    for other in (other_path, other_tool, LIST):
        assert run_script(CASE, GUIDANCE, [WRONG], [WRONG], [other], [WRONG], [WRONG]).ended is None


def test_malformed_calls_are_the_same_if_their_text_is() -> None:
    broken, other = ToolCall("c", WRONG.name, '{"path"'), ToolCall("c", WRONG.name, '{"pat')
    assert run_script(CASE, GUIDANCE, [broken], [broken], [broken]).ended is EndReason.GAVE_UP
    assert run_script(CASE, GUIDANCE, [broken], [other], [broken], [other]).ended is None


def test_errors_in_one_reply_count_once_since_the_model_had_not_seen_the_first() -> None:
    parallel = [WRONG, WRONG, WRONG]
    assert run_script(CASE, GUIDANCE, parallel).ended is None
    assert run_script(CASE, GUIDANCE, parallel, parallel).ended is None
    conversation = run_script(CASE, GUIDANCE, parallel, parallel, [WRONG, WRONG, LIST])
    assert conversation.ended is EndReason.GAVE_UP
    assert get_results(conversation) == ["NOT_FOUND"] * 7


def test_another_call_in_the_same_reply_interrupts_a_series_of_errors() -> None:
    assert run_script(CASE, GUIDANCE, [LIST, WRONG], [LIST, WRONG], [LIST, WRONG]).ended is None
    assert run_script(CASE, GUIDANCE, [LIST, WRONG], [WRONG], [WRONG, LIST]).ended is EndReason.GAVE_UP


def test_random_faults_neither_count_as_giving_up_nor_interrupt_a_series_of_errors() -> None:
    """At a rate so low that every valid call fails, a model can retry until the turn limit."""
    unlucky = make_case(PromptType.BASELINE, rate=1e-9, max_turns=20)
    tries = run_script(unlucky, GUIDANCE, *([LIST] for _ in range(20)))
    assert tries.ended is EndReason.MAX_TURNS
    assert {event.result.is_random for event in tries.events if isinstance(event, Answered)} == {True}
    between = run_script(unlucky, GUIDANCE, [WRONG], [LIST], [WRONG], [LIST], [WRONG])
    assert between.ended is EndReason.GAVE_UP


def test_a_success_interrupts_a_series_of_errors() -> None:
    assert run_script(CASE, GUIDANCE, [WRONG], [WRONG], [LIST], [WRONG], [WRONG]).ended is None


def test_the_calls_of_the_last_turn_are_still_run() -> None:
    case = make_case(PromptType.BASELINE, max_turns=2)
    conversation = run_script(case, GUIDANCE, [LIST], [LIST, LIST])
    assert conversation.ended is EndReason.MAX_TURNS
    assert get_results(conversation) == [None] * 3
    assert run_script(case, GUIDANCE, [LIST], "Done.").ended is EndReason.STOPPED


def test_a_reply_without_a_call_ends_the_episode() -> None:
    conversation = run_script(CASE, GUIDANCE, "Nothing to do.")
    assert conversation.ended is EndReason.STOPPED
    assert conversation.events == (Replied(1, Reply(text="Nothing to do.")), Ended(EndReason.STOPPED))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', '{"path": "a"} {"path": "b"}', "[" * 9999])
def test_malformed_arguments_get_an_error_and_stay_in_the_transcript(text: str) -> None:
    conversation = run_script(CASE, GUIDANCE, [ToolCall("call_7", "file_operations_reader", text)])
    event = conversation.events[-1]
    assert isinstance(event, Answered)
    assert (event.call.arguments, event.arguments, event.result.code) == (text, None, "MALFORMED_ARGUMENTS")
    answer = conversation.messages[-1]
    assert (answer["role"], answer["tool_call_id"]) == ("tool", "call_7")
    assert msgspec.json.decode(answer["content"]) == {
        "error": "MALFORMED_ARGUMENTS",
        "transient": False,
        "message": "The arguments are not a JSON object.",
    }
    said = conversation.messages[-2]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(said) == {"malformed_arguments": text}


def test_an_unknown_tool_gets_an_error_and_the_episode_continues() -> None:
    conversation = run_script(CASE, GUIDANCE, [tool_call("open_file", path="a")], [LIST])
    assert get_results(conversation) == ["UNKNOWN_TOOL", None]
    assert msgspec.json.decode(conversation.messages[3]["content"])["message"] == "You have no tool named 'open_file'."


def test_a_tool_that_was_not_offered_does_not_exist() -> None:
    case = make_case(PromptType.BASELINE, difficulty=Difficulty.VERY_EASY)
    guidance = make_guidance(case)
    for name in TOOLS:
        code = get_results(run_script(case, guidance, [tool_call(name)]))[0]
        assert (code == "UNKNOWN_TOOL") == (name not in guidance.task.tools)


def test_parallel_calls_run_in_order_and_see_each_other() -> None:
    post = tool_call("utility_cache", action="put", key="k", data="data_1")
    conversation = run_script(CASE, GUIDANCE, [post, LIST, post])
    assert get_results(conversation) == ["UNKNOWN_HANDLE", None, None]
    assert {event.turn for event in conversation.events if isinstance(event, Answered)} == {1}
    assert conversation.turn == 2


def test_messages_have_the_chat_completions_format() -> None:
    calls = [ToolCall("a", "file_operations_scanner", '{"pattern":"*"}'), ToolCall("b", "nothing", "{}")]
    conversation = Conversation.begin(CASE, GUIDANCE).take(Reply(text="Let me see.", tool_calls=tuple(calls)))
    system, user, assistant, first, second = conversation.messages
    assert [system["role"], user["role"]] == ["system", "user"]
    assert assistant == {
        "role": "assistant",
        "content": "Let me see.",
        "tool_calls": [
            {
                "id": "a",
                "type": "function",
                "function": {"name": "file_operations_scanner", "arguments": '{"pattern":"*"}'},
            },
            {"id": "b", "type": "function", "function": {"name": "nothing", "arguments": "{}"}},
        ],
    }
    for answer, call in ((first, "a"), (second, "b")):
        assert answer.keys() == {"role", "tool_call_id", "content"}
        assert (answer["role"], answer["tool_call_id"]) == ("tool", call)
        assert isinstance(answer["content"], str)
    assert conversation.request().messages == conversation.messages
    assert conversation.request().tools == tuple(tool_schema(TOOLS[name]) for name in GUIDANCE.task.tools)


def test_attempts_are_recorded_and_an_external_end_is_the_last_event() -> None:
    attempt = Attempted(1, 0.5, "timeout", wait_s=2.0)
    conversation = Conversation.begin(CASE, GUIDANCE).note(attempt).end(EndReason.ENDPOINT, "no answer")
    assert conversation.events == (attempt, Ended(EndReason.ENDPOINT, "no answer"))
    assert conversation.ended is EndReason.ENDPOINT


def draw_faults(case: Case, calls: int = 30) -> list[str | None]:
    """Return the error code of each call of one tool, None for a success."""
    guidance = offer_all(case)
    return get_results(run_script(case, guidance, *([LIST] for _ in range(calls))))


def test_faults_are_the_same_for_every_model_prompt_type_and_repeat() -> None:
    case = make_case(PromptType.OPTIMAL, rate=0.5, max_turns=99)
    faults = draw_faults(case)
    assert 5 < len([code for code in faults if code]) < 25
    for prompt_type in PromptType:
        other = make_case(prompt_type, rate=0.5, max_turns=99)
        other = msgspec.structs.replace(other, model="another", repeat=3, temperature=1.0)
        assert draw_faults(other) == faults
    assert draw_faults(make_case(rate=0.5, instance=1, max_turns=99)) != faults
    assert draw_faults(make_case(rate=0.5, task_type=TaskType.SIMPLE_TASK, max_turns=99)) != faults


def test_a_fault_at_one_rate_is_a_fault_at_every_lower_rate_and_rate_one_has_none() -> None:
    by_rate = {rate: draw_faults(make_case(rate=rate, max_turns=99)) for rate in (0.2, 0.6, 0.9, 1.0)}
    for lower, higher in ((0.2, 0.6), (0.6, 0.9), (0.9, 1.0)):
        pairs = zip(by_rate[lower], by_rate[higher], strict=True)
        assert all(low == high for low, high in pairs if high is not None)
    assert set(by_rate[1.0]) == {None}


def test_calls_of_one_tool_do_not_change_the_faults_of_another() -> None:
    case = make_case(PromptType.BASELINE, rate=0.5, max_turns=99)
    mixed = run_script(case, GUIDANCE, *([WRONG, tool_call("network_validator", url="x"), LIST] for _ in range(30)))
    of_scanner = [e.result.code for e in mixed.events if isinstance(e, Answered) and e.call.name == LIST.name]
    assert of_scanner == draw_faults(case)[: len(of_scanner)]


def test_a_fault_does_not_change_the_world() -> None:
    conversation = run_script(make_case(PromptType.BASELINE, rate=1e-9), GUIDANCE, [LIST, LIST])
    assert conversation.world == GUIDANCE.task.world


def test_an_episode_is_a_pure_function_of_its_replies() -> None:
    case = make_case(PromptType.FLAWED_TOOL_MISUSE, rate=0.6)
    first, second = run_agent("follower", case), run_agent("follower", case)
    assert msgspec.json.encode(first.events) == msgspec.json.encode(second.events)
    assert first.messages == second.messages


@pytest.mark.parametrize("text", ['{"path": ', "[1]", '"x"', "", "\ud800"])
def test_malformed_arguments_are_repeated_inside_a_json_object(text: str) -> None:
    said = assistant_message(Reply(tool_calls=(ToolCall("c", "some_tool", text),)), ToolProtocol.NATIVE)
    repeated = json.loads(said["tool_calls"][0]["function"]["arguments"])
    assert repeated == {"malformed_arguments": text.replace("\ud800", "?")}


def test_arguments_that_are_an_object_are_repeated_verbatim() -> None:
    text = '{ "path":  "a.csv" }'
    said = assistant_message(Reply(tool_calls=(ToolCall("c", "some_tool", text),)), ToolProtocol.NATIVE)
    assert said["tool_calls"][0]["function"]["arguments"] == text


def repeat(call: ToolCall, times: int) -> tuple[ToolCall, ...]:
    return tuple(msgspec.structs.replace(call, id=f"c{number}") for number in range(times))


@pytest.mark.parametrize("protocol", [ToolProtocol.NATIVE, ToolProtocol.TEXT])
def test_calls_beyond_the_limit_of_a_turn_are_not_read_and_the_first_of_them_gets_an_error(
    protocol: ToolProtocol,
) -> None:
    case = msgspec.structs.replace(CASE, tool_protocol=protocol)
    reply = bound_reply(Reply(tool_calls=repeat(LIST, 10_000)))
    conversation = Conversation.begin(case, GUIDANCE).take(
        write_reply(reply) if protocol is ToolProtocol.TEXT else reply
    )
    assert get_results(conversation) == [None] * MAX_CALLS + ["MALFORMED_CALL"]
    last = conversation.events[-1]
    assert isinstance(last, Answered)
    assert last.result.message == "Neither this call nor any after it was made: a turn can make up to 128 calls."
    assert (conversation.ended, conversation.turn) == (None, 2)
    if protocol is ToolProtocol.NATIVE:
        calls = [call["id"] for message in conversation.messages for call in message.get("tool_calls", ())]
        answered = [message["tool_call_id"] for message in conversation.messages if message["role"] == "tool"]
        assert calls == answered


def test_a_turn_of_as_many_calls_as_allowed_is_run_whole() -> None:
    conversation = Conversation.begin(CASE, GUIDANCE).take(Reply(tool_calls=repeat(LIST, MAX_CALLS)))
    assert get_results(conversation) == [None] * MAX_CALLS


def test_an_episode_ends_when_its_replies_are_too_long_to_be_kept() -> None:
    reply = Reply(text="x" * (MAX_REPLY_CHARS - 1000), tool_calls=(LIST,))
    conversation = Conversation.begin(CASE, GUIDANCE)
    while conversation.ended is None:
        conversation = conversation.take(reply)
    assert conversation.events[-1] == Ended(EndReason.MAX_TURNS, "The model's replies reached 4,000,000 characters.")
    replies = [event.reply for event in conversation.events if isinstance(event, Replied)]
    assert sum(map(reply_chars, replies)) < MAX_EPISODE_CHARS + MAX_REPLY_CHARS


def test_a_reply_is_cut_to_what_is_kept() -> None:
    reply = bound_reply(Reply(text="x" * 31_000_000, tool_calls=(LIST,)))
    conversation = Conversation.begin(CASE, GUIDANCE).take(reply)
    kept = Reply(text="x" * MAX_REPLY_CHARS, finish_reason="length")
    cut = "The reply was cut by a limit on its length (finish reason 'length')."
    assert conversation.events == (Replied(1, kept), Ended(EndReason.TRUNCATED, cut))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("So far", finish_reason="length"), EndReason.TRUNCATED),
        (Reply("So far", finish_reason="MAX_TOKENS"), EndReason.TRUNCATED),
        (Reply("So far", finish_reason="FinishReason.MAX_TOKENS"), EndReason.TRUNCATED),
        (Reply(finish_reason="content_filter"), EndReason.REFUSED),
        (Reply("I will not.", finish_reason="refusal"), EndReason.REFUSED),
        (Reply(finish_reason="SAFETY"), EndReason.REFUSED),
        (Reply(finish_reason="malformed_function_call"), EndReason.MALFORMED_GENERATION),
        (Reply(finish_reason="function_call_filter: MALFORMED_FUNCTION_CALL"), EndReason.MALFORMED_GENERATION),
        (Reply(finish_reason="model_length"), EndReason.CONTEXT_OVERFLOW),
        (Reply("So far", finish_reason="model_context_window_exceeded"), EndReason.CONTEXT_OVERFLOW),
        (Reply(finish_reason="tool_calls"), EndReason.MALFORMED_GENERATION),
        (Reply(), EndReason.MALFORMED_GENERATION),
        (Reply("Done.", finish_reason="tool_calls"), EndReason.STOPPED),
        (Reply("Done.", finish_reason="END_TURN"), EndReason.STOPPED),
        (Reply("Done.", finish_reason="eos_token"), EndReason.STOPPED),
    ],
)
def test_a_reply_without_a_call_ends_the_episode_as_its_finish_reason_says(reply: Reply, reason: EndReason) -> None:
    ended = Conversation.begin(CASE, GUIDANCE).take(reply).events[-1]
    assert isinstance(ended, Ended)
    assert ended.reason is reason
    assert (reply.finish_reason in ended.detail) == (reason is not EndReason.STOPPED)


def test_an_empty_reply_after_calls_is_the_models_way_to_stop() -> None:
    conversation = Conversation.begin(CASE, GUIDANCE).take(Reply(tool_calls=(LIST,))).take(Reply())
    assert conversation.events[-1] == Ended(EndReason.STOPPED, "The reply was empty (finish reason 'stop').")


def test_a_call_that_is_cut_in_its_arguments_ends_the_episode_and_complete_calls_do_not() -> None:
    cut = msgspec.structs.replace(LIST, id="c", arguments='{"path": "da')
    opened = Conversation.begin(CASE, GUIDANCE)
    after_cut = opened.take(Reply(tool_calls=(LIST, cut), finish_reason="length"))
    assert after_cut.ended is EndReason.TRUNCATED
    assert len(get_results(after_cut)) == 1, "the complete call was run"
    assert opened.take(Reply(tool_calls=(LIST, LIST), finish_reason="length")).ended is None
    assert opened.take(Reply(tool_calls=(cut,), finish_reason="tool_calls")).ended is None


@contextmanager
def count_function_calls() -> Iterator[Counter[str]]:
    """Count the calls of functions in the block: a measure of work that no other process disturbs."""
    counted: Counter[str] = Counter()
    sys.setprofile(lambda _frame, event, _argument: counted.update([event]) if "call" in event else None)
    try:
        yield counted
    finally:
        sys.setprofile(None)


def test_the_thousandth_call_takes_no_longer_than_the_first() -> None:
    case = make_case(PromptType.BASELINE, rate=1.0, max_turns=99)
    conversation = Conversation.begin(case, GUIDANCE)
    reply = Reply(tool_calls=repeat(WRONG, 2) + repeat(LIST, 100))
    numbers = []
    for _ in range(12):
        with count_function_calls() as counted:
            conversation = conversation.take(reply)
        numbers.append(counted.total())
    assert numbers[-1] < 1.5 * numbers[1]


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 900])
def test_arguments_nested_too_deeply_are_malformed(levels: int) -> None:
    deep = '{"a":' * levels + "1" + "}" * levels
    conversation = run_script(CASE, GUIDANCE, [ToolCall("c", "file_operations_reader", deep)])
    assert get_results(conversation) == ["MALFORMED_ARGUMENTS"]


def test_a_step_is_one_call_and_the_last_one_is_ready_for_the_next_turn() -> None:
    steps = list(Conversation.begin(CASE, GUIDANCE).steps(Reply(tool_calls=repeat(LIST, 3))))
    assert [len(get_results(step)) for step in steps] == [0, 1, 2, 3, 3]
    assert [step.turn for step in steps] == [1, 1, 1, 1, 2]


def test_calls_in_the_text_of_a_native_reply_are_counted_and_not_run() -> None:
    call = '<tool_call>{"name": "file_operations_scanner", "arguments": {"pattern": "*"}}</tool_call>'
    conversation = Conversation.begin(CASE, GUIDANCE).take(Reply(f"{call}\n{call}"))

    assert [event.calls_in_text for event in conversation.events if isinstance(event, Replied)] == [2]
    assert not [event for event in conversation.events if isinstance(event, Answered)]


@pytest.mark.parametrize(
    "text",
    [
        "Done. file_operations_scanner found nothing.",
        'The result is {"name": "Ada", "arguments": {}}, as file_operations_scanner showed.',
        "file_operations_scanner <b>",
        "{" * 50_000 + "file_operations_scanner",
    ],
)
def test_a_text_that_only_mentions_a_tool_holds_no_call(text: str) -> None:
    (replied,) = (
        event for event in Conversation.begin(CASE, GUIDANCE).take(Reply(text)).events if isinstance(event, Replied)
    )
    assert replied.calls_in_text == 0


@pytest.mark.parametrize("encoded", [json.dumps(LIST.arguments), f" {json.dumps(LIST.arguments)}\n"])
def test_arguments_that_were_encoded_twice_are_run_and_repeated_as_an_object(encoded: str) -> None:
    call = msgspec.structs.replace(LIST, arguments=encoded)
    conversation = Conversation.begin(CASE, GUIDANCE).take(Reply(tool_calls=(call,)))

    replied, answered = conversation.events
    assert isinstance(replied, Replied)
    assert isinstance(answered, Answered)
    assert (replied.forgiven, replied.reply.tool_calls) == ((Forgiven.ARGUMENTS_AS_TEXT,), (call,))
    assert answered.result.is_success
    said = assistant_message(replied.reply, ToolProtocol.NATIVE)
    assert said["tool_calls"][0]["function"]["arguments"] == LIST.arguments


@pytest.mark.parametrize("arguments", ['"x"', '"[1]"', '"{}" {}', '"\\ud800"', json.dumps(json.dumps("{}"))])
def test_other_texts_stay_malformed_arguments(arguments: str) -> None:
    call = msgspec.structs.replace(LIST, arguments=arguments)
    replied, answered = Conversation.begin(CASE, GUIDANCE).take(Reply(tool_calls=(call,))).events[:2]

    assert isinstance(replied, Replied)
    assert isinstance(answered, Answered)
    assert (replied.forgiven, answered.arguments, answered.result.is_success) == ((), None, False)
