"""The canary variant: other names for everything, and otherwise the same episode."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from itertools import cycle, product
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ultra.benchmark import generator
from pytest_ultra.benchmark.canary_names import NO_RENAMING, draw_renaming, renaming_of
from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.prompts import plan_text
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.vocabulary import PROTECTED, entity_words, words_in
from pytest_ultra.core.axes import (
    FLAWED_PROMPT_TYPES,
    Difficulty,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
)
from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.core.transcript import Answered, Event, Replied, Reply, ToolCall
from pytest_ultra.core.workflow import render
from tests.benchmark.agent_runs import (
    get_guidance,
    make_case,
    make_task,
    make_tasks,
    run_agent,
    score_agent,
    varied_cases,
)

READER = "file_operations_reader"


@cache  # not when the tests are collected: the controller would make them, too
def all_tasks() -> list[Task]:
    return make_tasks(2, very_hard=1)


def canary(case: Case) -> Case:
    return msgspec.structs.replace(case, prompt_variant=PromptVariant.CANARY)


def world_text(task: Task) -> str:
    return json.dumps(msgspec.to_builtins([task.world, task.words, [action.call for action in task.actions]]))


def texts_with_names(task: Task) -> st.SearchStrategy[str]:
    """Return a strategy for texts made of both kinds of names, parts of names, and other text."""
    names = draw_renaming(task)
    known = st.sampled_from([*names.words, *names.tools])
    pieces = st.one_of(
        known, known.map(str.upper), known.map(str.title), st.text(max_size=3), st.sampled_from("_-./ 1")
    )
    return st.lists(pieces, max_size=12).map("".join)


@settings(deadline=None)  # the first example makes the tasks
@given(st.data())
def test_renaming_twice_restores_any_text(data: st.DataObject) -> None:
    task = data.draw(st.sampled_from(all_tasks()[::7]))
    text = data.draw(texts_with_names(task))
    renaming = draw_renaming(task)
    assert renaming.text(renaming.text(text)) == text


def test_renaming_twice_restores_whole_worlds_and_no_two_names_collide() -> None:
    for task in all_tasks():
        renaming = draw_renaming(task)
        world = msgspec.to_builtins(task.world)
        assert renaming.value(renaming.value(world)) == world
        for names in (renaming.words, renaming.tools):
            assert all(names[names[name]] == name != names[name] for name in names)
        coined = set(renaming.words) - set(entity_words(task))
        assert len(coined) == len(entity_words(task))
        assert not coined & words_in(world_text(task), *PROTECTED)
        assert not coined & words_in(*renaming.tools)


def test_every_tool_has_another_name_that_still_shows_its_category() -> None:
    renaming = draw_renaming(all_tasks()[0])
    shown = [renaming.text(name) for name in TOOLS]
    assert len({*shown, *TOOLS}) == 2 * len(TOOLS)
    assert not words_in(*shown) & words_in(*TOOLS)
    by_category = {(tool.category, renaming.text(name).partition("_")[0]) for name, tool in TOOLS.items()}
    assert len(by_category) == len({category for category, _ in by_category}) == 6


def test_numbers_and_words_of_schemas_are_not_renamed() -> None:
    values = [tool.parameters for tool in TOOLS.values()]
    for task in all_tasks()[::10]:
        renaming = draw_renaming(task)
        assert renaming.value(values) == values
        assert renaming.value([1, 2.5, True, None, "2027-01-02T08:00"]) == [1, 2.5, True, None, "2027-01-02T08:00"]


def test_composed_names_follow_their_parts_and_letter_case_is_kept() -> None:
    task = next(task for task in all_tasks() if "fee" in entity_words(task))
    renaming = draw_renaming(task)
    other = renaming.words["fee"]
    assert renaming.text("sum_fee fee_adjusted Fee FEE fees fEe") == (
        f"sum_{other} {other}_adjusted {other.capitalize()} {other.upper()} fees fEe"
    ).replace("adjusted", renaming.words.get("adjusted", "adjusted"))


def test_names_depend_only_on_the_task_and_differ_between_tasks() -> None:
    case = canary(make_case(PromptType.FLAWED_TOOL_MISUSE))
    control = msgspec.structs.replace(case, model="other", prompt_type=PromptType.OPTIMAL, severity=None, repeat=3)
    task = make_guidance(case).task
    assert renaming_of(case, task) == renaming_of(control, make_guidance(control).task) == draw_renaming(task)
    assert renaming_of(make_case(), task) is NO_RENAMING
    assert len({draw_renaming(other).tools[READER] for other in all_tasks()}) == len(all_tasks())


KNOWING_NAMES = (ReferenceAgent.MIXTURE, ReferenceAgent.LINTER)
"""The mixture draws by the case's identity; the linter knows the tools by their names, and flags all others."""


@pytest.mark.parametrize("agent", [agent for agent in ReferenceAgent if agent not in KNOWING_NAMES])
def test_reference_agents_keep_their_scores_under_other_names(agent: str) -> None:
    """In both protocols, with discovery and without: the cases take turns, so each of three task types has all four."""
    forms = cycle(product((ToolProtocol.NATIVE, ToolProtocol.TEXT), (False, True)))
    for plain, (protocol, has_discovery) in zip(varied_cases(agent), forms, strict=False):
        case = msgspec.structs.replace(plain, tool_protocol=protocol, has_tool_discovery=has_discovery)
        assert score_agent(agent, canary(case)) == score_agent(agent, case)


def calls_and_results(conversation: Conversation) -> list[tuple[str, object, object]]:
    answered = [event for event in conversation.events if isinstance(event, Answered)]
    return [(event.call.name, event.arguments, event.result) for event in answered]


def test_the_transcript_keeps_the_benchmarks_own_names_and_the_reply_as_it_was_sent() -> None:
    for case in varied_cases("follower"):
        plain, renamed = run_agent("follower", case), run_agent("follower", canary(case))
        assert calls_and_results(renamed) == calls_and_results(plain)
        sent = [event.reply.tool_calls for event in renamed.events if isinstance(event, Replied)]
        assert not {call.name for calls in sent for call in calls} & set(TOOLS)
        assert renamed.plan == plan_text(case.prompt_type, draw_renaming(plain.guidance.task).guidance(plain.guidance))


def test_the_model_sees_none_of_the_benchmarks_own_names() -> None:
    seen = 0
    for case in varied_cases("perfect"):
        conversation = run_agent("perfect", canary(case))
        request = conversation.request()
        messages = [json.dumps([message["content"], message.get("tool_calls")]) for message in request.messages]
        assert not any(name in json.dumps([messages, request.tools]) for name in TOOLS)
        shown = words_in(*messages, json.dumps(request.tools))
        assert not shown & set(entity_words(conversation.guidance.task))
        seen += len(shown & set(conversation.renaming.words))
    assert seen > 60


@pytest.mark.parametrize("prompt_type", FLAWED_PROMPT_TYPES)
def test_no_name_that_stays_unchanged_gives_a_flawed_plan_away(prompt_type: PromptType) -> None:
    """Each task type at each second level, and the next kind at the others; severities take turns."""
    cells = list(product(TaskType, Difficulty))[FLAWED_PROMPT_TYPES.index(prompt_type) % 2 :: 2]
    for (task_type, difficulty), severity in zip(cells, cycle(Severity), strict=False):
        guidance = get_guidance(make_case(prompt_type, task_type, difficulty, severity=severity))
        assert guidance.flawed
        written = words_in(render(guidance.flawed.workflow)) - words_in(render(guidance.optimal))
        assert not written - PROTECTED - set(entity_words(guidance.task))


def start(**axes: object) -> Conversation:
    case = canary(make_case(PromptType.BASELINE, difficulty=Difficulty.VERY_HARD))
    case = msgspec.structs.replace(case, **axes)
    return Conversation.begin(case, make_guidance(case))


def call_tool(conversation: Conversation, tool: str, arguments: str) -> Answered:
    event = conversation.take(Reply(tool_calls=(ToolCall("c", tool, arguments),))).events[-1]
    assert isinstance(event, Answered)
    return event


def test_a_call_of_a_tool_by_its_original_name_is_an_unknown_tool() -> None:
    conversation = start().take(Reply(tool_calls=(ToolCall("c", READER, "{}"),)))
    error = json.loads(conversation.messages[-1]["content"])
    assert (error["error"], error["message"]) == ("UNKNOWN_TOOL", f"You have no tool named '{READER}'.")


def test_an_entity_is_not_found_by_its_original_name() -> None:
    case = canary(make_case(PromptType.BASELINE))
    conversations = (
        Conversation.begin(
            msgspec.structs.replace(case, instance=number),
            make_guidance(msgspec.structs.replace(case, instance=number)),
        )
        for number in range(20)
    )
    conversation, path = next(
        (conversation, path)
        for conversation in conversations
        if READER in conversation.guidance.task.tools
        for path in conversation.guidance.task.world.files
    )
    shown, reader = conversation.renaming.text(path), conversation.renaming.text(READER)
    assert call_tool(conversation, reader, json.dumps({"path": shown})).result.is_success
    assert call_tool(conversation, reader, json.dumps({"path": path})).result.code == "NOT_FOUND"


def test_arguments_that_are_not_json_stay_as_they_were_sent() -> None:
    conversation = start()
    event = call_tool(conversation, conversation.renaming.text(READER), "data/orders")
    assert (event.call.name, event.call.arguments) == (READER, "data/orders")
    assert event.result.code == "MALFORMED_ARGUMENTS"


def test_an_answer_in_other_names_is_scored_in_the_benchmarks_own() -> None:
    conversation = start()
    word = entity_words(conversation.guidance.task)[0]
    replied = conversation.take(Reply(f"ANSWER: {conversation.renaming.words[word]}")).events[0]
    assert isinstance(replied, Replied)
    assert (replied.text, replied.reply.text) == (f"ANSWER: {word}", f"ANSWER: {conversation.renaming.words[word]}")
    assert msgspec.json.decode(msgspec.json.encode(replied), type=Event) == replied
    assert Replied(1, Reply("as it is")).text == "as it is"


NAMES_IN_TEMPLATES = {"about"}
"""Words that occur both in the generator's templates and in names; the rest of a template is prose."""


def template_words() -> set[str]:
    """Return the words of the generator's texts: string constants with a space, and parts of f-strings."""
    found: set[str] = set()
    for path in Path(str(generator.__file__)).parent.glob("*.py"):
        tree = ast.parse(path.read_text())
        documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
        ignored = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
        raised = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
        found |= {
            word
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in raised
            if " " in node.value.strip() and node.value not in ignored and not is_attribute_docstring(node, tree)
            for word in re.findall(r"[a-z]{3,}", re.sub(r"{\w*}", "", node.value.lower()))
        }
    return found - NAMES_IN_TEMPLATES


def is_attribute_docstring(node: ast.Constant, tree: ast.Module) -> bool:
    return any(isinstance(statement, ast.Expr) and statement.value is node for statement in tree.body)


def test_words_of_the_prose_around_names_are_not_renamed() -> None:
    prose = template_words()
    assert len(prose) > 100
    for task in (*all_tasks(), make_task(TaskKey(TaskType.SIMPLE_TASK, Difficulty.EASY, 99, 7))):
        assert not prose & set(entity_words(task)), task.words
