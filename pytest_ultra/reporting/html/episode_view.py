"""An episode made ready for the viewer: plan, turns, and the world's end beside the goal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.goal_report import GoalReport, MilestoneResult
from pytest_ultra.core.guidance import AnyGuidance, Damage
from pytest_ultra.core.transcript import Ended, Event
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.reporting.html.event_view import show_event
from pytest_ultra.reporting.html.html_text import laid_out, shown, shown_value
from pytest_ultra.reporting.html.view_records import (
    CallPiece,
    DamagePiece,
    EpisodePiece,
    EventPiece,
    GoalPiece,
    PlanPiece,
    StepPiece,
    TurnPiece,
)
from pytest_ultra.reporting.labels import END_REASONS

MOST_EVENTS = 500
"""Events of an episode that a page shows; the journal has them all."""
_MOST_FOUND = 3
_NO_GUIDANCE = "The task and its plans are not beside this run any more, so neither they nor the world's end are shown."


def show_episode(episode: Episode, guidance: AnyGuidance | None, goal: GoalReport | None) -> EpisodePiece:
    """Lay out an episode; without guidance, which a run that was not copied as a whole lacks, only what it holds."""
    events = [event for event in episode.transcript if not isinstance(event, Ended)]
    piece = EpisodePiece(
        turns=tuple(_turns(events[:MOST_EVENTS])),
        left_out=max(len(events) - MOST_EVENTS, 0),
        end=_end(episode.transcript),
        error=shown(episode.error or ""),
    )
    if guidance is None or goal is None:
        return _without_guidance(piece, episode)
    return _with_guidance(piece, episode, guidance, goal)


def _without_guidance(piece: EpisodePiece, episode: Episode) -> EpisodePiece:
    return msgspec.structs.replace(piece, note=_NO_GUIDANCE, words=shown(episode.plan), has_plan=bool(episode.plan))


def _with_guidance(piece: EpisodePiece, episode: Episode, guidance: AnyGuidance, goal: GoalReport) -> EpisodePiece:
    flawed, optimal = guidance.flawed, guidance.optimal
    return msgspec.structs.replace(
        piece,
        words=shown(guidance.task.words),
        has_plan=episode.case.prompt_type.has_plan,
        plan=_plan(flawed.workflow, flawed.damages, optimal) if flawed else None,
        optimal=_plan(optimal, (), optimal),
        goals=tuple(map(_goal, goal.milestones)),
        harms=tuple(map(shown, goal.harms)),
    )


def _plan(workflow: Workflow, damages: Sequence[Damage], optimal: Workflow) -> PlanPiece:
    by_step = {damage.flawed_step: damage for damage in damages}
    steps = enumerate(workflow.steps, start=1)
    return PlanPiece(
        steps=tuple(_step(number, step, by_step.get(number), optimal) for number, step in steps),
        gone=tuple(_damage(damage, optimal) for damage in damages if damage.flawed_step is None),
        answer=workflow.answer,
    )


def _step(number: int, step: Step, damage: Damage | None, optimal: Workflow) -> StepPiece:
    return StepPiece(
        number=number,
        call=_call(step.call),
        fallback=_call(step.fallback) if step.fallback else None,
        only_if_failed=step.only_if_failed,
        damage=_damage(damage, optimal) if damage else None,
    )


def _damage(damage: Damage, optimal: Workflow) -> DamagePiece:
    number = damage.optimal_step
    return DamagePiece(shown(damage.how), number, _call(optimal.steps[number - 1].call) if number else None)


def _call(call: Call) -> CallPiece:
    return CallPiece(call.tool, tuple((name, shown_value(value)) for name, value in call.arguments.items()))


def _turns(events: Iterable[Event]) -> Iterator[TurnPiece]:
    for number, group in groupby(events, key=lambda event: 0 if isinstance(event, Ended) else event.turn):
        pieces = tuple(piece for event in group for piece in show_event(event))
        if pieces:
            yield TurnPiece(number, pieces, _marker(pieces))


def _marker(pieces: Iterable[EventPiece]) -> str:
    deeds = [(piece.call, piece.result) for piece in pieces if piece.call is not None]
    return hashlib.blake2b(repr(deeds).encode(), digest_size=4).hexdigest() if deeds else ""


def _end(events: Sequence[Event]) -> str:
    last = events[-1] if events else None
    if not isinstance(last, Ended):
        return ""
    detail = shown(last.detail.partition("\n")[0])
    return f"{END_REASONS[last.reason]} ({detail})" if detail else END_REASONS[last.reason]


def _goal(milestone: MilestoneResult) -> GoalPiece:
    return GoalPiece(
        milestone.is_reached,
        milestone.is_deliverable,
        shown(milestone.place),
        laid_out(milestone.wanted),
        tuple(laid_out(value) for value in milestone.delivered[:_MOST_FOUND]),
    )
