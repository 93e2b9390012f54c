"""Agents for tests, without an SDK: each is copied into a project, and named as `example_agents:NAME`."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

from pytest_ultra import AgentTask, AsyncAgentTask
from pytest_ultra.errors import EpisodeEndedError


def loop(task: AgentTask) -> str:
    """Ask the model behind the agent until it calls no more tools."""
    messages = task.messages()
    while True:
        reply = ask(task, messages)
        messages.append(reply)
        if not reply.get("tool_calls"):
            return str(reply["content"])
        messages += [task.answer(call) for call in reply["tool_calls"]]


async def async_loop(task: AsyncAgentTask) -> str:
    """Do the same, with streamed answers and the calls of a turn at once."""
    messages = task.messages()
    while True:
        reply = await asyncio.to_thread(ask_streamed, task, messages)
        messages.append(reply)
        if not reply.get("tool_calls"):
            return str(reply["content"])
        messages += await asyncio.gather(*(task.answer(call) for call in reply["tool_calls"]))


async def over_mcp(task: AsyncAgentTask) -> str:
    """Do the same, with the tools as a client of MCP sees them."""
    from mcp import Client  # noqa: PLC0415 - for this agent alone

    messages = task.messages()
    async with Client(task.mcp_url) as tools:
        names = {tool.name for tool in (await tools.list_tools()).tools}
        while True:
            reply = await asyncio.to_thread(ask, task, messages)
            messages.append(reply)
            if not reply.get("tool_calls"):
                return str(reply["content"])
            for call in reply["tool_calls"]:
                assert call["function"]["name"] in names
                result = await tools.call_tool(call["function"]["name"], json.loads(call["function"]["arguments"]))
                messages.append(answer(call, result.content[0].text))


def with_threads(task: AgentTask) -> str:
    """Make the calls of a turn in threads, in the wrong order, by functions that were made from the schemas."""
    functions = {function.__name__: function for function in task.callables()}
    messages = task.messages()
    while True:
        reply = ask(task, messages)
        messages.append(reply)
        calls = reply.get("tool_calls", ())
        if not calls:
            return str(reply["content"])
        with ThreadPoolExecutor() as pool:
            results = [
                (call, pool.submit(functions[call["function"]["name"]], **json.loads(call["function"]["arguments"])))
                for call in reversed(calls)
            ]
        messages += [answer(call, result.result()) for call, result in reversed(results)]


def answer(call: dict[str, Any], content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call["id"], "content": content}


def ask(task: AgentTask | AsyncAgentTask, messages: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(post(task, messages, **fields))
    except urllib.error.HTTPError as error:
        error.close()
        raise
    message: dict[str, Any] = body["choices"][0]["message"]
    return message


def ask_streamed(task: AgentTask | AsyncAgentTask, messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Ask for a stream, and put the message together from its events."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    calls: dict[int, dict[str, Any]] = {}
    events = post(task, messages, stream=True).split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    for event in events[:-2]:
        delta = json.loads(event.removeprefix("data: "))["choices"][0]["delta"]
        message["content"] += delta.get("content") or ""
        calls |= {call.pop("index"): call for call in delta.get("tool_calls", ())}
    return message | ({"tool_calls": list(calls.values())} if calls else {})


def post(task: AgentTask | AsyncAgentTask, messages: list[dict[str, Any]], **fields: Any) -> str:
    body = {"model": task.model, "messages": messages, "tools": task.tools, **fields}
    request = urllib.request.Request(  # noqa: S310 - the run's own endpoint
        f"{task.base_url}/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - see above
        return str(response.read().decode())


def with_parameters(task: AgentTask) -> str:
    return str(ask(task, task.messages(), temperature=0.3, max_completion_tokens=50, tool_choice="none")["content"])


def of_another_model(task: AgentTask) -> str:
    """Ask for a model that the run does not know."""
    try:
        post(task, task.messages(), model="another")
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.read().decode()}"
    return "Done."


def crash(task: AgentTask) -> NoReturn:
    raise ValueError(f"I cannot do this with {len(task.tools)} tools")


def deliver_and_crash(task: AgentTask) -> NoReturn:
    loop(task)
    raise KeyError("late")


async def lose_connection(_: AsyncAgentTask) -> NoReturn:
    raise RuntimeError("the framework gave up") from ConnectionResetError("by the provider")


class TooManyRequestsError(Exception):
    status_code = 429


async def exceed_limits(_: AsyncAgentTask) -> NoReturn:
    raise TooManyRequestsError("slow down")


def hang(_: AgentTask) -> str:
    time.sleep(1000)
    return "Done."


async def hang_in_pool(_: AsyncAgentTask) -> str:
    """Block a thread of an executor, for which Python would wait at its exit."""
    await asyncio.to_thread(time.sleep, 1000)
    return "Done."


async def block_loop(_: AsyncAgentTask) -> str:
    time.sleep(1000)  # noqa: ASYNC251 - that is the fault
    return "Done."


async def ignore_cancellation(task: AsyncAgentTask) -> str:
    while True:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            note(task, "cancelled")


def go_on(task: AgentTask) -> str:
    """Call after the end, in another thread."""

    def call_late() -> None:
        time.sleep(0.5)
        try:
            task.call(first_tool(task), {})
        except EpisodeEndedError:
            note(task, "ended")

    threading.Thread(target=call_late).start()
    return "Done."


def repeat(task: AgentTask) -> str:
    """Make a wrong call again and again, whatever is raised in it."""
    for _ in range(50):
        try:
            task.call(first_tool(task), {"no": "such argument"})
        except Exception:  # noqa: BLE001, S112 - as frameworks do
            continue
    return "Done."


async def look(task: AsyncAgentTask) -> str:
    """Make two calls at once, then one."""
    act = task.callables()[0]
    await asyncio.gather(act(), act(other="none"))
    await task.call(act.__name__, "{}")
    task.usage(prompt=100, completion=20, cost=0.5)
    task.usage(prompt=1)
    return "NOT DONE: I only looked."


async def flood(task: AsyncAgentTask) -> str:
    """Make more calls at once than a turn can have."""
    results = await asyncio.gather(*(task.call("file_operations_reader", {"path": f"{n}"}) for n in range(300)))
    return json.dumps([json.loads(result)["error"] for result in results])


def leak(task: AgentTask) -> str:
    """Put a secret, and what no file can hold, wherever an agent can."""
    secret = os.environ["OPENAI_API_KEY"]
    task.call("file_operations_reader", {"path": secret})
    task.call(f"file_\ud800{secret}", f'{{"path": "\ud800{secret}"}}')
    raise ValueError(f"My key is {secret}\ud800")


async def say_nothing(_: AsyncAgentTask) -> None:
    return None


def first_tool(task: AgentTask) -> str:
    return str(task.tools[0]["function"]["name"])


def note(task: AgentTask | AsyncAgentTask, text: str) -> None:
    with Path("notes.txt").open("a") as file:
        print(len(task.prompt), text, file=file)
