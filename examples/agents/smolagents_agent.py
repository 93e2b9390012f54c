"""smolagents: `pytest --ultra-agent smolagents_agent:solve@demo/follower`."""

from smolagents import OpenAIModel, ToolCallingAgent, tool

from pytest_ultra import AgentTask


def solve(task: AgentTask) -> str:
    model = OpenAIModel(task.model, api_base=task.base_url, api_key="any", client_kwargs={"max_retries": 0})
    agent = ToolCallingAgent([tool(function) for function in task.callables()], model, instructions=task.system)
    return str(agent.run(task.prompt, max_steps=100))
