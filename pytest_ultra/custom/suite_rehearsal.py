"""Following a plan to the letter on the user's own tools, in a new world, without faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pytest_ultra.benchmark.answers import read_answer
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.plan_follower import StepResult, advance, answer_text, begin, next_call
from pytest_ultra.core.transcript import GoalCheck, StateChange
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.custom.custom_task import CustomTask
from pytest_ultra.custom.episode_world import combine
from pytest_ultra.custom.goal_state import judge_goal
from pytest_ultra.custom.suite_adherence import step_result
from pytest_ultra.custom.tool_run import Stage


class SuiteRehearsal(msgspec.Struct, frozen=True):
    """See `flaws.plan_context.Rehearsal`."""

    calls: int
    done: Mapping[int, StepResult]
    effects: object
    has_delivered: bool
    has_harmed: bool


def rehearse(
    stage: Stage,
    task: CustomTask,
    workflow: Workflow,
    check: Callable[[Stage, Json], GoalCheck | None],
    *,
    left_out: int | None = None,
    wrong_outputs: Mapping[int, Json] | None = None,
    down: str | None = None,
) -> SuiteRehearsal:
    """Follow a workflow, as the reference agent `follower` does.

    The step with the number `left_out` is passed over as if it had failed; one with a number in `wrong_outputs` brings
    that value. The tool `down` is out of service.
    """
    progress, calls = begin(workflow), 0
    changes: list[StateChange] = []
    try:
        while (call := next_call(workflow, progress)) is not None:
            if progress.step == left_out:
                progress = advance(workflow, progress, StepResult(is_success=False))
                continue
            if call.tool == down:
                progress = advance(workflow, progress, StepResult(is_success=False, is_down=True))
                continue
            stage, result = stage.call(call.tool, call.arguments)
            if result.change is not msgspec.UNSET:
                changes.append(result.change)
            if wrong_outputs and progress.step in wrong_outputs:
                result = msgspec.structs.replace(result, value=wrong_outputs[progress.step])
            progress = advance(workflow, progress, step_result(result))
            calls += 1
        text = answer_text(workflow, progress)
        change, answer = combine(changes), read_answer(text)
        milestones, harms = judge_goal(task, change, answer, check(stage, answer))
    finally:
        stage.close()
    has_delivered = all(each.is_reached for each in milestones)
    return SuiteRehearsal(calls, progress.done, (change, text), has_delivered, bool(harms))


def run_check(check: Callable[[Any, Any], Any] | None, stage: Stage, answer: Json) -> GoalCheck | None:
    """Let a user's check judge the world and the answer; None without one.

    It gets the world, or the state of a world that cannot be copied. Raises TypeError for a verdict that is none.
    """
    if check is None:
        return None
    world = stage.copy().world if stage.is_copied else stage.state()
    try:
        said = check(world, answer)
    except AssertionError as error:
        return GoalCheck(0.0, str(error) or "an assertion of the check failed")
    if said is None or isinstance(said, bool):
        return GoalCheck(float(said is not False))
    if isinstance(said, int | float) and 0 <= said <= 1:
        return GoalCheck(float(said))
    name = getattr(check, "__name__", "the check")
    raise TypeError(f"the check {name} returned {said!r}; return True or False, or a share from 0 to 1, or assert")
