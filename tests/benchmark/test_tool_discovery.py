"""Tool discovery: finding tools costs turns, and changes nothing else about a score."""

from __future__ import annotations

import json
from itertools import cycle
from typing import Any

import msgspec
import pytest

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.tool_discovery import DESCRIBE, MOST_FOUND, SCHEMAS, SEARCH, rank
from pytest_ultra.benchmark.tools import TOOLS, tool_schema
from pytest_ultra.core.axes import Difficulty, PromptType, ToolProtocol
from pytest_ultra.core.episode import FailureClass
from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.core.transcript import Answered, Discovered, EndReason, Event, Reply, ToolCall
from tests.benchmark.agent_runs import make_case, run_agent, score_agent, varied_cases

CASE = make_case(PromptType.BASELINE, difficulty=Difficulty.VERY_HARD, has_tool_discovery=True)
READER = "file_operations_reader"


def start(protocol: ToolProtocol = ToolProtocol.NATIVE) -> Conversation:
    case = msgspec.structs.replace(CASE, tool_protocol=protocol)
    return Conversation.begin(case, make_guidance(case))


def call_tool(conversation: Conversation, tool: str, arguments: str | dict[str, Any]) -> Conversation:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return conversation.take(Reply(tool_calls=(ToolCall(f"c{conversation.turn}", tool, text),)))


def last_result(conversation: Conversation) -> tuple[type, str | None, Any]:
    event = conversation.events[-1]
    assert isinstance(event, Answered | Discovered)
    return type(event), event.result.code, event.result.value


@pytest.mark.parametrize("agent", [agent for agent in ReferenceAgent if agent != "mixture"])
def test_reference_agents_keep_their_scores_except_for_the_turns_of_discovery(agent: str) -> None:
    """In both protocols, in turn: three task types take turns, too, so each of them has both."""
    cases = varied_cases(agent, max_turns=90)
    for case, protocol in zip(cases, cycle((ToolProtocol.NATIVE, ToolProtocol.TEXT)), strict=False):
        with_discovery = msgspec.structs.replace(case, has_tool_discovery=True, tool_protocol=protocol)
        found, given = run_agent(agent, with_discovery), run_agent(agent, case)
        discoveries = sum(isinstance(event, Discovered) for event in found.events)
        assert discoveries == len({event.call.name for event in given.events if isinstance(event, Answered)})
        ours, theirs = (score(each.case, each.guidance, each.events) for each in (found, given))
        assert ours.turns == theirs.turns + discoveries
        aside = {"turns": 0, "first_divergence": None, "unrecovered_fault": None}
        assert msgspec.structs.replace(ours, **aside) == msgspec.structs.replace(theirs, **aside)
        assert (ours.unrecovered_fault is None) == (theirs.unrecovered_fault is None)
        assert (ours.first_divergence is None) == (theirs.first_divergence is None)


def test_at_first_only_the_two_discovery_tools_are_offered_or_named() -> None:
    for protocol in (ToolProtocol.NATIVE, ToolProtocol.TEXT):
        request = start(protocol).request()
        shown = json.dumps([request.messages, request.tools])
        assert request.offered == (SEARCH, DESCRIBE)
        assert request.tools == (SCHEMAS if protocol is ToolProtocol.NATIVE else ())
        assert not any(name in shown for name in TOOLS)


def test_a_search_lists_the_names_and_descriptions_of_the_best_five_offered_tools() -> None:
    conversation = call_tool(start(), SEARCH, {"query": "read the content of a file"})
    kind, code, found = last_result(conversation)
    assert (kind, code, len(found)) == (Discovered, None, MOST_FOUND)
    assert found[0] == {"name": READER, "description": TOOLS[READER].description}
    assert {tuple(entry) for entry in found} == {("name", "description")}
    assert conversation.request().offered == (SEARCH, DESCRIBE)


def test_a_search_finds_only_the_tools_of_the_task() -> None:
    case = make_case(PromptType.BASELINE, difficulty=Difficulty.VERY_EASY, has_tool_discovery=True)
    conversation = Conversation.begin(case, make_guidance(case))
    _, _, found = last_result(
        call_tool(conversation, SEARCH, {"query": " ".join(tool.description for tool in TOOLS.values())})
    )
    assert {entry["name"] for entry in found} <= set(conversation.guidance.task.tools)


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("send a message to somebody", "utility_notifier"),
        ("POST data to an address", "network_poster"),
        ("sorting rows", "data_processing_transformer"),
        ("authentication with a service, open session", "integration_authenticator"),
        ("network_fetcher", "network_fetcher"),
        ("parse csv text", "data_processing_parser"),
        ("rename fields", "integration_mapper"),
    ],
)
def test_a_search_finds_the_matching_tool(query: str, best: str) -> None:
    descriptions = [(tool.name, tool.description) for tool in TOOLS.values()]
    assert descriptions[rank(query, descriptions)[0]][0] == best


def test_every_tool_is_the_best_match_for_its_own_name_and_unknown_words_match_none() -> None:
    descriptions = [(tool.name, tool.description) for tool in TOOLS.values()]
    for place, (name, description) in enumerate(descriptions):
        assert rank(name, descriptions)[0] == place
        assert rank(description, descriptions)[0] == place
    assert rank("zebra", descriptions) == rank("", descriptions) == rank("the tool", descriptions) == []


def test_equally_good_matches_keep_the_order_of_the_offer() -> None:
    assert rank("copy", [("b", "copy it"), ("a", "copy it"), ("c", "move it")]) == [0, 1]


def test_a_tool_that_is_described_can_be_called_from_then_on() -> None:
    conversation = start()
    path = next(iter(conversation.guidance.task.world.files))
    early = call_tool(conversation, READER, {"path": path})
    assert last_result(early)[:2] == (Answered, "NOT_DESCRIBED")
    assert json.loads(early.messages[-1]["content"]) == {
        "error": "NOT_DESCRIBED",
        "transient": False,
        "message": f"Have {READER} described by describe_tool before you call it for the first time.",
    }
    described = call_tool(early, DESCRIBE, {"name": READER})
    assert last_result(described) == (Discovered, None, tool_schema(TOOLS[READER])["function"])
    assert described.request().tools == (*SCHEMAS, tool_schema(TOOLS[READER]))
    again = call_tool(described, DESCRIBE, {"name": READER})
    assert again.request().offered == (SEARCH, DESCRIBE, READER)
    assert last_result(call_tool(again, READER, {"path": path}))[:2] == (Answered, None)


def test_in_text_a_described_tool_is_shown_only_in_the_result() -> None:
    conversation = call_tool(start(ToolProtocol.TEXT), DESCRIBE, {"name": READER})
    assert conversation.request().tools == ()
    assert json.dumps(TOOLS[READER].parameters, separators=(",", ":")) in conversation.messages[-1]["content"]
    assert conversation.request().offered == (SEARCH, DESCRIBE, READER)


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "message"),
    [
        (DESCRIBE, {"name": "no_such"}, "UNKNOWN_TOOL", "There is no tool named 'no_such'."),
        (DESCRIBE, {"name": SEARCH}, "UNKNOWN_TOOL", "There is no tool named 'search_tools'."),
        (
            DESCRIBE,
            {"tool": READER},
            "INVALID_ARGUMENTS",
            "arguments: describe_tool takes one argument, 'name', a text that is not empty.",
        ),
        (
            SEARCH,
            {"query": " "},
            "INVALID_ARGUMENTS",
            "arguments: search_tools takes one argument, 'query', a text that is not empty.",
        ),
        (SEARCH, "read", "MALFORMED_ARGUMENTS", "The arguments are not a JSON object."),
    ],
)
def test_a_wrong_discovery_call_gets_an_error_that_says_what_is_wrong(
    tool: str, arguments: str | dict[str, Any], code: str, message: str
) -> None:
    event = call_tool(start(), tool, arguments).events[-1]
    assert isinstance(event, Discovered)
    assert (event.result.code, event.result.message) == (code, message)


def test_the_same_discovery_error_three_times_in_a_row_is_giving_up() -> None:
    conversation = start()
    for _ in range(3):
        conversation = call_tool(conversation, DESCRIBE, {"name": "no_such"})
    assert conversation.ended is EndReason.GAVE_UP
    mark = score(CASE, conversation.guidance, conversation.events)
    assert (mark.failure_class, mark.tool_calls, mark.argument_validity) == (FailureClass.GAVE_UP, 0, None)


def test_calling_an_undescribed_tool_without_correction_is_a_tool_selection_failure() -> None:
    conversation = call_tool(start(), READER, {"path": "x"}).take(Reply("Done."))
    mark = score(CASE, conversation.guidance, conversation.events)
    assert (mark.failure_class, mark.tool_calls) == (FailureClass.TOOL_SELECTION, 1)


def test_without_discovery_its_tools_do_not_exist() -> None:
    case = make_case(PromptType.BASELINE)
    conversation = call_tool(Conversation.begin(case, make_guidance(case)), SEARCH, {"query": "read"})
    assert last_result(conversation)[:2] == (Answered, "UNKNOWN_TOOL")


def test_discovery_events_survive_encoding_and_are_scored_the_same_afterwards() -> None:
    case = make_case(has_tool_discovery=True)
    conversation = run_agent("perfect", case)
    events = msgspec.json.decode(msgspec.json.encode(conversation.events), type=tuple[Event, ...])
    assert events == conversation.events
    assert score(case, conversation.guidance, events) == score_agent("perfect", case)
