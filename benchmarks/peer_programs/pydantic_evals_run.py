"""The conversations as cases of a Pydantic Evals dataset, all at once; the calls are those of the `openai` package."""

from __future__ import annotations

import asyncio
from functools import partial

from conversations import arguments, check, converse
from openai import AsyncOpenAI
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EqualsExpected


async def main() -> None:
    url, episodes = arguments()
    cases = [Case(name=each.name, inputs=each, expected_output=each.last_words) for each in episodes]
    dataset = Dataset(name="peers", cases=cases, evaluators=[EqualsExpected()])
    async with AsyncOpenAI(base_url=url, api_key="none") as client:
        report = await dataset.evaluate(partial(converse, client), name="peers", progress=False)
    check([bool(result.value) for case in report.cases for result in case.assertions.values()])
    if len(report.cases) != len(episodes):
        raise SystemExit(f"{len(report.failures)} conversations failed")


asyncio.run(main())
