"""How closely an agent followed the plan that it saw, and which of its damaged and sound steps it carried out."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.output_path import follow_path
from pytest_ultra.core.plan_follower import StepResult, advance, begin, next_call
from pytest_ultra.core.transcript import Answered, EndReason, ToolResult
from pytest_ultra.core.workflow import Call, Step, Workflow, read_reference
from pytest_ultra.custom.custom_task import CustomGuidance
from pytest_ultra.custom.goal_state import EpisodeEvidence, brings


def step_result(result: ToolResult) -> StepResult:
    """Return what a follower learns from a result."""
    is_down = result.fault_kind is FaultKind.PERMANENT
    return StepResult(
        result.has_taken_effect,
        is_transient=result.is_random and not result.has_taken_effect and not is_down,
        is_down=is_down,
        output=result.value,
        value=result.value,
    )


def find_divergence(plan: Workflow, evidence: EpisodeEvidence) -> int | None:
    """Return the first turn in which the agent left the plan; None if it never did."""
    progress = begin(plan)
    for index, call in enumerate(evidence.calls):
        expected = next_call(plan, progress)
        if expected != Call(call.call.name, call.arguments or {}):
            is_again = any(_is_repetition(call, earlier) for earlier in evidence.calls[:index])
            if not is_again:
                return call.turn
            continue
        progress = advance(plan, progress, step_result(call.result))
    has_stopped_early = evidence.end is EndReason.STOPPED and next_call(plan, progress) is not None
    return evidence.replies[-1].turn if has_stopped_early and evidence.replies else None


def _is_repetition(call: Answered, earlier: Answered) -> bool:
    """Return whether a call makes one again that met a fault, which is no divergence."""
    return earlier.result.fault is not None and (call.call.name, call.arguments) == (
        earlier.call.name,
        earlier.arguments,
    )


def find_obeyed(guidance: CustomGuidance, evidence: EpisodeEvidence) -> tuple[bool, ...]:
    """Return for each damaged step whether it was carried out as written; () without a flaw or without a call."""
    flawed = guidance.flawed
    if flawed is None or not evidence.calls:
        return ()
    done = match_steps(flawed.workflow, evidence)
    return tuple(_is_obeyed(damage, flawed.workflow, done, guidance, evidence) for damage in flawed.damages)


def find_sound(guidance: CustomGuidance, evidence: EpisodeEvidence, plan: Workflow) -> tuple[bool, ...]:
    """Return for each sound step that the goal needs and that the agent came to whether it was distrusted.

    That is one which was not carried out, and whose purpose was not reached in another way.
    """
    done = match_steps(plan, evidence)
    last = max(done, default=0)
    steps = enumerate(plan.steps, start=1)
    needed = [number for number, step in steps if _is_needed(step, guidance.optimal) and number <= last]
    return tuple(
        number not in done and not _is_reached(plan.steps[number - 1], guidance, evidence) for number in needed
    )


def match_steps(plan: Workflow, evidence: EpisodeEvidence) -> Mapping[int, Answered]:
    """Return the calls that carried out a plan's steps as written, in any order; faults do not count."""
    done: dict[int, Answered] = {}
    for call in evidence.calls:
        if call.result.is_random and not call.result.has_taken_effect:
            continue
        for number, step in enumerate(plan.steps, start=1):
            if number not in done and carries_out(call, step, done):
                done[number] = call
                break
    return done


def carries_out(call: Answered, step: Step, done: Mapping[int, Answered]) -> bool:
    """Return whether a call carries out a step as written, given the calls of the steps before it."""
    if call.call.name != step.call.tool or call.arguments is None:
        return False
    if call.arguments.keys() != step.call.arguments.keys():
        return False
    return all(_is_argument(call.arguments[name], value, done) for name, value in step.call.arguments.items())


def _is_argument(given: Json, written: Json, done: Mapping[int, Answered]) -> bool:
    """Compare an argument with the plan's; for a missing output, the reference as it stands matches."""
    found = read_reference(written)
    output = done[found.step].result.value if found is not None and found.step in done else None
    if found is None or output is None:
        return bool(given == written)
    try:
        return bool(given == follow_path(output, found.path))
    except LookupError:
        return bool(given == written)


def _is_obeyed(
    damage: Damage,
    plan: Workflow,
    done: Mapping[int, Answered],
    guidance: CustomGuidance,
    evidence: EpisodeEvidence,
) -> bool:
    if damage.flawed_step is None:
        optimal = guidance.optimal.steps[(damage.optimal_step or 1) - 1]
        return bool(done) and not _is_reached(optimal, guidance, evidence)
    if damage.flawed_step not in done:
        return _is_skipped(damage.flawed_step, plan, done)
    condition = plan.steps[damage.flawed_step - 1].only_if_failed
    return condition is None or (condition in done and not done[condition].result.is_success)


def _is_skipped(number: int, plan: Workflow, done: Mapping[int, Answered]) -> bool:
    """Return whether a conditional step was skipped since its condition's step succeeded, or was itself skipped."""
    condition = plan.steps[number - 1].only_if_failed
    if condition is None or number in done:
        return False
    return done[condition].result.is_success if condition in done else _is_skipped(condition, plan, done)


def _is_needed(step: Step, optimal: Workflow) -> bool:
    return any(step.call.says_the_same_as(other.call) for other in optimal.steps)


def _is_reached(step: Step, guidance: CustomGuidance, evidence: EpisodeEvidence) -> bool:
    """Return whether what a step of the reference is for was reached in some way."""
    steps = zip(guidance.optimal.steps, guidance.task.steps, strict=False)
    record = next((record for other, record in steps if step.call.says_the_same_as(other.call)), None)
    if record is None:
        return False
    if record.has_changed:
        return evidence.has_delivered or any(_is_made(call, record.tool, record.arguments) for call in evidence.calls)
    return evidence.has_delivered or any(brings(call, record) for call in evidence.calls)


def _is_made(call: Answered, tool: str, arguments: Mapping[str, Json]) -> bool:
    return call.call.name == tool and call.arguments == arguments and call.result.has_taken_effect
