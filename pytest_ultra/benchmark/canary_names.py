"""The names of the canary variant: pseudo-words for tools and entities, task by task, to expose memorised answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from random import Random

import msgspec

from pytest_ultra.benchmark.task import BenchmarkGuidance, Task
from pytest_ultra.benchmark.tools import CATEGORIES, TOOLS
from pytest_ultra.core.axes import PromptVariant
from pytest_ultra.core.bounds import parse_arguments
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.json_types import Json, ToolSchema
from pytest_ultra.core.transcript import ToolCall, ToolResult
from pytest_ultra.core.workflow import Call, Step, Workflow


class Renaming(msgspec.Struct, frozen=True):
    """A swap of names: each word is replaced by its pseudo-word and vice versa, and so are a tool's two names.

    Swapping twice restores any text. So one function works in both directions, no two names collide, and a name
    used from memory does not exist here. Words are runs of letters, so that names which tools compose
    (`sum_amount`) follow their parts.
    """

    words: dict[str, str] = {}
    tools: dict[str, str] = {}

    def text(self, text: str) -> str:
        return _IDENTIFIER.sub(self._swap, text) if self.tools else text

    def value(self, value: Json) -> Json:
        """Swap the names in every text of a JSON value, keys included."""
        if not self.tools:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        return [self.value(item) for item in value] if isinstance(value, list) else value

    def call(self, call: ToolCall) -> ToolCall:
        """Swap the names in a call; arguments that are not a JSON object stay as they were sent."""
        arguments = parse_arguments(call.arguments) if self.tools else None
        text = call.arguments if arguments is None else msgspec.json.encode(self.value(arguments)).decode()
        return ToolCall(call.id, self.text(call.name), text)

    def result(self, result: ToolResult) -> ToolResult:
        changed = {"value": self.value(result.value), "message": self.text(result.message)}
        return msgspec.structs.replace(result, **changed) if self.tools else result

    def schema(self, schema: ToolSchema) -> ToolSchema:
        """Swap the tool's name alone: schemas name no entities."""
        function = schema["function"]
        return {**schema, "function": {**function, "name": self.text(function["name"])}} if self.tools else schema

    def guidance(self, guidance: BenchmarkGuidance) -> BenchmarkGuidance:
        """Swap the names in the parts that are shown: the task's words and the workflows."""
        if not self.tools:
            return guidance
        task = msgspec.structs.replace(guidance.task, words=self.text(guidance.task.words))
        flawed = guidance.flawed
        if flawed is not None:
            flawed = msgspec.structs.replace(flawed, workflow=self.workflow(flawed.workflow))
        alternative = guidance.alternative and self.workflow(guidance.alternative)
        return Guidance(task, self.workflow(guidance.optimal), flawed, alternative)

    def workflow(self, workflow: Workflow) -> Workflow:
        if not self.tools:
            return workflow
        return msgspec.structs.replace(workflow, steps=tuple(self._step(step) for step in workflow.steps))

    def _step(self, step: Step) -> Step:
        fallback = self._plan_call(step.fallback) if step.fallback else None
        return msgspec.structs.replace(step, call=self._plan_call(step.call), fallback=fallback)

    def _plan_call(self, call: Call) -> Call:
        return Call(self.text(call.tool), self.value(call.arguments))

    def _swap(self, match: re.Match[str]) -> str:
        return self.tools.get(match[0]) or _LETTERS.sub(self._swap_word, match[0])

    def _swap_word(self, match: re.Match[str]) -> str:
        word = match[0]
        other = self.words.get(word.lower())
        change = next((change for change in _CASES if change(word) == word), None)
        return word if other is None or change is None else change(other)


NO_RENAMING = Renaming()


def renaming_of(case: Case, task: Task) -> Renaming:
    """Return the renaming with which a case shows its task; only the canary variant renames anything."""
    return draw_renaming(task) if case.prompt_variant is PromptVariant.CANARY else NO_RENAMING


def draw_renaming(task: Task) -> Renaming:
    """Draw names for all tools and for the entities of a task; the same for all cases of the task."""
    from pytest_ultra.benchmark.vocabulary import (  # noqa: PLC0415 - it imports the generator's words
        PROTECTED,
        entity_words,
        words_in,
    )

    key = task.key
    rng = Random(f"canary/{key.seed}/{key.task_type}/{key.difficulty}/{key.instance}")
    entities = entity_words(task)
    pseudo_words = _draw_pseudo_words(rng, PROTECTED | set(entities) | words_in(task.words))
    categories = {category: next(pseudo_words) for category in CATEGORIES}
    tools = {name: f"{categories[tool.category]}_{next(pseudo_words)}" for name, tool in TOOLS.items()}
    words = {word: next(pseudo_words) for word in entities}
    return Renaming(_both_ways(words), _both_ways(tools))


_IDENTIFIER = re.compile(r"[A-Za-z0-9_]+")
_LETTERS = re.compile(r"[A-Za-z]+")
_CASES: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.capitalize)
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_SYLLABLES = (2, 2, 3)


def _draw_pseudo_words(rng: Random, taken: Iterable[str]) -> Iterator[str]:
    """Yield pseudo-words endlessly, without duplicates and without any of `taken`."""
    known = set(taken)
    while True:
        syllables = rng.choice(_SYLLABLES)
        word = "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(syllables))
        word += rng.choice(_CONSONANTS)
        if word not in known:
            known.add(word)
            yield word


def _both_ways(names: dict[str, str]) -> dict[str, str]:
    return names | {other: name for name, other in names.items()}
