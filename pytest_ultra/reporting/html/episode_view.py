"""An episode as the page of its case shows it: plan, turns, and the final world compared with the goal."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.goal_report import GoalReport, MilestoneResult
from pytest_ultra.core.guidance import AnyGuidance, Damage
from pytest_ultra.core.prices import Price
from pytest_ultra.core.transcript import Ended, Event
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.reporting.html.html_text import multi_line, one_line, safe_text
from pytest_ultra.reporting.html.turn_view import make_turn_views, price_of_turns
from pytest_ultra.reporting.html.view_records import (
    CallView,
    DamageView,
    EpisodeView,
    GoalView,
    PlanView,
    StepView,
)
from pytest_ultra.reporting.labels import END_REASONS

MAX_EVENTS = 500
"""Events of an episode that a page shows; the journal has all of them."""
_MAX_FOUND = 3
_NO_GUIDANCE = "This run's directory no longer has the task and its plans, so they and the final world are not shown."


def make_episode_view(
    episode: Episode, guidance: AnyGuidance | None, goal: GoalReport | None, price: Price | None = None
) -> EpisodeView:
    """Return the view of an episode; without guidance, as in a partial copy of a run, it has no plans and goals."""
    events = [event for event in episode.transcript if not isinstance(event, Ended)]
    view = EpisodeView(
        turns=make_turn_views(events[:MAX_EVENTS], price_of_turns(episode, price)),
        left_out=max(len(events) - MAX_EVENTS, 0),
        end=_end(episode.transcript),
        error=safe_text(episode.error or ""),
    )
    if guidance is None or goal is None:
        return _without_guidance(view, episode)
    return _with_guidance(view, episode, guidance, goal)


def _without_guidance(view: EpisodeView, episode: Episode) -> EpisodeView:
    return msgspec.structs.replace(view, note=_NO_GUIDANCE, words=safe_text(episode.plan), has_plan=bool(episode.plan))


def _with_guidance(view: EpisodeView, episode: Episode, guidance: AnyGuidance, goal: GoalReport) -> EpisodeView:
    optimal = guidance.optimal
    return msgspec.structs.replace(
        view,
        words=safe_text(guidance.task.words),
        has_plan=episode.case.prompt_type.has_plan,
        plan=_shown_plan(guidance),
        optimal=_plan(optimal, (), optimal),
        goals=tuple(map(_goal, goal.milestones)),
        harms=tuple(map(safe_text, goal.harms)),
    )


def _shown_plan(guidance: AnyGuidance) -> PlanView | None:
    """Return the plan that was shown; None if that is the optimal one."""
    if guidance.flawed:
        return _plan(guidance.flawed.workflow, guidance.flawed.damages, guidance.optimal)
    return _plan(guidance.alternative, (), guidance.optimal) if guidance.alternative else None


def _plan(workflow: Workflow, damages: Sequence[Damage], optimal: Workflow) -> PlanView:
    by_step = {damage.flawed_step: damage for damage in damages}
    steps = enumerate(workflow.steps, start=1)
    return PlanView(
        steps=tuple(_step(number, step, by_step.get(number), optimal) for number, step in steps),
        removed=tuple(_damage(damage, optimal) for damage in damages if damage.flawed_step is None),
        answer=workflow.answer,
    )


def _step(number: int, step: Step, damage: Damage | None, optimal: Workflow) -> StepView:
    return StepView(
        number=number,
        call=_call(step.call),
        fallback=_call(step.fallback) if step.fallback else None,
        only_if_failed=step.only_if_failed,
        damage=_damage(damage, optimal) if damage else None,
    )


def _damage(damage: Damage, optimal: Workflow) -> DamageView:
    number = damage.optimal_step
    return DamageView(safe_text(damage.how), number, _call(optimal.steps[number - 1].call) if number else None)


def _call(call: Call) -> CallView:
    return CallView(call.tool, tuple((name, one_line(value)) for name, value in call.arguments.items()))


def _end(events: Sequence[Event]) -> str:
    last = events[-1] if events else None
    if not isinstance(last, Ended):
        return ""
    detail = safe_text(last.detail.partition("\n")[0])
    return f"{END_REASONS[last.reason]} ({detail})" if detail else END_REASONS[last.reason]


def _goal(milestone: MilestoneResult) -> GoalView:
    return GoalView(
        milestone.is_reached,
        milestone.is_deliverable,
        safe_text(milestone.place),
        multi_line(milestone.wanted),
        tuple(multi_line(value) for value in milestone.delivered[:_MAX_FOUND]),
        tuple(safe_text(difference) for difference in milestone.differences[:_MAX_FOUND]),
    )
