"""The conversations as test cases of DeepEval, all at once; a metric makes the calls by the `openai` package."""

from __future__ import annotations

from typing import Any

from conversations import arguments, check, converse
from deepeval import evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase
from openai import AsyncOpenAI

URL, EPISODES = arguments()
BY_NAME = {episode.name: episode for episode in EPISODES}


class SameWords(BaseMetric):
    """Makes the calls of a conversation, and compares its last words with the recorded ones."""

    def __init__(self) -> None:
        self.threshold = 1.0
        self.async_mode = True

    async def a_measure(self, test_case: LLMTestCase, *_: Any, **__: Any) -> float:
        episode = BY_NAME[str(test_case.input)]
        async with AsyncOpenAI(base_url=URL, api_key="none") as client:
            self.score = float(await converse(client, episode) == episode.last_words)
        self.success = self.score == 1
        return self.score

    def measure(self, test_case: LLMTestCase, *_: Any, **__: Any) -> float:
        raise NotImplementedError

    def is_successful(self) -> bool:
        return bool(self.success)

    @property
    def __name__(self) -> str:
        return "same words"


def main() -> None:
    cases = [LLMTestCase(input=name, actual_output="made by the metric") for name in BY_NAME]
    result = evaluate(
        cases,
        [SameWords()],
        async_config=AsyncConfig(max_concurrent=len(cases), throttle_value=0),
        display_config=DisplayConfig(show_indicator=False, print_results=False),
        cache_config=CacheConfig(write_cache=False, use_cache=False),
    )
    check([bool(test.success) for test in result.test_results])


main()
