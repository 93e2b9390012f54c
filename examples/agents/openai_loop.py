"""A plain loop around the openai package: `pytest --ultra-agent openai_loop:solve@demo/follower`."""

from openai import AsyncOpenAI

from pytest_ultra import AsyncAgentTask


async def solve(task: AsyncAgentTask) -> str:
    messages = task.messages()
    async with AsyncOpenAI(base_url=task.base_url, api_key="any", max_retries=0) as client:
        while True:
            reply = await client.chat.completions.create(model=task.model, messages=messages, tools=task.tools)
            message = reply.choices[0].message
            if not message.tool_calls:
                return message.content or ""
            messages.append(message)
            messages += [await task.answer(call) for call in message.tool_calls]
