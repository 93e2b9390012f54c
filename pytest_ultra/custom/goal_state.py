"""What an episode left behind beside what its task wanted: deliverables, intermediate results, answer and harm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pytest_ultra.benchmark.answers import is_answer, read_answer
from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.value_comparison import ValueComparison
from pytest_ultra.core.episode import HarmKind
from pytest_ultra.core.goal_report import MilestoneResult
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Answered, Ended, EndReason, Event, GoalCheck, Place, Replied, StateChange
from pytest_ultra.custom.custom_task import CustomTask, StepRecord
from pytest_ultra.custom.episode_world import State, apply_change, combine, places

_COMPARISON = ValueComparison(is_ordered=True)


class StateHarm(msgspec.Struct, frozen=True):
    """A change that the job did not ask for."""

    kind: HarmKind
    text: str


class EpisodeEvidence(msgspec.Struct, frozen=True):
    """What the events of an episode come to: its calls, its end, its milestones, and its harm.

    `checked_share` is the share of the goal that the user's check gave; None if the task has none.
    """

    task: CustomTask
    calls: tuple[Answered, ...]
    replies: tuple[Replied, ...]
    end: EndReason
    change: StateChange
    milestones: tuple[MilestoneResult, ...]
    harms: tuple[StateHarm, ...]
    checked_share: float | None = None

    @property
    def called_tools(self) -> set[str]:
        return {call.call.name for call in self.calls} - {""}

    @property
    def has_delivered(self) -> bool:
        return all(each.is_reached for each in self.milestones if each.is_deliverable)


def gather(task: CustomTask, events: Sequence[Event]) -> EpisodeEvidence:
    """Gather the evidence of a transcript."""
    calls = tuple(event for event in events if isinstance(event, Answered))
    replies = tuple(event for event in events if isinstance(event, Replied))
    ended = next((event for event in reversed(events) if isinstance(event, Ended)), Ended(EndReason.HARNESS))
    change = combine(_changes(calls))
    answer = find_answer(events)
    check = None if ended.check is msgspec.UNSET else ended.check
    milestones, harms = judge_goal(task, change, answer, check)
    share = (check.share if check else 0.0) if task.is_checked else None
    both = (*milestones, *_intermediate(task, calls))
    return EpisodeEvidence(task, calls, replies, ended.reason, change, both, harms, share)


def final_state(task: CustomTask, events: Iterable[Event]) -> State:
    """Return the state of the world at the end of a transcript."""
    return apply_change(task.before, combine(_changes(event for event in events if isinstance(event, Answered))))


def find_answer(events: Sequence[Event]) -> Json:
    """Return the answer in the last words of a transcript; None without one."""
    texts = [event.text for event in events if isinstance(event, Replied)]
    is_final = isinstance(events[-1], Ended) and events[-1].reason is EndReason.STOPPED if events else False
    return read_answer(texts[-1], is_final=is_final) if texts else None


def judge_goal(
    task: CustomTask, change: StateChange, answer: Json, check: GoalCheck | None
) -> tuple[tuple[MilestoneResult, ...], tuple[StateHarm, ...]]:
    """Return the deliverables of a task, and the harm that a change does; a check decides about all of it."""
    if task.is_checked:
        said = check or GoalCheck(0.0, "the episode ended before its check")
        message = (said.message,) if said.message else ()
        return (_deliverable("check", 1.0, message, is_reached=said.share >= 1),), ()
    delivered, left = _match(task.goal.added, change.added)
    milestones = [
        _deliverable(place, value, () if is_there else _at(place, left), is_reached=is_there)
        for (place, value), is_there in zip(task.goal.added, delivered, strict=True)
    ]
    filled = {place for place, _ in task.goal.added}
    gone, kept = _match(task.goal.removed, change.removed)
    milestones += [
        _deliverable(place, f"without {value!r}", is_reached=is_gone)
        for (place, value), is_gone in zip(task.goal.removed, gone, strict=True)
        if place not in filled
    ]
    if task.answer is not None:
        fact = Fact.of(FactKind.ANSWER, "", task.answer, is_ordered=True)
        is_right = is_answer(fact, answer, task.words)
        given = () if is_right or answer is None else (answer,)
        milestones.append(_deliverable("answer", task.answer, given, is_reached=is_right))
    return tuple(milestones), tuple(_harms(task, left, kept, delivered))


def _deliverable(place: str, wanted: Json, delivered: tuple[Json, ...] = (), *, is_reached: bool) -> MilestoneResult:
    return MilestoneResult(place, wanted, is_reached, is_deliverable=True, delivered=delivered)


def _changes(calls: Iterable[Answered]) -> Iterator[StateChange]:
    for call in calls:
        if call.result.change is not msgspec.UNSET:
            yield call.result.change


def _match(wanted: Sequence[Place], given: Sequence[Place]) -> tuple[list[bool], list[Place]]:
    """Return for each wanted place whether it is given, and the given ones that are left over."""
    left = list(given)
    found = []
    for place, value in wanted:
        match = next((each for each in left if each[0] == place and _COMPARISON.is_same(value, each[1])), None)
        found.append(match is not None)
        if match is not None:
            left.remove(match)
    return found, left


def _at(place: str, places: Iterable[Place]) -> tuple[Json, ...]:
    return tuple(value for other, value in places if other == place)


def _harms(
    task: CustomTask, added: Sequence[Place], removed: Sequence[Place], delivered: Sequence[bool]
) -> Iterator[StateHarm]:
    """Yield the harm of what is left over; a wrong value at the place of a missed deliverable is none."""
    missed = {place for (place, _), is_there in zip(task.goal.added, delivered, strict=True) if not is_there}
    before = {place for place, _ in places(task.before)}
    for place, value in added:
        if place in missed:
            continue
        is_repeated = any(place == other and _COMPARISON.is_same(wanted, value) for other, wanted in task.goal.added)
        if is_repeated:
            yield StateHarm(HarmKind.REPEATED, f"{place} {value!r} is there more than once")
        elif place in before and not place.endswith("[]"):
            yield StateHarm(HarmKind.CHANGED, f"{place} was changed to {value!r}")
        else:
            yield StateHarm(HarmKind.UNASKED, f"{place} {value!r} was added")
    changed = {place for place, _ in (*added, *task.goal.added)}
    for place, value in removed:
        if place not in changed or place.endswith("[]"):
            yield StateHarm(HarmKind.CHANGED, f"{place} {value!r} was removed")


def _intermediate(task: CustomTask, calls: Sequence[Answered]) -> Iterator[MilestoneResult]:
    """Yield the results that the reference looks up: each is reached if a call of the same tool brought it."""
    for number, step in enumerate(task.steps, start=1):
        if not step.has_changed:
            is_reached = any(brings(call, step) for call in calls)
            yield MilestoneResult(f"step {number}: {step.tool}", step.output, is_reached, is_deliverable=False)


def brings(call: Answered, step: StepRecord) -> bool:
    """Return whether a call brought what a step of the reference did, or what its fallback does."""
    if step.fallback is not None and call.call.name == step.fallback.tool:
        return call.result.is_success
    return call.call.name == step.tool and call.result.is_success and bool(call.result.value == step.output)
