"""The text of a failed item: outcome, job, plan, transcript with the turn at which the model left the plan, goal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice, zip_longest
from typing import assert_never

from pytest_ultra.core.axes import FaultKind, PromptVariant, ToolProtocol
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score
from pytest_ultra.core.goal_report import GoalReport, MilestoneResult
from pytest_ultra.core.guidance import AnyGuidance, Damage
from pytest_ultra.core.transcript import (
    Answered,
    Attempted,
    Discovered,
    Ended,
    EndReason,
    Event,
    FellBack,
    Replied,
    ToolResult,
)
from pytest_ultra.core.workflow import Step, Workflow
from pytest_ultra.reporting.budget_lines import estimate_mark
from pytest_ultra.reporting.labels import END_REASONS, FAILURE_CLASSES, OUTCOMES
from pytest_ultra.reporting.text import compact, count, excerpt, fill, hang, neutralise

WIDTH = 100
_MOST_DELIVERED = 3
_MOST_PIECES = 3  # of a line of a traceback


def explain(episode: Episode, guidance: AnyGuidance, goal: GoalReport) -> str:
    """Return an episode as text for a CI log, in lines of at most 100 columns."""
    lines = [*_head(episode), "job:", *fill(guidance.task.words, WIDTH, "  ")]
    lines += [*plan_lines(episode.case, guidance), *_transcript(episode), *_deliverables(goal)]
    return "\n".join(line.rstrip() for line in lines)


def _head(episode: Episode) -> Iterator[str]:
    score = episode.score
    yield f"{episode.outcome}: {OUTCOMES[episode.outcome]}"
    if score.failure_class is not None:
        yield from _labelled(f"{score.failure_class}: ", _describe(score.failure_class, score))
    if score.cause is not None:
        yield from _labelled(f"cause: {score.cause}: ", _describe(score.cause, score))
    if score.harms:
        kinds = score.harm_kinds.replace(",", ", ")
        yield f"harm: {count(score.harms, 'change')} that the job did not ask for ({kinds})"
    if score.is_false_success:
        yield "false success: the last words do not say that the job was not done"
    if episode.error is not None:
        yield from _reason(episode.error)
    if episode.reused:
        started = datetime.fromtimestamp(episode.started_at, UTC)
        yield f"reused: taken from an earlier run, started {started:%Y-%m-%d %H:%M} UTC"
    if episode.outcome is Outcome.ERROR:
        yield from _labelled("requests: ", _attempts(episode))
    yield from case_lines(episode.case, episode.case_id)
    yield from _labelled("did: ", _activity(episode))


def _describe(failure_class: FailureClass, score: Score) -> str:
    is_fault = failure_class is FailureClass.UNRECOVERED_FAULT and score.unrecovered_fault
    return (
        f"{FAILURE_CLASSES[failure_class]}: {score.unrecovered_fault}" if is_fault else FAILURE_CLASSES[failure_class]
    )


def _reason(error: str) -> Iterator[str]:
    """Yield a reason of several lines, such as a diff, line by line."""
    first, *others = error.split("\n")
    yield from _labelled("reason: ", first)
    for line in others:
        yield f"  {excerpt(line, WIDTH - 2)}"


def case_lines(case: Case, case_id: str) -> Iterator[str]:
    yield from _labelled("case: ", f"{_case(case)} [{case_id}]")
    if unusual := ", ".join(_unusual(case)):
        yield from _labelled("prompted with: ", unusual)
    yield from _labelled(*(("agent: ", _agent(case)) if case.agent else ("model: ", case.model)))


def _agent(case: Case) -> str:
    """Return the agent's name, the function unless the name says it, and the model behind it."""
    name = case.model if case.agent in case.model else f"{case.model} ({case.agent})"
    return f"{name}, model {case.agent_model}" if case.agent_model else name


def _case(case: Case) -> str:
    composed = f", {case.flaws} kinds" if case.flaws > 1 else ""
    severity = f" ({case.severity}{composed})" if case.severity else ""
    faults = "" if case.fault_kind == FaultKind.TRANSIENT else f", faults {case.fault_kind}"
    return (
        f"{case.prompt_type}{severity}, {case.task_type}, {case.difficulty}, tool success rate "
        f"{case.tool_success_rate:g}{faults}, instance {case.instance}, repeat {case.repeat}, seed {case.seed}"
    )


def _unusual(case: Case) -> Iterator[str]:
    """Name the prompt and tool options that differ from the defaults."""
    if case.prompt_variant is not PromptVariant.STANDARD:
        names = " (names differ from these)" if case.prompt_variant is PromptVariant.CANARY else ""
        yield f"prompt variant {case.prompt_variant}{names}"
    if case.tool_protocol is not ToolProtocol.NATIVE:
        yield f"tool protocol {case.tool_protocol}"
    if case.has_tool_discovery:
        yield "tool discovery"
    if case.request_parameters:
        yield f"request parameters {case.request_parameters}"


def _activity(episode: Episode) -> str:
    score, usage = episode.score, episode.usage
    turns, calls = count(score.turns, "turn"), count(score.tool_calls, "call")
    faults = count(score.random_faults, "random fault")
    used = "tokens unknown" if usage.tokens is None else count(usage.tokens, "token")
    tokens = f"{estimate_mark(usage.estimated_requests)}{used}"
    return (
        f"{turns}, {calls} (the optimal plan: {score.reference_calls}), {faults} ({score.recovered_faults} recovered), "
        f"{tokens}, {episode.duration_s:.1f} s"
    )


def _attempts(episode: Episode) -> str:
    attempts = [event for event in episode.transcript if isinstance(event, Attempted)]
    problems = Counter(_problem(event) for event in attempts if event.problem is not None)
    failed = ", ".join(f"{times} x {problem}" for problem, times in problems.items())
    return f"{episode.usage.requests} made; failed: {failed or 'none'}"


def _problem(event: Attempted) -> str:
    return f"{event.problem} {event.status}" if event.status is not None else str(event.problem)


def _labelled(label: str, text: str) -> Iterator[str]:
    """Put a label before untrusted text, which is cut after two lines."""
    first, *others = hang(text, WIDTH, len(label))
    yield label + first
    yield from others


def plan_lines(case: Case, guidance: AnyGuidance) -> Iterator[str]:
    """Yield the plan, with each damaged step marked and followed by the step of the optimal plan."""
    flawed = guidance.flawed
    if not case.prompt_type.has_plan:
        yield f"plan: none was shown ({case.prompt_type}); the optimal one is"
        yield from _steps(guidance.optimal, (), guidance.optimal)
    elif flawed is None:
        yield "plan, as the model saw it:"
        yield from _steps(guidance.shown(case.prompt_type) or guidance.optimal, (), guidance.optimal)
    else:
        visibility = f"; visible in the {flawed.visibility}" if flawed.visibility else ""
        yield f"plan, as the model saw it (! marks what {flawed.kind} damaged{visibility}):"
        yield from _steps(flawed.workflow, flawed.damages, guidance.optimal)


def _steps(workflow: Workflow, damages: Sequence[Damage], optimal: Workflow) -> Iterator[str]:
    by_step = {damage.flawed_step: damage for damage in damages if damage.flawed_step is not None}
    for number, step in enumerate(workflow.steps, start=1):
        yield from _labelled(f"  {'!' if number in by_step else ' '} {number}. ", _call(step))
        if number in by_step:
            yield from _difference(by_step[number], optimal)
    for damage in damages:
        if damage.flawed_step is None:
            yield "  ! (gone)"
            yield from _difference(damage, optimal)
    if workflow.answer is not None:
        yield f"    answer: the output of step {workflow.answer}"


def _difference(damage: Damage, optimal: Workflow) -> Iterator[str]:
    if damage.optimal_step is None:
        yield from _labelled("       ", f"{damage.how}; the optimal plan has no such step")
    else:
        step = _call(optimal.steps[damage.optimal_step - 1])
        yield from _labelled("       ", f"{damage.how}; the optimal plan says {damage.optimal_step}. {step}")


def _call(step: Step) -> str:
    condition = f"only if step {step.only_if_failed} failed: " if step.only_if_failed else ""
    advice = f" (if it is down: {step.fallback.tool} {compact(step.fallback.arguments)})" if step.fallback else ""
    return f"{condition}{step.call.tool} {compact(step.call.arguments)}{advice}"


def _transcript(episode: Episode) -> Iterator[str]:
    yield "transcript:" if episode.transcript else "transcript: none"
    turn = 0
    for event in episode.transcript:
        lines = list(_event(event))
        if lines and not isinstance(event, Ended) and event.turn != turn:
            turn = event.turn
            if turn == episode.score.first_divergence:
                yield "  ---- here the model left the plan ".ljust(WIDTH, "-")
            lines[0] = f"  turn {turn}".ljust(len(_INDENT) - 1) + " " + lines[0].lstrip()
        yield from lines


_INDENT = " " * 11


def _event(event: Event) -> Iterator[str]:
    match event:
        case Attempted(problem=None):
            pass
        case Attempted():
            wait = f", waited {event.wait_s:.1f} s" if event.wait_s else ""
            failure = f"{_problem(event)} after {event.duration_s:.1f} s{wait}"
            yield from _labelled(_INDENT, f"request failed: {failure}: {_first_line(event.detail)}")
        case Replied():
            yield from _replied(event)
        case Answered():
            yield from _labelled(_INDENT, f"{event.call.name} {event.call.arguments}")
            yield from _labelled(f"{_INDENT}-> ", _result(event.result))
        case Discovered():
            yield from _labelled(_INDENT, f"looks for tools: {event.call.name} {event.call.arguments}")
            yield from _labelled(f"{_INDENT}-> ", _result(event.result))
        case FellBack():
            yield from _labelled(
                _INDENT, f"continues in the text protocol, because the endpoint rejects tools: {event.detail}"
            )
        case Ended(EndReason.AGENT_ERROR):
            lines = event.detail.splitlines() or [""]
            yield from _labelled("  end      ", f"{END_REASONS[event.reason]}: {lines[-1]}")
            yield from (f"    {piece}" for line in lines[:-1] for piece in _pieces(neutralise(line), WIDTH - 4))
        case Ended():
            detail = f" ({_first_line(event.detail)})" if event.detail else ""
            yield from _labelled("  end      ", f"{END_REASONS[event.reason]}{detail}")
        case _:
            assert_never(event)


def _pieces(line: str, width: int) -> list[str]:
    """Cut a line of code or a traceback, whose spaces matter."""
    return [line[start : start + width] for start in range(0, len(line), width)][:_MOST_PIECES]


def _replied(event: Replied) -> Iterator[str]:
    if text := event.reply.text.strip():
        yield from _labelled(f"{_INDENT}says: ", text)
    if event.forgiven:
        yield from _labelled(_INDENT, f"forgiven in its calls: {', '.join(event.forgiven)}")
    if event.calls_in_text:
        yield from _labelled(_INDENT, f"tool calls in its text, not run: {event.calls_in_text}")


def _first_line(detail: str) -> str:
    return detail.partition("\n")[0]


def _result(result: ToolResult) -> str:
    if result.is_random:
        became = f" ({result.fault_effect.replace('_', ' ')})" if result.fault_kind is FaultKind.LOST_REPLY else ""
        return f"random fault, not charged to the model{became}: {result.code}: {result.message}"
    if not result.is_success:
        return f"{result.code}: {result.message}"
    if result.handle is None:
        return compact(result.value)
    preview = result.value
    if isinstance(preview, dict):
        preview = {name: value for name, value in preview.items() if name != "handle"}
    fault = f"random fault, the result is wrong ({result.fault_effect}): " if result.fault is not None else ""
    return f"{fault}{result.handle}: {compact(preview)}"


def _delivered(milestone: MilestoneResult) -> Iterator[str]:
    """Yield what was delivered where another value was wanted, and how it differs."""
    if milestone.is_reached:
        return
    if not milestone.delivered:
        yield "    delivered: nothing"
    pairs = zip_longest(milestone.delivered, milestone.differences)
    for value, difference in islice(pairs, _MOST_DELIVERED):
        yield from _labelled("    delivered: ", compact(value))
        if difference:
            yield from _labelled("    difference: ", difference)
    if (more := len(milestone.delivered) - _MOST_DELIVERED) > 0:
        yield f"    and {count(more, 'more value')}"


def _deliverables(goal: GoalReport) -> Iterator[str]:
    yield f"deliverables ({goal.reached} of {count(len(goal.milestones), 'milestone')} reached):"
    for milestone in goal.milestones:
        if milestone.is_deliverable:
            label = "  reached " if milestone.is_reached else "  missed  "
            yield from _labelled(label, f"{milestone.place}: {compact(milestone.wanted)}")
            yield from _delivered(milestone)
    for harm in goal.harms:
        yield from _labelled("  harm    ", harm)
