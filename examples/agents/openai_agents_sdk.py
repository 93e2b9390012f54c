"""OpenAI Agents SDK: `pytest --ultra-agent openai_agents_sdk:solve@demo/follower`."""

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

from pytest_ultra import AsyncAgentTask

set_tracing_disabled(disabled=True)


async def solve(task: AsyncAgentTask) -> str:
    async with AsyncOpenAI(base_url=task.base_url, api_key="any", max_retries=0) as client:
        model = OpenAIChatCompletionsModel(task.model, client)
        tools = [function_tool(function, strict_mode=False) for function in task.callables()]
        agent = Agent("worker", instructions=task.system, model=model, tools=tools)
        result = await Runner.run(agent, task.prompt, max_turns=100)
        return str(result.final_output)
