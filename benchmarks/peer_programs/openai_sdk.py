"""The calls by the `openai` package, all conversations at once."""

from __future__ import annotations

import asyncio

from conversations import Episode, arguments, check, converse
from openai import AsyncOpenAI


async def main() -> None:
    url, episodes = arguments()
    async with AsyncOpenAI(base_url=url, api_key="none") as client:

        async def run(episode: Episode) -> bool:
            return await converse(client, episode) == episode.last_words

        check(await asyncio.gather(*map(run, episodes)))


asyncio.run(main())
