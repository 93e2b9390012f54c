"""The task object: what it offers is described in the docs, and a stand-in for an episode gets what agents call."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import pytest_ultra
from pytest_ultra import AgentTask, AsyncAgentTask
from pytest_ultra.core.case import Case
from pytest_ultra.core.transcript import ToolCall
from pytest_ultra.errors import ConfigurationError
from tests.benchmark.agent_runs import make_case

PAGE = Path(__file__).parents[2] / "docs" / "own-agent.md"
TOOL = {"type": "function", "function": {"name": "act", "description": "Act.", "parameters": {"properties": {}}}}


class Session:
    """An episode whose tools answer with the number of the call."""

    def __init__(self) -> None:
        self.batches: list[list[ToolCall]] = []
        self.reported: list[tuple[Any, ...]] = []
        self.left_s: float | None = 10.0

    case: Case = make_case()
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Do it."})
    tools = (TOOL,)

    def call(self, calls: Sequence[ToolCall]) -> list[Future[str]]:
        self.batches.append(list(calls))
        futures: list[Future[str]] = [Future() for _ in calls]
        for number, future in enumerate(futures):
            future.set_result(f"{len(self.batches)}.{number}")
        return futures

    def report(self, prompt: int | None, completion: int | None, cost: float | None) -> None:
        self.reported.append((prompt, completion, cost))

    def open_mcp(self) -> str:
        raise ConfigurationError("no extra")

    def open_model(self) -> str:
        raise ConfigurationError("no model")


def test_the_page_describes_everything_that_the_task_offers() -> None:
    section = PAGE.read_text().partition("## The task\n")[2].partition("\n## ")[0]
    described = {
        name
        for row in section.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)", row.split("|")[1])
    }
    offered = {name for kind in (AgentTask, AsyncAgentTask) for name in dir(kind) if not name.startswith("_")}
    assert described - {"prompt", "completion", "cost"} == offered - {"prompt"}


def test_the_public_names_can_be_imported_and_no_others() -> None:
    assert [getattr(pytest_ultra, name).__name__ for name in pytest_ultra.__all__] == pytest_ultra.__all__
    with pytest.raises(AttributeError, match="module 'pytest_ultra' has no attribute 'Nothing'"):
        _ = pytest_ultra.Nothing


def test_the_job_is_given_as_texts_and_as_new_messages() -> None:
    task = AgentTask(Session())
    assert (task.system, task.prompt, task.model, task.tools) == ("Be brief.", "Do it.", "", [TOOL])
    task.messages().append({"role": "user", "content": "More."})
    task.messages()[0]["content"] = task.tools[0]["function"]["name"] = "changed"
    assert task.messages() == list(Session.messages)
    assert task.tools == [TOOL]


def test_a_plain_function_calls_tools_in_three_ways() -> None:
    session = Session()
    task = AgentTask(session)
    call = {"id": "1", "function": {"name": "act", "arguments": "{}"}}
    assert task.call("act", {"a": 1}) == "1.0"
    assert task.answer(call) == {"role": "tool", "tool_call_id": "1", "content": "2.0"}
    assert [function() for function in task.callables()] == ["3.0"]
    arguments = [(each.id, each.name, each.arguments) for batch in session.batches for each in batch]
    assert arguments == [("", "act", '{"a":1}'), ("1", "act", "{}"), ("", "act", "{}")]


def test_an_async_agent_passes_on_together_what_it_calls_at_once() -> None:
    session = Session()

    async def agent(task: AsyncAgentTask) -> list[str]:
        first = await asyncio.gather(*(task.call("act", {"n": n}) for n in range(3)))
        return [*first, await task.callables()[0](), task.sync_callables()[0]()]

    assert asyncio.run(agent(AsyncAgentTask(session))) == ["1.0", "1.1", "1.2", "2.0", "3.0"]


def test_a_call_that_is_cancelled_at_once_is_not_made() -> None:
    session = Session()

    async def agent(task: AsyncAgentTask) -> str:
        calls = [asyncio.ensure_future(task.call("act", {"n": n})) for n in range(2)]
        await asyncio.sleep(0)
        calls[0].cancel()
        return await calls[1]

    assert asyncio.run(agent(AsyncAgentTask(session))) == "1.0"
    assert [call.arguments for call in session.batches[0]] == ['{"n":1}']


def test_the_deadline_is_a_unix_time() -> None:
    session = Session()
    assert abs((AgentTask(session).deadline or 0.0) - time.time() - 10.0) < 5
    session.left_s = None
    assert AgentTask(session).deadline is None


def test_usage_is_passed_on_and_a_base_url_needs_a_model() -> None:
    session = Session()
    task = AgentTask(session)
    task.usage(prompt=3)
    task.usage(completion=2, cost=0.1)
    assert session.reported == [(3, None, None), (None, 2, 0.1)]
    for wrong in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="give tokens and US dollars as numbers of at least 0"):
            task.usage(cost=wrong)
    with pytest.raises(ConfigurationError, match="no model"):
        _ = task.base_url
