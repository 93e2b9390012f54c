"""The words of a task contain every literal that it needs, and give nothing away."""

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
from tests.benchmark.agent_runs import make_case, make_task, make_tasks

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
"""How the words express enumerated values of tool schemas, where they do not use the value itself."""


def get_literals(action: Action) -> Iterator[tuple[str, Json]]:
    """Yield (argument, literal) for every literal of the call, also inside lists and mappings."""
    for name, value in action.call.arguments.items():
        if referenced_step(value) is None:
            parts = (
                [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else [value]
            )
            yield from ((name, part) for part in parts)


def is_stated(words: str, tool: str, name: str, literal: Json) -> bool:
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
                assert is_stated(task.words, action.call.tool, name, literal), (task.words, action.call)
    assert count > 5 * len(tasks)


def test_the_table_of_wordings_covers_used_enumerated_values_only(tasks: list[Task]) -> None:
    used = {
        (action.call.tool, name, str(literal))
        for task in tasks
        for action in task.actions
        for name, literal in get_literals(action)
    }
    for tool, name, value in ENUMERATED:
        assert value in TOOLS[tool].parameters["properties"][name]["enum"]
        assert (tool, name, value) in used


def test_the_words_or_the_tools_say_which_service_needs_a_session(tasks: list[Task]) -> None:
    named_by_tool = 0
    for task in tasks:
        for action in task.actions:
            if action.call.tool != "integration_authenticator":
                continue
            service = action.call.arguments["service"]
            assert service in task.words
            urls = [url for url, resource in task.world.resources.items() if resource.service == service]
            named_by_tool += any(
                service in invoke(task.world, "network_fetcher", {"url": url})[1].message for url in urls
            )
    assert named_by_tool > 50


def test_the_words_ask_for_an_answer_exactly_if_one_is_needed(tasks: list[Task]) -> None:
    for task in tasks:
        is_asked = re.search(r"[Aa]nswer", task.words) is not None
        assert is_asked == any(fact.kind == "answer" for fact in task.deliverables)


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


def test_harder_tasks_say_less_about_how(tasks: list[Task]) -> None:
    """`very_easy` lists the operations; from `hard` on, the words state the outcome."""
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


def test_the_words_never_name_the_distractors(tasks: list[Task]) -> None:
    """Last year's data and sandboxes are in the world, but not in the words."""
    for task in tasks:
        assert "last_year" not in task.words
        assert "last-year" not in task.words
        assert "sandbox" not in task.words
