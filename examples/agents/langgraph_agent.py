"""LangGraph: `pytest --ultra-agent langgraph_agent:solve@demo/follower`."""

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

from pytest_ultra import AsyncAgentTask


async def solve(task: AsyncAgentTask) -> str:
    model = ChatOpenAI(model=task.model, base_url=task.base_url, api_key="any", max_retries=0)
    agent = create_agent(model, task.callables(), system_prompt=task.system)
    limits = {"recursion_limit": 200}
    result = await agent.ainvoke({"messages": [{"role": "user", "content": task.prompt}]}, limits)
    return result["messages"][-1].text
