"""The calls by aiohttp alone, all conversations at once."""

from __future__ import annotations

import asyncio

import aiohttp
from conversations import Episode, arguments, check


async def main() -> None:
    url, episodes = arguments()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def run(episode: Episode) -> bool:
            words = ""
            for body in episode.bodies:
                async with session.post(f"{url}/chat/completions", json=body) as response:
                    response.raise_for_status()
                    words = str((await response.json())["choices"][0]["message"]["content"])
            return words == episode.last_words

        check(await asyncio.gather(*map(run, episodes)))


asyncio.run(main())
