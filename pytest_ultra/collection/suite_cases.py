"""The planned cases of a user's own suite: those of its tasks, without plans that they cannot have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from pytest_ultra.collection.planned_cases import plan_cases
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.case import Case
from pytest_ultra.custom.custom_suite import CustomSuite
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.settings import Settings


class SuiteCases(msgspec.Struct, frozen=True):
    """The cases of a run by their ids; and by task, what keeps other prompt types from it, in words."""

    cases: dict[str, Case]
    unavailable: tuple[str, ...]


def plan_own_cases(settings: Settings, own: CustomSuite) -> SuiteCases:
    """Return the cases of the settings, with the ids that `plan_cases` gives them.

    Left out are those whose plan cannot be made. Raises ConfigurationError if none is left, or if a task is wrong.
    """
    kept: dict[str, Case] = {}
    missing: dict[tuple[str, str], None] = {}
    for case_id, planned in plan_cases(settings).items():
        case = _own_case(planned, own)
        if case is None:
            continue
        reason = own.find_missing_plan(case)
        if reason is None:
            kept[case_id] = case
        else:
            missing[(case.task_type, reason)] = None
    unavailable = tuple(_describe(missing))
    if not kept:
        raise ConfigurationError(
            f"no task can have a plan that --ultra-prompt-type asks for: {'; '.join(unavailable)}; add baseline or cot"
        )
    if settings.fault_kind == (FaultKind.PERMANENT,) and not any(map(own.has_other_ways, kept.values())):
        raise ConfigurationError(
            "permanent faults need another way to the goal (--ultra-fault-kind): give a step of a reference a fallback"
            ", as in plan.fallback.archive(...) after the step, or choose from transient, lost_reply, implicit"
        )
    return SuiteCases(kept, unavailable)


def _own_case(case: Case, own: CustomSuite) -> Case | None:
    """Return a case with the identity of its task; None for one of another difficulty than its task has."""
    identity = own.identify(case.task_type)
    if case.difficulty != identity.difficulty:
        return None
    return msgspec.structs.replace(case, suite=identity.suite, suite_version=identity.version)


def _describe(missing: Iterable[tuple[str, str]]) -> Iterator[str]:
    for task, entries in groupby(missing, key=lambda entry: entry[0]):
        yield f"{task}: {', '.join(reason for _, reason in entries)}"
