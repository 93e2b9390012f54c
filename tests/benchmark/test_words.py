"""The words suffice, and they give nothing away: literal by literal."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.prompts import opening
from pytest_ultra.benchmark.task import Action, Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.core.axes import Difficulty, PromptType, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import referenced_step
from tests.benchmark.playing import make_case, make_task, make_tasks

INSTANCES = 40


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return make_tasks(INSTANCES)


ENUMERATED = {
    ("computation_calculator", "operator", "*"): " times ",
    ("computation_calculator", "operator", "+"): " plus ",
    ("computation_calculator", "operator", "-"): " minus ",
    ("data_processing_aggregator", "function", "sum"): "the total ",
    ("data_processing_aggregator", "function", "mean"): "the average ",
    ("data_processing_aggregator", "function", "min"): "the smallest ",
    ("data_processing_aggregator", "function", "max"): "the largest ",
    ("data_processing_filter", "operator", "eq"): " is ",
    ("data_processing_filter", "operator", "gt"): " is greater than ",
    ("data_processing_filter", "operator", "lt"): " is less than ",
    ("data_processing_transformer", "operation", "sort"): "sort",
    ("data_processing_transformer", "order", "ascending"): "lowest first",
    ("data_processing_transformer", "order", "descending"): "highest first",
    ("data_processing_validator", "rule", "required"): "is required",
    ("file_operations_compressor", "method", "dedupe_lines"): "dedupe-lines",
    ("file_operations_compressor", "method", "run_length"): "run-length",
    ("utility_cache", "action", "get"): "cache",
    ("utility_cache", "action", "put"): "cache",
}
"""How the words put the values that a tool's schema enumerates, where not by the value itself."""


def get_literals(action: Action) -> Iterator[tuple[str, Json]]:
    """Yield every literal that the call depends on, those inside lists and mappings one by one."""
    for name, value in action.call.arguments.items():
        if referenced_step(value) is None:
            parts = (
                [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else [value]
            )
            yield from ((name, part) for part in parts)


def is_said(words: str, tool: str, name: str, literal: Json) -> bool:
    wording = ENUMERATED.get((tool, name, str(literal)))
    if wording is not None:
        return wording in words.lower()
    return re.search(rf"(?<![\w-]){re.escape(str(literal))}(?![\w-])", words, re.IGNORECASE) is not None


def test_every_literal_of_every_reference_call_is_in_the_words(tasks: list[Task]) -> None:
    """Every path, name, threshold and field that the goal depends on, at every difficulty."""
    count = 0
    for task in tasks:
        for action in task.actions:
            for name, literal in get_literals(action):
                count += 1
                assert is_said(task.words, action.call.tool, name, literal), (task.words, action.call)
    assert count > 5 * len(tasks)


def test_the_table_of_wordings_holds_for_values_that_schemas_enumerate_and_no_others(tasks: list[Task]) -> None:
    used = {
        (action.call.tool, name, str(literal))
        for task in tasks
        for action in task.actions
        for name, literal in get_literals(action)
    }
    for tool, name, value in ENUMERATED:
        assert value in TOOLS[tool].parameters["properties"][name]["enum"]
        assert (tool, name, value) in used


def test_which_service_takes_a_session_is_said_or_told_by_the_tools(tasks: list[Task]) -> None:
    told = 0
    for task in tasks:
        for action in task.actions:
            if action.call.tool != "integration_authenticator":
                continue
            service = action.call.arguments["service"]
            assert service in task.words
            urls = [url for url, resource in task.world.resources.items() if resource.service == service]
            told += any(service in invoke(task.world, "network_fetcher", {"url": url})[1].message for url in urls)
    assert told > 50


def test_what_is_to_be_answered_is_asked_for(tasks: list[Task]) -> None:
    for task in tasks:
        is_asked = re.search(r"[Aa]nswer", task.words) is not None
        assert is_asked == any(fact.kind == "answer" for fact in task.deliverables)


def get_texts(task: Task) -> Iterator[str]:
    """Everything that a prompt without a plan says."""
    guidance = Guidance(task, perfect_plan(task))
    for prompt_type in (PromptType.BASELINE, PromptType.COT):
        yield from (message["content"] for message in opening(make_case(prompt_type), guidance))


def test_no_prompt_without_a_plan_names_a_tool(tasks: list[Task]) -> None:
    for task in tasks:
        for text in get_texts(task):
            assert not any(name in text or name.replace("_", " ") in text for name in TOOLS)


def test_no_tool_error_names_a_tool() -> None:
    """An unknown name, an empty call and a bad handle: none of the answers says what would be right."""
    task = make_task(TaskKey(TaskType.API_INTEGRATION, Difficulty.EASY, 0, 0))
    for name in (*TOOLS, "data_processing"):
        for arguments in ({}, None, {"data": "data_1"}, {"url": "x"}, {"path": "x"}):
            _, result = invoke(task.world, name, arguments)
            assert not any(tool in result.message for tool in TOOLS if tool != name)


def test_the_harder_the_less_is_said_about_how(tasks: list[Task]) -> None:
    """`very_easy` gives orders one by one; from `hard` on, the words state what is to be true in the end."""
    for task in tasks:
        words = task.words
        level = task.key.difficulty.level
        assert words.startswith("Do this, in order. ") == (level == 0)
        assert words.startswith("See to it that at the end:") == (level == 3)
        assert words.startswith("Before the next review, we need that ") == (level == 4)
        orders = re.findall(r"\b(?:Read|Parse|Fetch|Authenticate|Convert|Compute|Sort|Keep only|Look up)\b", words)
        assert level < 2 or not orders
        mechanical = re.findall(r"\b(?:Parse it|Authenticate with|Convert it)\b", words)
        assert level == 0 or not mechanical


def test_very_easy_names_every_step() -> None:
    for task_type in TaskType:
        for instance in range(INSTANCES):
            task = make_task(TaskKey(task_type, Difficulty.VERY_EASY, instance, 0))
            sentences = task.words.removeprefix("Do this, in order. ").count(". ") + 1
            assert sentences >= len(perfect_plan(task).steps)


def test_the_data_beside_the_point_is_told_from_the_right_by_name(tasks: list[Task]) -> None:
    """What the plan reads is there, and so is its sibling of last year, which the words never name."""
    for task in tasks:
        assert "last_year" not in task.words
        assert "last-year" not in task.words
        assert "sandbox" not in task.words
