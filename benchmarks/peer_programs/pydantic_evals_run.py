"""The conversations as cases of a Pydantic Evals dataset, all at once; the calls are those of the `openai` package."""

from __future__ import annotations

import asyncio

from conversations import Episode, arguments, check
from openai import AsyncOpenAI
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EqualsExpected


async def main() -> None:
    url, episodes = arguments()
    cases = [Case(name=each.name, inputs=each, expected_output=each.last_words) for each in episodes]
    dataset = Dataset(name="peers", cases=cases, evaluators=[EqualsExpected()])
    async with AsyncOpenAI(base_url=url, api_key="none") as client:

        async def run(episode: Episode) -> str:
            words = ""
            for body in episode.bodies:
                reply = await client.chat.completions.create(**body)
                words = str(reply.choices[0].message.content)
            return words

        report = await dataset.evaluate(run, progress=False)
    check([bool(result.value) for case in report.cases for result in case.assertions.values()])
    if len(report.cases) != len(episodes):
        raise SystemExit(f"{len(report.failures)} conversations failed")


asyncio.run(main())
