"""Runs one episode, of a model or of a user's own agent, to its end, where it is scored."""

from __future__ import annotations

import asyncio

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.suite import EpisodeRules
from pytest_ultra.engine.agent_runtime import AgentRuntime
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.model_episode import ModelEpisode
from pytest_ultra.engine.retry import Caller
from pytest_ultra.engine.running_episode import RunningEpisode


async def run_episode(
    assignment: Assignment, caller: Caller, *, worker: str, rules: EpisodeRules, agents: AgentRuntime | None = None
) -> Episode:
    """Run an assignment to its end. Every failure is a value in the episode; only cancellation is raised.

    `agents` runs the cases of users' own agents.
    """
    run: RunningEpisode = ModelEpisode(assignment, caller, rules)
    try:
        if agents is not None and assignment.case.agent:
            from pytest_ultra.engine.agent_episode import AgentEpisode  # noqa: PLC0415 - only own agents need it

            run = AgentEpisode(assignment, caller, rules, agents)
        await run.run()
        run.score()
    except BaseException as error:  # hooks raise BaseException too (`pytest.fail`); other episodes must go on
        if _is_cancellation(error):
            raise
        run.fail(error)
    return run.episode(worker)


def _is_cancellation(error: BaseException) -> bool:
    """Return whether our own task is cancelled: a cancellation may also leak out of an endpoint's inner task."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
