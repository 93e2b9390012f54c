"""The calls by the `openai` package, all conversations at once."""

from __future__ import annotations

import asyncio

from conversations import Episode, arguments, check
from openai import AsyncOpenAI


async def main() -> None:
    url, episodes = arguments()
    async with AsyncOpenAI(base_url=url, api_key="none") as client:

        async def run(episode: Episode) -> bool:
            words = ""
            for body in episode.bodies:
                reply = await client.chat.completions.create(**body)
                words = str(reply.choices[0].message.content)
            return words == episode.last_words

        check(await asyncio.gather(*map(run, episodes)))


asyncio.run(main())
