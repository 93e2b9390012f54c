"""The words of a task: exact names up to `easy`, descriptions from `medium` on; never a tool, nor a second reading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import pytest

from pytest_ultra.benchmark.constraints import CONSTRAINTS
from pytest_ultra.benchmark.decisions import Decision, Skill
from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.generator.job_text import JobText, Kind, join_words
from pytest_ultra.benchmark.generator.levels import LEVELS
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.prompts import opening
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.core.axes import Difficulty, PromptType, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.guidance import Guidance
from tests.benchmark.agent_runs import make_case, make_task, make_tasks

INSTANCES = 8


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return make_tasks(INSTANCES, very_hard=2)


PLACES = ("path", "url", "datastore", "key", "topic", "service", "recipient", "subject", "name", "at", "message")


def places(task: Task) -> Iterator[str]:
    """Yield the names of places, people and services in the reference calls."""
    for action in task.actions:
        yield from (str(action.call.arguments[name]) for name in PLACES if name in action.call.arguments)


def test_exact_levels_name_every_place(tasks: list[Task]) -> None:
    for task in tasks:
        if LEVELS[task.key.difficulty].is_exact:
            assert [place for place in places(task) if place not in task.words] == []


def test_other_levels_never_name_the_source(tasks: list[Task]) -> None:
    getters = ("file_operations_reader", "network_fetcher", "integration_connector")
    for task in tasks:
        if not LEVELS[task.key.difficulty].is_exact:
            gotten = [action.call for action in task.actions if action.call.tool in getters]
            assert not [value for call in gotten for value in call.arguments.values() if str(value) in task.words]


def test_every_threshold_and_value_is_in_the_words_or_in_a_document(tasks: list[Task]) -> None:
    for task in tasks:
        documents = " ".join(str(row) for rows in task.world.topics.values() for row in rows)
        of_data = {index for decision in task.decisions for index in worked_out_from_data(decision)}
        for action in task.actions:
            if (
                action.reaches not in of_data
                and action.call.tool == "data_processing_filter"
                and "value" in action.call.arguments
            ):
                value = action.call.arguments["value"]
                if action.call.arguments["operator"] != "between" and not is_seen_in_the_data(value):
                    parts = value if isinstance(value, list) else [value]
                    assert all(str(part).removesuffix(".0") in task.words + documents for part in parts)


def worked_out_from_data(decision: Decision) -> Iterator[int]:
    """Yield the milestones that a decision is about, if a look at the data takes it."""
    if decision.skill is Skill.CHECK_DATA:
        yield from (index for misreading in decision.misreadings for index in misreading.dropped)


def is_seen_in_the_data(value: object) -> bool:
    """Return whether a value is the name of a row with a total, or the first day of the period."""
    return value in ("TOTAL", "SUM", "ALL") or re.fullmatch("2027-[0-9]{2}-[0-9]{2}", str(value)) is not None


def test_every_field_of_a_result_is_named_exactly(tasks: list[Task]) -> None:
    for task in tasks:
        for action in task.actions:
            arguments = action.call.arguments
            fields = arguments.get("fields") or arguments.get("mapping") or ()
            assert all(field in task.words for field in fields)
            if action.call.tool == "computation_calculator" and arguments["operator"] == "*":
                assert str(arguments["result_field"]) in task.words


def test_the_words_or_the_tools_say_which_service_needs_a_session(tasks: list[Task]) -> None:
    for task in tasks:
        for action in task.actions:
            if action.call.tool != "integration_authenticator":
                continue
            service = str(action.call.arguments["service"])
            resources = [url for url, resource in task.world.resources.items() if resource.service == service]
            sinks = [url for url, sink in task.world.sinks.items() if sink.service == service]
            found = [invoke(task.world, "network_validator", {"url": url})[1].value for url in (*resources, *sinks)]
            assert service in task.words or any(service in str(value) for value in found)


def test_the_words_ask_for_an_answer_exactly_if_one_is_needed(tasks: list[Task]) -> None:
    for task in tasks:
        is_asked = re.search(r"\b[Aa]nswer\b", task.words) is not None
        assert is_asked == any(fact.kind is FactKind.ANSWER for fact in task.deliverables)
        if is_asked and "files" not in task.words:
            assert "to two decimals" in task.words


def get_texts(task: Task) -> Iterator[str]:
    """Yield the messages of the prompts without a plan."""
    guidance = Guidance(task, perfect_plan(task))
    for prompt_type in (PromptType.BASELINE, PromptType.COT):
        yield from (message["content"] for message in opening(make_case(prompt_type), guidance))


def test_no_prompt_without_a_plan_names_a_tool(tasks: list[Task]) -> None:
    for task in tasks:
        for text in get_texts(task):
            assert not any(name in text or name.replace("_", " ") in text for name in TOOLS)


def test_no_tool_error_names_a_tool() -> None:
    """The errors for unknown names, empty calls and bad handles do not say which tool would be right."""
    task = make_task(TaskKey(TaskType.API_INTEGRATION, Difficulty.EASY, 0, 0))
    for name in (*TOOLS, "data_processing"):
        for arguments in ({}, None, {"data": "data_1"}, {"url": "x"}, {"path": "x"}):
            _, result = invoke(task.world, name, arguments)
            assert not any(tool in result.message for tool in TOOLS if tool != name)


def test_only_very_easy_lists_every_operation(tasks: list[Task]) -> None:
    for task in tasks:
        is_listed = task.key.difficulty is Difficulty.VERY_EASY
        assert task.words.startswith("Do this, in order. ") == is_listed
        assert (re.search(r"\b(?:Parse it|Authenticate with)\b", task.words) is not None) <= is_listed


def test_every_task_states_the_constraints(tasks: list[Task]) -> None:
    assert all(task.words.endswith(" ".join(CONSTRAINTS)) for task in tasks)


def test_sentences_begin_with_a_capital_letter_and_have_no_gaps(tasks: list[Task]) -> None:
    for task in tasks:
        assert not re.search(r"[{}]|\s{3,}| \.|\.\.|(?<=\. )[a-z]+ (?!\S*[.@/])", task.words.replace("...", ""))


def test_articles_follow_the_word_after_them() -> None:
    text = JobText(Random(0))
    text.add(Kind.RULE, ("A {singular} without a {field} counts.",), {"singular": "order", "field": "amount"})
    text.add(Kind.RULE, ("A {singular} counts.",), {"singular": "claim"})
    assert [sentence.text for sentence in text.base] == ["An order without an amount counts.", "A claim counts."]


@pytest.mark.parametrize(("words", "joined"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_words_are_joined_as_in_prose(words: list[str], joined: str) -> None:
    assert join_words(words) == joined
