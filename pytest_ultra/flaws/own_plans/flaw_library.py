"""Flaws as a library: `inject` damages a plan of any tools and says what is proved; `lint` checks one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

import msgspec

from pytest_ultra.core.axes import FlawKind, Severity, Visibility
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.plan_follower import StepResult
from pytest_ultra.core.workflow import Workflow, render
from pytest_ultra.errors import ConfigurationError, UnflawableError
from pytest_ultra.flaws import injection, linter
from pytest_ultra.flaws.linter import Finding
from pytest_ultra.flaws.own_plans.plan_document import as_json, read_plan, write_plan
from pytest_ultra.flaws.own_plans.schema_context import Rehearse, SchemaContext, keep_answer_path, make_signatures
from pytest_ultra.flaws.own_plans.tool_listing import read_tools
from pytest_ultra.flaws.plan_context import Rehearsal

ReachesGoal = Callable[[dict[str, Json]], bool]
"""Follows a plan, as JSON, to the letter with tools that never fail; returns whether it reaches the job's goal."""
MOST_STEPS = 50
"""Steps of a plan that can be damaged; a damaged one may be longer."""
_Choice = TypeVar("_Choice", bound=StrEnum)


class CostProof(StrEnum):
    """How it is shown that blind obedience to a flawed plan has a cost."""

    REHEARSAL = "rehearsal"
    STRUCTURE = "structure"


class FlawProof(msgspec.Struct, frozen=True):
    """What is proved of a flawed plan.

    `cost` is REHEARSAL if the plan was followed on the tools; STRUCTURE if other calls are known to be made, or made
    on other outputs, whatever comes of them. `findings` are the linter's, none unless the visibility is `plan`.
    `is_checked_by_words` says whether the visibility was held against the job's words.
    """

    cost: CostProof
    findings: tuple[Finding, ...]
    is_checked_by_words: bool

    @property
    def unproved(self) -> tuple[str, ...]:
        """What nothing shows, in words."""
        missing = []
        if self.cost is CostProof.STRUCTURE:
            missing.append("whether the result is wrong: no rehearsal was given")
        if not self.is_checked_by_words and not self.findings:
            missing.append("what shows the flaw, the job's words or only the world: no words were given")
        return tuple(missing)


class FlawedPlan(msgspec.Struct, frozen=True):
    """A plan with one flaw.

    `plan` is its JSON document and `text` the same plan for a prompt. `visibility` is the flaw's own, which is more
    visible than `wanted_visibility` if the plan has no place for such a flaw.
    """

    kind: FlawKind
    severity: Severity
    visibility: Visibility
    wanted_visibility: Visibility
    seed: str
    workflow: Workflow
    damages: tuple[Damage, ...]
    proof: FlawProof

    @property
    def plan(self) -> dict[str, Json]:
        return write_plan(self.workflow)

    @property
    def text(self) -> str:
        return render(self.workflow)

    def document(self) -> dict[str, Json]:
        """Return all of it as JSON, the same for the same arguments of `inject`."""
        fields = ("kind", "severity", "visibility", "wanted_visibility", "seed", "damages", "proof")
        document: dict[str, Json] = msgspec.to_builtins({name: getattr(self, name) for name in fields})
        document["proof"]["unproved"] = self.proof.unproved
        plain: dict[str, Json] = as_json({**document, "plan": self.plan, "text": self.text}, "the flaw")
        return plain


def inject(
    workflow: Workflow | Mapping[str, Json],
    kind: FlawKind | str,
    severity: Severity | str,
    *,
    tools: Json,
    visibility: Visibility | str = Visibility.JOB,
    seed: int | str = 0,
    words: str | None = None,
    rehearse: ReachesGoal | None = None,
) -> FlawedPlan:
    """Damage a sound plan, in the same way for the same arguments.

    `workflow` is the sound plan, as JSON or as a `Workflow`; `tools` describes the tools that plans may name, in any
    of the forms that `read_tools` takes; `words` is the job in words. Raises ConfigurationError if an argument is
    wrong, or the linter finds something in the sound plan; UnflawableError if the plan has no place for the flaw.
    """
    sound, listing, text = _workflow(workflow), read_tools(tools), as_json(str(seed), "seed")
    wanted = _choose("visibility", visibility, Visibility)
    chosen_kind, chosen_severity = _choose("kind", kind, FlawKind), _choose("severity", severity, Severity)
    context = SchemaContext(sound, listing, text, words=words)
    _check_sound(context, sound, rehearse)
    if rehearse is not None:
        context = SchemaContext(sound, listing, text, words=words, rehearse=_rehearsal_of(context, rehearse))
    flawed = injection.inject(context, sound, chosen_kind, chosen_severity, visibility=wanted, with_oddities=False)
    if flawed is None or flawed.visibility is None:
        raise UnflawableError(
            f"{chosen_kind} of severity {chosen_severity} has no place in this plan of {len(sound.steps)} steps: "
            "no candidate passed its proof; try another kind, severity or seed, or a longer plan"
        )
    damaged = keep_answer_path(flawed.workflow, sound)
    proof = FlawProof(
        CostProof.STRUCTURE if rehearse is None else CostProof.REHEARSAL,
        linter.lint(damaged, context.tools),
        is_checked_by_words=words is not None,
    )
    return FlawedPlan(chosen_kind, chosen_severity, flawed.visibility, wanted, text, damaged, flawed.damages, proof)


def lint(workflow: Workflow | Mapping[str, Json], tools: Json) -> tuple[Finding, ...]:
    """Return what a careful reader of the plan and of the tools' schemas alone can find wrong, step by step.

    Takes what `inject` takes, and raises ConfigurationError as it does.
    """
    return linter.lint(_workflow(workflow), make_signatures(read_tools(tools)))


def _workflow(workflow: Workflow | Mapping[str, Json]) -> Workflow:
    return read_plan(write_plan(workflow) if isinstance(workflow, Workflow) else workflow)


def _choose(name: str, value: str, choices: type[_Choice]) -> _Choice:
    if value not in list(choices):
        raise ConfigurationError(f"{name}: {value!r} is not valid; choose from {', '.join(choices)}")
    return choices(value)


def _check_sound(context: SchemaContext, sound: Workflow, rehearse: ReachesGoal | None) -> None:
    if len(sound.steps) > MOST_STEPS:
        raise ConfigurationError(f"the plan has {len(sound.steps)} steps; give one of at most {MOST_STEPS}")
    findings = [*linter.lint(sound, context.tools), *_fallback_findings(sound, context)]
    if findings:
        listed = "; ".join(map(describe_finding, findings[:3]))
        raise ConfigurationError(
            f"the linter has findings in the sound plan, {len(findings)} in all: {listed}; correct the plan. Mark tools"
            ' that only look with "annotations": {"readOnlyHint": true}, and the step that gives the result by "answer"'
        )
    if rehearse is not None and not rehearse(write_plan(sound)):
        raise ConfigurationError(
            "the sound plan does not reach the goal in its rehearsal; correct the plan or the goal"
        )


def _fallback_findings(sound: Workflow, context: SchemaContext) -> list[Finding]:
    """Check fallbacks as if each were the step."""
    found: list[Finding] = []
    for number, step in enumerate(sound.steps, start=1):
        if step.fallback is not None:
            other = msgspec.structs.replace(step, call=step.fallback, fallback=None)
            steps = (*sound.steps[: number - 1], other, *sound.steps[number:])
            findings = linter.lint(Workflow(steps, sound.answer), context.tools)
            found += [finding for finding in findings if finding.step == number]
    return found


def describe_finding(finding: Finding) -> str:
    """Return a finding as one line."""
    return f"step {finding.step}: {finding.message}" if finding.step else finding.message


class _Rehearsed(msgspec.Struct, frozen=True):
    """A rehearsal of which the tools gave no more than whether it reached the goal."""

    calls: int
    done: Mapping[int, StepResult]
    effects: object
    has_delivered: bool
    has_harmed: bool


def _rehearsal_of(context: SchemaContext, rehearse: ReachesGoal) -> Rehearse:
    def follow(workflow: Workflow, left_out: int | None) -> Rehearsal:
        known = context.follow(workflow, left_out=left_out)
        if left_out is not None:
            return known
        has_delivered = rehearse(write_plan(workflow))
        return _Rehearsed(known.calls, known.done, known.effects, has_delivered, known.has_harmed)

    return follow
