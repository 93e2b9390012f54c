"""The conversations as samples of an Inspect task, all at once, through Inspect's own model client."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from conversations import arguments, check
from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model, messages_from_openai
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolInfo, ToolParams

URL, EPISODES = arguments()
BY_NAME = {episode.name: episode for episode in EPISODES}


@solver
def replay() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        model = get_model()
        for body in BY_NAME[str(state.sample_id)].bodies:
            messages = await messages_from_openai(body["messages"])
            state.output = await model.generate(messages, tools=[_tool(one["function"]) for one in body["tools"]])
        return state

    return solve


def _tool(function: dict[str, Any]) -> ToolInfo:
    parameters = ToolParams.model_validate(function["parameters"])
    return ToolInfo(name=function["name"], description=function["description"], parameters=parameters)


@scorer(metrics=[accuracy()])
def same_words() -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=state.output.completion == target.text)

    return score


def main() -> None:
    samples = [Sample(id=each.name, input="conversation", target=each.last_words) for each in EPISODES]
    with tempfile.TemporaryDirectory() as logs:
        (log,) = evaluate(
            Task(dataset=samples, solver=replay(), scorer=same_words()),
            model="openai-api/peers/follower",
            model_base_url=URL,
            model_args={"api_key": "none"},
            max_connections=1000,
            max_samples=len(samples),
            display="none",
            log_dir=logs,
        )
        if log.status != "success" or log.samples is None:
            sys.exit(f"{log.status}: {log.error}")
        check([bool(score.value) for sample in log.samples for score in (sample.scores or {}).values()])


main()
