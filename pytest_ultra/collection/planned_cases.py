"""The planned cases and their ids."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from random import Random

from pytest_ultra.core.axes import (
    FaultKind,
    PromptType,
    PromptVariant,
    Severity,
    ToolProtocol,
    Visibility,
    join_fault_kinds,
)
from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.core.request_parameters import encode_identity
from pytest_ultra.options.agent_option import AgentChoice
from pytest_ultra.options.defaults import AGENT_TIMEOUT_S
from pytest_ultra.options.settings import Settings


def plan_cases(settings: Settings) -> dict[str, Case]:
    """Return all cases of the settings, keyed by id; the cases of one task are next to each other.

    An id is model-prompt_type-task_type-difficulty[-severity][-variant][-rate][-faults][-rREPEAT]-instance. It has a
    part in brackets only if the settings have more than one value for it (faults: other kinds than the default), and a
    severity only with a flaw.
    """
    labels = label_models(settings.tested)
    return {_case_id(case, labels[case.model], settings): case for case in _cases(settings)}


def label_models(models: tuple[str, ...]) -> dict[str, str]:
    """Return each model's label in ids: characters that break shells or node ids become `_`, and `::` one colon."""
    labels: dict[str, str] = {}
    for model in models:
        label = re.sub(r"[^\w./:+,=?%~@-]", "_", re.sub(":{2,}", ":", model), flags=re.ASCII)
        taken = sum(1 for other in labels.values() if other.partition("~")[0] == label)
        labels[model] = f"{label}~{taken + 1}" if taken else label
    return labels


def _cases(settings: Settings) -> Iterator[Case]:
    tasks = itertools.product(
        range(settings.instances),
        range(settings.repeats),
        settings.task_type,
        settings.difficulty,
        settings.tool_success_rate,
    )
    subjects = {name: {"model": name} for name in settings.model} | {a.name: _identity(a) for a in settings.agent}
    called = {name: identity.get("agent_model", name) for name, identity in subjects.items()}
    parameters = {name: encode_identity(settings.request.get(model, {})) for name, model in called.items()}
    for instance, repeat, task_type, difficulty, rate in tasks:
        key = TaskKey(task_type, difficulty, instance, settings.seed)
        for prompt_variant, prompt_type, severity, model in _prompts(settings):
            is_own = "agent" in subjects[model]
            yield Case(
                **subjects[model],
                prompt_type=prompt_type,
                task_type=task_type,
                difficulty=difficulty,
                tool_success_rate=rate,
                severity=severity,
                instance=instance,
                repeat=repeat,
                seed=settings.seed,
                max_turns=settings.max_turns,
                timeout_s=settings.timeout or (AGENT_TIMEOUT_S if is_own else None),
                temperature=settings.temperature,
                prompt_variant=prompt_variant,
                tool_protocol=ToolProtocol.NATIVE if is_own else settings.tool_protocol,
                has_tool_discovery=settings.tool_discovery and not is_own,
                flaws=settings.flaws_per_case if prompt_type.flaw_kind else 1,
                request_parameters=parameters[model],
                fault_kind=join_fault_kinds(settings.fault_kind),
                flaw_visibility=draw_visibility(settings.flaw_visibility, key, prompt_type, severity),
            )


def _identity(agent: AgentChoice) -> dict[str, str]:
    """Return the fields that an agent has in its cases."""
    return {"model": agent.name, "agent": agent.target, "agent_model": agent.model}


def _prompts(settings: Settings) -> Iterator[tuple[PromptVariant, PromptType, Severity | None, str]]:
    """Yield the prompts that each task is given in, and the models: without a flaw, a prompt type has no severity."""
    for variant, prompt_type in itertools.product(settings.prompt_variant, settings.prompt_type):
        severities = settings.severity if prompt_type.flaw_kind else (None,)
        for severity, model in itertools.product(severities, settings.tested):
            yield variant, prompt_type, severity, model


def draw_visibility(
    allowed: Sequence[Visibility], key: TaskKey, prompt_type: PromptType, severity: Severity | None
) -> Visibility | None:
    """Draw the visibility of a flaw, the same for every model, repeat and tool success rate."""
    if prompt_type.flaw_kind is None:
        return None
    names = (key.task_type, key.difficulty, key.instance, key.seed, prompt_type, severity, "visibility")
    return Random("/".join(map(str, names))).choice(allowed)


def _case_id(case: Case, label: str, settings: Settings) -> str:
    parts = [label, case.prompt_type, case.task_type, case.difficulty]
    if len(settings.severity) > 1 and case.severity:
        parts.append(case.severity)
    if len(settings.prompt_variant) > 1:
        parts.append(case.prompt_variant)
    if len(settings.tool_success_rate) > 1:
        parts.append(str(case.tool_success_rate))
    if case.fault_kind != FaultKind.TRANSIENT:
        parts.append(case.fault_kind)
    if settings.repeats > 1:
        parts.append(f"r{case.repeat}")
    return "-".join([*parts, str(case.instance)])
