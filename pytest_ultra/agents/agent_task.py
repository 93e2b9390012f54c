"""The task that an agent gets: the job, the tools, and what else its episode offers."""

from __future__ import annotations

import copy
import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from pytest_ultra.agents.call_batch import CallBatch
from pytest_ultra.agents.tool_functions import make_async_function, make_function
from pytest_ultra.agents.tool_messages import read_call, write_arguments, write_result
from pytest_ultra.core.agent_session import AgentSession
from pytest_ultra.core.json_types import MAX_COUNT, Json, Message, ToolSchema
from pytest_ultra.core.transcript import ToolCall


class TaskBase:
    """What the tasks of plain and of async agents have in common."""

    def __init__(self, session: AgentSession) -> None:
        self._session = session

    @property
    def system(self) -> str:
        """The system message."""
        return self._content("system")

    @property
    def prompt(self) -> str:
        """The job in words, with the plan if the case has one."""
        return self._content("user")

    def messages(self) -> list[Message]:
        """Return the system message and the job as new messages of OpenAI's chat completions."""
        return copy.deepcopy(list(self._session.messages))

    @property
    def tools(self) -> list[ToolSchema]:
        """The tools as `tools` of OpenAI's chat completions."""
        return copy.deepcopy(list(self._session.tools))

    @property
    def model(self) -> str:
        """The name of the model behind the agent (`--ultra-agent module:attr@MODEL`), empty without one."""
        return self._session.case.agent_model

    @cached_property
    def base_url(self) -> str:
        """The base URL of an endpoint with OpenAI's chat completions, for this episode alone. It takes any API key.

        Requests go to the model behind the agent, with the run's provider, key, limits, budget, retries and cassettes,
        and their tokens are counted. Raises `pytest_ultra.errors.ConfigurationError` if no model is behind the agent.
        """
        return self._session.open_model()

    @cached_property
    def mcp_url(self) -> str:
        """The URL of an MCP server (streamable HTTP on loopback) with the tools, for this episode alone.

        It is started when this is read. Raises `pytest_ultra.errors.ConfigurationError` without the extra `mcp`.
        """
        return self._session.open_mcp()

    @property
    def deadline(self) -> float | None:
        """The Unix time at which the time limit is up, None without one. Time spent waiting for limits moves it."""
        left_s = self._session.left_s
        return None if left_s is None else time.time() + left_s

    def usage(self, *, prompt: int | None = None, completion: int | None = None, cost: float | None = None) -> None:
        """Add tokens of prompts and completions, and US dollars, that did not go through `base_url`.

        What is never reported is shown as unknown. Raises ValueError for a negative or infinite amount.
        """
        for amount in filter(None, (prompt, completion, cost)):
            if not 0 < amount < MAX_COUNT:
                raise ValueError(f"{amount!r} cannot be used; give tokens and US dollars as numbers of at least 0")
        self._session.report(prompt, completion, cost)

    def sync_callables(self) -> list[Callable[..., str]]:
        """Return the tools as plain functions, which any thread may call. They block until the result is there."""
        return [make_function(schema, self._call_blocking) for schema in self._session.tools]

    def _content(self, role: str) -> str:
        return "\n\n".join(str(each["content"]) for each in self._session.messages if each["role"] == role)

    def _call_blocking(self, name: str, arguments: Json) -> str:
        return self._make(ToolCall("", name, write_arguments(arguments)))

    def _make(self, call: ToolCall) -> str:
        return self._session.call([call])[0].result()


class AgentTask(TaskBase):
    """The task of an agent that is a plain function. It runs in a thread of its own, and may block.

    All methods may be called in any thread. A tool's error is a result, not an exception: the text is what a model
    would see.
    """

    def call(self, name: str, arguments: dict[str, Json] | str) -> str:
        """Run a tool and return its result as JSON text; `arguments` may be JSON text too."""
        return self._call_blocking(name, arguments)

    def answer(self, tool_call: Any) -> Message:
        """Run a tool call of an SDK, and return the message that answers it.

        Takes the tool calls of the packages openai (chat completions and Responses) and anthropic, or dicts of the
        same shape. Raises TypeError for anything else.
        """
        return write_result(tool_call, self._make(read_call(tool_call)))

    def callables(self) -> list[Callable[..., str]]:
        """Return the tools as functions with the signature, annotations and docstring that their schemas describe."""
        return self.sync_callables()


class AsyncAgentTask(TaskBase):
    """The task of an agent that is a coroutine function. All async agents of a process share an event loop.

    So an agent that blocks has to be a plain function. A tool's error is a result, not an exception: the text is
    what a model would see.
    """

    def __init__(self, session: AgentSession) -> None:
        super().__init__(session)
        self._batch = CallBatch(session)

    async def call(self, name: str, arguments: dict[str, Json] | str) -> str:
        """Run a tool and return its result as JSON text; `arguments` may be JSON text too."""
        return await self._batch.add(ToolCall("", name, write_arguments(arguments)))

    async def answer(self, tool_call: Any) -> Message:
        """Run a tool call of an SDK, and return the message that answers it.

        Takes the tool calls of the packages openai (chat completions and Responses) and anthropic, or dicts of the
        same shape. Raises TypeError for anything else.
        """
        return write_result(tool_call, await self._batch.add(read_call(tool_call)))

    def callables(self) -> list[Callable[..., Awaitable[str]]]:
        """Return the tools as coroutine functions with the signature, annotations and docstring of their schemas."""
        return [make_async_function(schema, self.call) for schema in self._session.tools]


__all__ = ["AgentTask", "AsyncAgentTask"]
