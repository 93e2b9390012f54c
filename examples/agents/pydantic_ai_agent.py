"""Pydantic AI: `pytest --ultra-agent pydantic_ai_agent:solve@demo/follower`."""

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from pytest_ultra import AsyncAgentTask


async def solve(task: AsyncAgentTask) -> str:
    model = OpenAIChatModel(task.model, provider=OpenAIProvider(base_url=task.base_url, api_key="any"))
    agent = Agent(model, instructions=task.system, tools=task.callables())
    result = await agent.run(task.prompt)
    return result.output
