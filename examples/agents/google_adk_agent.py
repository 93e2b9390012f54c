"""Google ADK: `pytest --ultra-agent google_adk_agent:solve@demo/follower`."""

from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai.types import Content, Part

from pytest_ultra import AsyncAgentTask


async def solve(task: AsyncAgentTask) -> str:
    model = LiteLlm(f"openai/{task.model}", api_base=task.base_url, api_key="any", num_retries=0)
    agent = LlmAgent(name="worker", model=model, instruction=lambda _: task.system, tools=task.callables())
    runner = InMemoryRunner(agent, app_name="ultra")
    session = await runner.session_service.create_session(app_name="ultra", user_id="ultra")
    job = Content(role="user", parts=[Part(text=task.prompt)])
    events = [e async for e in runner.run_async(user_id="ultra", session_id=session.id, new_message=job)]
    return "".join(part.text or "" for part in events[-1].content.parts)
