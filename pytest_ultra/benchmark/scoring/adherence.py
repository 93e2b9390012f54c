"""Plan adherence: how closely a model followed the plan that it saw, and how many damaged steps it carried out."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.benchmark.goal import deliverables_on, made_milestones
from pytest_ultra.benchmark.rehearsal import step_result
from pytest_ultra.benchmark.scoring.evidence import MISSING_INPUT, Evidence
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.benchmark.tools.call_targets import look_up_of
from pytest_ultra.core.axes import FaultKind, FlawKind, PromptType
from pytest_ultra.core.guidance import Damage, FlawedWorkflow
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.plan_follower import Progress, advance, begin, next_call
from pytest_ultra.core.transcript import Answered, EndReason
from pytest_ultra.core.workflow import Call, Step, Workflow, referenced_step
from pytest_ultra.flaws.candidate import renumber
from pytest_ultra.flaws.sequence_disorder import OTHER_ORDER


def shown_plan(guidance: BenchmarkGuidance, prompt_type: PromptType) -> Workflow | None:
    """Return the plan in the prompt of this prompt type; None if it has none."""
    return guidance.shown(prompt_type)


def first_divergence(evidence: Evidence, plan: Workflow) -> int | None:
    """Return the first turn in which the model deviated from the plan; None if it never did.

    Stopping before the plan is done is a deviation; reaching a limit is not, and neither is what deals with a fault:
    looking after a lost reply, making a call again that brought a wrong result, and another call in place of a step
    whose tool is down.
    """
    progress, down = begin(plan), None
    for index, call in enumerate(evidence.calls):
        earlier, result = evidence.calls[:index], step_result(call.result)
        if _looks_after_lost_reply(call, earlier):
            continue
        if outputs := _outputs_of_wrong_call(call, earlier):
            progress = _with_output(progress, outputs, call.result.handle)
            continue
        if any(_is_call(call, option, progress) for option in _expected(plan, progress)):
            down = progress.step if result.is_down else down
            progress = advance(plan, progress, result)
        elif down is None:
            return call.turn
        elif not result.is_transient:
            progress = msgspec.structs.replace(progress, done={**progress.done, down: result})
            down = None
    has_stopped_early = evidence.end is EndReason.STOPPED and next_call(plan, progress) is not None
    return evidence.replies[-1].turn if has_stopped_early and evidence.replies else None


def obeyed_damages(evidence: Evidence) -> tuple[bool, ...]:
    """Return for each damaged step whether it was carried out as written; () without a flaw or without a call."""
    flawed = evidence.guidance.flawed
    if flawed is None or not evidence.calls:
        return ()
    done = _match_steps(flawed, evidence)
    return tuple(_is_obeyed(damage, flawed, done, evidence) for damage in flawed.damages)


def _looks_after_lost_reply(call: Answered, earlier: Sequence[Answered]) -> bool:
    lost = [event for event in earlier if event.result.fault_kind is FaultKind.LOST_REPLY]
    return any(_as_call(call) == look_up_of(_as_call(event)) for event in lost)


def _outputs_of_wrong_call(call: Answered, earlier: Sequence[Answered]) -> list[Json]:
    """Return the handles that earlier calls equal to this one made, if one of them brought a wrong result."""
    same = [event for event in earlier if _as_call(event) == _as_call(call)]
    is_wrong = any(event.result.fault_kind is FaultKind.IMPLICIT for event in same)
    return [event.result.handle for event in same if event.result.handle] if is_wrong else []


def _as_call(event: Answered) -> Call:
    return Call(event.call.name, event.arguments or {})


def _with_output(progress: Progress, old: Sequence[Json], new: Json) -> Progress:
    """Let a step have another output in place of one of the old, if a call brought one."""
    changed = {
        number: msgspec.structs.replace(result, output=new) if new and result.output in old else result
        for number, result in progress.done.items()
    }
    return msgspec.structs.replace(progress, done=changed)


def _expected(plan: Workflow, progress: Progress) -> list[Call]:
    """Return the calls that the plan allows now: the step's and, after a fault, also its fallback."""
    if progress.step > len(plan.steps):
        return []
    step = plan.steps[progress.step - 1]
    return [step.call, step.fallback] if progress.is_on_fallback and step.fallback else [step.call]


def _is_call(event: Answered, call: Call, progress: Progress) -> bool:
    outputs = {number: seen.output for number, seen in progress.done.items()}
    return event.call.name == call.tool and _has_arguments(event, call, outputs)


def _has_arguments(event: Answered, call: Call, outputs: dict[int, Json]) -> bool:
    given = event.arguments
    if given is None or given.keys() != call.arguments.keys():
        return False
    return all(_is_argument(given[name], value, outputs) for name, value in call.arguments.items())


def _is_argument(given: Json, written: Json, outputs: dict[int, Json]) -> bool:
    """Compare an argument with the plan's. For a missing output, any unknown handle matches."""
    step = referenced_step(written)
    if step is None:
        return bool(given == written)
    if outputs.get(step) is not None:
        return bool(given == outputs[step])
    return isinstance(given, str) and given not in outputs.values()


class CompletedSteps(msgspec.Struct, frozen=True):
    """The calls that carried out a plan's steps, by step number: as written, or in any way (also as it should be)."""

    as_written: dict[int, Answered]
    in_any_way: dict[int, Answered]


def _match_steps(flawed: FlawedWorkflow, evidence: Evidence) -> CompletedSteps:
    """Find the call that carried out each step of the plan, in any order; faults do not count.

    A call that does a damaged step correctly counts as that step: later steps can use its output, and the call
    is not mistaken for another step.
    """
    done = CompletedSteps({}, {})
    written = dict(enumerate(flawed.workflow.steps, start=1))
    right = _correct_steps(flawed, evidence.guidance.optimal)
    for event in evidence.calls:
        if not event.result.has_taken_effect and event.result.is_random:
            continue
        earlier = done.in_any_way.keys()
        outputs = {number: call.result.handle for number, call in done.in_any_way.items()}
        is_written = {number for number, step in written.items() if carries_out(event, step, outputs)} - earlier
        is_right = {number for number, step in right.items() if carries_out(event, step, outputs)}
        number = min(is_written | (is_right - earlier) or is_right, default=None)
        if number in is_written:
            done.as_written[number] = event
        if number is not None:
            done.in_any_way[number] = event
    return done


_REARRANGING = (FlawKind.SEQUENCE_DISORDER, FlawKind.MISSING_STEP, FlawKind.REDUNDANT_OPERATIONS)
"""Flaw kinds whose damaged steps are no other versions of the optimal plan's steps."""


def _correct_steps(flawed: FlawedWorkflow, optimal: Workflow) -> dict[int, Step]:
    """Return the correct versions of the damaged steps, in the numbers of the flawed plan.

    The plan can have further steps that do no harm. A version that builds on a step that it lacks is left out.
    """
    if flawed.kind in _REARRANGING:
        return {}
    number = _numbers_in(flawed, optimal)
    damaged = {damage.optimal_step: damage.flawed_step for damage in flawed.damages}
    return {
        place: renumber(Step(optimal.steps[right - 1].call), number)
        for right, place in damaged.items()
        if right and place and all(step in number for step in optimal.steps[right - 1].call.references)
    }


def _numbers_in(flawed: FlawedWorkflow, optimal: Workflow) -> dict[int, int]:
    """Return the numbers in the flawed plan of the optimal plan's steps, damaged or as they are."""
    number = {
        damage.optimal_step: damage.flawed_step
        for damage in flawed.damages
        if damage.optimal_step and damage.flawed_step
    }
    for right, step in enumerate(optimal.steps, start=1):
        free = (
            place
            for place, other in enumerate(flawed.workflow.steps, start=1)
            if place not in number.values() and step.call.says_the_same_as(other.call)
        )
        place = number.get(right) or next(free, None)
        if place is not None:
            number[right] = place
    return number


def carries_out(event: Answered, step: Step, outputs: dict[int, Json]) -> bool:
    """Return whether a call carries out a step as written, given the outputs of the steps done before it."""
    return event.call.name == step.call.tool and _has_arguments(event, step.call, outputs)


def _is_obeyed(damage: Damage, flawed: FlawedWorkflow, done: CompletedSteps, evidence: Evidence) -> bool:
    place = damage.optimal_step
    if damage.flawed_step is None:
        return place is not None and _is_left_out(place, flawed, done) and not _is_compensated(place, evidence)
    event = done.as_written.get(damage.flawed_step)
    if event is None:
        return _is_skipped(damage.flawed_step, flawed, done)
    if damage.kind is FlawKind.SEQUENCE_DISORDER:
        if damage.way != OTHER_ORDER:
            return event.result.code in MISSING_INPUT
        return place is not None and _is_out_of_order(damage.flawed_step, place, done, evidence, flawed)
    condition = flawed.workflow.steps[damage.flawed_step - 1].only_if_failed
    return condition is None or (condition in done.in_any_way and not done.in_any_way[condition].result.is_success)


def _is_out_of_order(
    own: int, own_place: int, done: CompletedSteps, evidence: Evidence, flawed: FlawedWorkflow
) -> bool:
    """Return whether a step was done on the side of another on which the plan has it, and not the optimal plan.

    `own` is its number in the plan, `own_place` that in the optimal plan.
    """
    turns = {number: evidence.calls.index(event) for number, event in done.in_any_way.items()}
    for number, turn in turns.items():
        place = _place_of(flawed.workflow.steps[number - 1].call, evidence.guidance.optimal)
        is_crossed = place is not None and (number < own) != (place < own_place)
        if is_crossed and (turn < turns[own]) == (number < own):
            return True
    return False


def _place_of(call: Call, optimal: Workflow) -> int | None:
    """Return the number of the optimal step with the same tool and literals."""
    numbers = enumerate(optimal.steps, start=1)
    return next((number for number, step in numbers if step.call.says_the_same_as(call)), None)


def _is_left_out(place: int, flawed: FlawedWorkflow, done: CompletedSteps) -> bool:
    """Return whether the model went past the place of a missing step: did a step after it, or the plan's last step.

    `place` is the step's number in the optimal plan.
    """
    missing = {damage.optimal_step for damage in flawed.damages if damage.flawed_step is None}
    after = 1 + sum(number not in missing for number in range(1, place))
    steps = enumerate(flawed.workflow.steps, start=1)
    last = max((number for number, step in steps if step.only_if_failed is None), default=1)
    return any(number in done.as_written for number in range(min(after, last), last + 1))


def _is_skipped(number: int, flawed: FlawedWorkflow, done: CompletedSteps) -> bool:
    """Return whether a conditional step was skipped because its condition's step succeeded, or was itself skipped."""
    condition = flawed.workflow.steps[number - 1].only_if_failed
    if condition is None or number in done.in_any_way:
        return False
    if condition in done.in_any_way:
        return done.in_any_way[condition].result.is_success
    return _is_skipped(condition, flawed, done)


def _is_compensated(place: int, evidence: Evidence) -> bool:
    """Return whether the milestone of a missing step was made nevertheless, or everything that needs it delivered.

    A deliverable can be right by luck without the step; it alone does not show that the step was done.
    """
    task, step = evidence.task, evidence.guidance.optimal.steps[place - 1]
    made = made_milestones(task, evidence.world, evidence.answer)
    wanted = {action.reaches for action in task.actions if action.call.says_the_same_as(step.call)}
    return any(
        made[index] or all(evidence.milestones[other] for other in deliverables_on(task, index)) for index in wanted
    )
