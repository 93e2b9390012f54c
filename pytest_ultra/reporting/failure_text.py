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
from pytest_ultra.reporting.labelled_text import (
    WIDEST,
    Form,
    LabelledText,
    cut_code,
    cut_line,
    cut_text,
    paragraphs,
    wrap_texts,
)
from pytest_ultra.reporting.labels import END_REASONS, FAILURE_CLASSES, OUTCOMES
from pytest_ultra.reporting.text import compact, count

_MOST_DELIVERED = 3
Texts = Iterator[LabelledText]


def explain(episode: Episode, guidance: AnyGuidance, goal: GoalReport, width: int = WIDEST) -> str:
    """Return an episode as text, in lines of at most `width` columns, and of at most 100."""
    return "\n".join(wrap_texts(explanation(episode, guidance, goal), width))


def explanation(episode: Episode, guidance: AnyGuidance, goal: GoalReport) -> list[LabelledText]:
    """Return an episode as text that is not wrapped yet."""
    head = [*_head(episode), LabelledText("", "job:"), *paragraphs("  ", guidance.task.words)]
    return [*head, *plan_texts(episode.case, guidance), *_transcript(episode), *_deliverables(goal)]


def _head(episode: Episode) -> Texts:
    score = episode.score
    yield LabelledText(f"{episode.outcome}: ", OUTCOMES[episode.outcome])
    if score.failure_class is not None:
        yield cut_text(f"{score.failure_class}: ", _describe(score.failure_class, score))
    if score.cause is not None:
        yield cut_text(f"cause: {score.cause}: ", _describe(score.cause, score))
    if score.harms:
        kinds = score.harm_kinds.replace(",", ", ")
        yield LabelledText("harm: ", f"{count(score.harms, 'change')} that the job did not ask for ({kinds})")
    if score.is_false_success:
        yield LabelledText("false success: ", "the last words do not say that the job was not done")
    if episode.error is not None:
        yield from _reason(episode.error)
    if episode.reused:
        started = datetime.fromtimestamp(episode.started_at, UTC)
        yield LabelledText("reused: ", f"taken from an earlier run, started {started:%Y-%m-%d %H:%M} UTC")
    if episode.outcome is Outcome.ERROR:
        yield cut_text("requests: ", _attempts(episode))
    yield from case_texts(episode.case, episode.case_id)
    yield cut_text("did: ", _activity(episode))


def _describe(failure_class: FailureClass, score: Score) -> str:
    is_fault = failure_class is FailureClass.UNRECOVERED_FAULT and score.unrecovered_fault
    return (
        f"{FAILURE_CLASSES[failure_class]}: {score.unrecovered_fault}" if is_fault else FAILURE_CLASSES[failure_class]
    )


def _reason(error: str) -> Texts:
    """Yield a reason of several lines, such as a diff, line by line."""
    first, *others = error.split("\n")
    yield cut_text("reason: ", first)
    for line in others:
        yield cut_line("  ", line)


def case_texts(case: Case, case_id: str) -> Texts:
    yield cut_text("case: ", f"{_case(case)} [{case_id}]")
    if unusual := ", ".join(_unusual(case)):
        yield cut_text("prompted with: ", unusual)
    yield cut_text(*(("agent: ", _agent(case)) if case.agent else ("model: ", case.model)))


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


def plan_texts(case: Case, guidance: AnyGuidance) -> Texts:
    """Yield the plan, with each damaged step marked and followed by the step of the optimal plan."""
    flawed = guidance.flawed
    if not case.prompt_type.has_plan:
        yield LabelledText("plan: ", f"none was shown ({case.prompt_type}); the optimal one is")
        yield from _steps(guidance.optimal, (), guidance.optimal)
    elif flawed is None:
        yield LabelledText("", "plan, as the model saw it:")
        yield from _steps(guidance.shown(case.prompt_type) or guidance.optimal, (), guidance.optimal)
    else:
        visibility = f"; visible in the {flawed.visibility}" if flawed.visibility else ""
        yield LabelledText("", f"plan, as the model saw it (! marks what {flawed.kind} damaged{visibility}):")
        yield from _steps(flawed.workflow, flawed.damages, guidance.optimal)


def _steps(workflow: Workflow, damages: Sequence[Damage], optimal: Workflow) -> Texts:
    by_step = {damage.flawed_step: damage for damage in damages if damage.flawed_step is not None}
    for number, step in enumerate(workflow.steps, start=1):
        yield cut_text(f"  {'!' if number in by_step else ' '} {number}. ", _call(step))
        if number in by_step:
            yield from _difference(by_step[number], optimal)
    for damage in damages:
        if damage.flawed_step is None:
            yield LabelledText("  ! ", "(gone)")
            yield from _difference(damage, optimal)
    if workflow.answer is not None:
        yield LabelledText("    ", f"answer: the output of step {workflow.answer}")


def _difference(damage: Damage, optimal: Workflow) -> Texts:
    if damage.optimal_step is None:
        yield cut_text("       ", f"{damage.how}; the optimal plan has no such step")
    else:
        step = _call(optimal.steps[damage.optimal_step - 1])
        yield cut_text("       ", f"{damage.how}; the optimal plan says {damage.optimal_step}. {step}")


def _call(step: Step) -> str:
    condition = f"only if step {step.only_if_failed} failed: " if step.only_if_failed else ""
    advice = f" (if it is down: {step.fallback.tool} {compact(step.fallback.arguments)})" if step.fallback else ""
    return f"{condition}{step.call.tool} {compact(step.call.arguments)}{advice}"


def _transcript(episode: Episode) -> Texts:
    yield LabelledText("", "transcript:" if episode.transcript else "transcript: none")
    turn = 0
    for event in episode.transcript:
        texts = list(_event(event))
        if texts and not isinstance(event, Ended) and event.turn != turn:
            turn = event.turn
            if turn == episode.score.first_divergence:
                yield LabelledText("  ---- ", "here the model left the plan", Form.RULE)
            label = f"  turn {turn}".ljust(len(_INDENT) - 1) + " " + texts[0].label.lstrip()
            texts[0] = LabelledText(label, texts[0].text)
        yield from texts


_INDENT = " " * 11


def _event(event: Event) -> Texts:
    match event:
        case Attempted(problem=None):
            pass
        case Attempted():
            wait = f", waited {event.wait_s:.1f} s" if event.wait_s else ""
            failure = f"{_problem(event)} after {event.duration_s:.1f} s{wait}"
            yield cut_text(_INDENT, f"request failed: {failure}: {_first_line(event.detail)}")
        case Replied():
            yield from _replied(event)
        case Answered():
            yield cut_text(_INDENT, f"{event.call.name} {event.call.arguments}")
            yield cut_text(f"{_INDENT}-> ", _result(event.result))
        case Discovered():
            yield cut_text(_INDENT, f"looks for tools: {event.call.name} {event.call.arguments}")
            yield cut_text(f"{_INDENT}-> ", _result(event.result))
        case FellBack():
            yield cut_text(
                _INDENT, f"continues in the text protocol, because the endpoint rejects tools: {event.detail}"
            )
        case Ended(EndReason.AGENT_ERROR):
            lines = event.detail.splitlines() or [""]
            yield cut_text("  end      ", f"{END_REASONS[event.reason]}: {lines[-1]}")
            yield from (cut_code("    ", line) for line in lines[:-1])
        case Ended():
            detail = f" ({_first_line(event.detail)})" if event.detail else ""
            yield cut_text("  end      ", f"{END_REASONS[event.reason]}{detail}")
        case _:
            assert_never(event)


def _replied(event: Replied) -> Texts:
    if text := event.reply.text.strip():
        yield cut_text(f"{_INDENT}says: ", text)
    if event.forgiven:
        yield cut_text(_INDENT, f"forgiven in its calls: {', '.join(event.forgiven)}")
    if event.calls_in_text:
        yield cut_text(_INDENT, f"tool calls in its text, not run: {event.calls_in_text}")


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


def _delivered(milestone: MilestoneResult) -> Texts:
    """Yield what was delivered where another value was wanted, and how it differs."""
    if milestone.is_reached:
        return
    if not milestone.delivered:
        yield LabelledText("    delivered: ", "nothing")
    pairs = zip_longest(milestone.delivered, milestone.differences)
    for value, difference in islice(pairs, _MOST_DELIVERED):
        yield cut_text("    delivered: ", compact(value))
        if difference:
            yield cut_text("    difference: ", difference)
    if (more := len(milestone.delivered) - _MOST_DELIVERED) > 0:
        yield LabelledText("    ", f"and {count(more, 'more value')}")


def _deliverables(goal: GoalReport) -> Texts:
    reached = f"{goal.reached} of {count(len(goal.milestones), 'milestone')} reached"
    yield LabelledText("", f"deliverables ({reached}):")
    for milestone in goal.milestones:
        if milestone.is_deliverable:
            label = "  reached " if milestone.is_reached else "  missed  "
            yield cut_text(label, f"{milestone.place}: {compact(milestone.wanted)}")
            yield from _delivered(milestone)
    for harm in goal.harms:
        yield cut_text("  harm    ", harm)
