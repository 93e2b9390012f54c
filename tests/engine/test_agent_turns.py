"""An agent's calls become turns: those of a reply are one, in its order, and so are those that were made at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from pytest_ultra.core.transcript import Answered, EndReason, Replied, Reply, ToolCall
from pytest_ultra.engine.agent_turns import AgentTurns
from pytest_ultra.errors import EpisodeEndedError
from tests.engine.engine_fakes import make_assignment, make_case
from tests.engine.fake_rules import Chat

A, B, C = (ToolCall(f"id_{name}", name, '{"x": 1}') for name in "abc")
REPLY = Reply("I call all three.", (A, B, C))


def make_turns(max_turns: int = 30) -> AgentTurns:
    case = make_case(max_turns=max_turns)
    return AgentTurns(Chat(case, make_assignment(case).guidance))


def run_all(turns: AgentTurns, *calls: ToolCall) -> None:
    for planned in turns.plan(calls):
        turns.run(planned)


def calls_by_turn(turns: AgentTurns) -> list[tuple[int, str]]:
    events = turns.conversation.events
    return [(event.turn, event.call.name) for event in events if isinstance(event, Answered)]


def replies(turns: AgentTurns) -> list[Reply]:
    return [event.reply for event in turns.conversation.events if isinstance(event, Replied)]


@pytest.mark.parametrize("order", list(itertools.permutations([A, B, C])))
def test_the_calls_of_a_reply_run_in_its_order_however_they_arrive(order: Sequence[ToolCall]) -> None:
    turns = make_turns()
    turns.expect(REPLY)
    run_all(turns, *order)
    assert calls_by_turn(turns) == [(1, "a"), (1, "b"), (1, "c")]
    assert replies(turns) == [REPLY]


def test_the_calls_of_a_reply_are_one_turn_also_one_by_one() -> None:
    turns = make_turns()
    turns.expect(REPLY)
    for call in (A, B, C):
        assert not turns.has_gap([call])
        run_all(turns, call)
    turns.expect(Reply(tool_calls=(A,)))
    run_all(turns, A)
    assert calls_by_turn(turns) == [(1, "a"), (1, "b"), (1, "c"), (2, "a")]


def test_a_call_that_comes_before_an_earlier_one_leaves_a_gap() -> None:
    turns = make_turns()
    turns.expect(REPLY)
    assert all(turns.has_gap(calls) for calls in ([B], [C, A]))
    assert not any(turns.has_gap(calls) for calls in ([A], [B, A], [ToolCall("", "other", "{}")]))


def test_a_call_without_an_id_is_found_by_its_arguments_and_then_by_its_name() -> None:
    turns = make_turns()
    twice = Reply(tool_calls=(ToolCall("1", "a", '{"x": 1}'), ToolCall("2", "a", '{"x": 2}')))
    turns.expect(twice)
    run_all(turns, ToolCall("", "a", '{"x":2}'), ToolCall("", "a", '{"x":"1"}'))
    found = [event.call for event in turns.conversation.events if isinstance(event, Answered)]
    assert found == [ToolCall("1", "a", '{"x":"1"}'), ToolCall("2", "a", '{"x":2}')]


def test_calls_that_no_reply_holds_are_a_turn_together() -> None:
    turns = make_turns()
    run_all(turns, A, B)
    run_all(turns, A)
    assert calls_by_turn(turns) == [(1, "a"), (1, "b"), (2, "a")]
    assert [reply.tool_calls for reply in replies(turns)] == [(A, B), (A,)]


def test_the_same_call_again_is_another_turn() -> None:
    turns = make_turns()
    turns.expect(Reply(tool_calls=(A,)))
    run_all(turns, A)
    run_all(turns, A)
    assert calls_by_turn(turns) == [(1, "a"), (2, "a")]


def test_the_turn_limit_ends_the_episode_at_the_next_call() -> None:
    turns = make_turns(max_turns=2)
    run_all(turns, A)
    run_all(turns, B)
    with pytest.raises(EpisodeEndedError, match="the episode has ended: max_turns"):
        run_all(turns, C)
    turns.finish("Done.")
    assert turns.conversation.ended is EndReason.MAX_TURNS
    assert calls_by_turn(turns) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("finish_reason", "words", "end"),
    [
        ("stop", " Done.\n", EndReason.STOPPED),
        ("length", "Done.", EndReason.TRUNCATED),
        ("length", "My own words.", EndReason.STOPPED),
    ],
)
def test_the_final_words_are_the_models_reply_if_they_are_equal(finish_reason: str, words: str, end: EndReason) -> None:
    turns = make_turns()
    last = Reply("Done.", finish_reason=finish_reason, completion_tokens=5)
    turns.expect(last)
    turns.finish(words)
    assert turns.conversation.ended is end
    assert replies(turns) == [last if words.strip() == "Done." else Reply(words)]
