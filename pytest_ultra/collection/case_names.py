"""Parser of the case id in the brackets of a node id. The case need not be part of any run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pytest_ultra.core.axes import FAULT_KIND_MARK, Difficulty, FaultKind, PromptType, PromptVariant, Severity, TaskType


def _one_of(name: str, members: Iterable[str]) -> str:
    return f"(?P<{name}>{'|'.join(map(re.escape, members))})"


_KIND = f"({'|'.join(FaultKind)})"
_ID = re.compile(
    rf"(?P<model>.+?)-{_one_of('prompt_type', PromptType)}-{_one_of('task_type', TaskType)}"
    rf"-{_one_of('difficulty', Difficulty)}(-{_one_of('severity', Severity)})?"
    rf"(-{_one_of('prompt_variant', PromptVariant)})?(-(?P<tool_success_rate>[01]\.\d+))?"
    rf"(-(?P<fault_kind>{_KIND}({re.escape(FAULT_KIND_MARK)}{_KIND})*))?(-r(?P<repeat>\d+))?-(?P<instance>\d+)"
)


def parse_case_id(name: str) -> Mapping[str, str] | None:
    """Return the values in an id made by `plan_cases`, keyed by axis; None if it is not such an id.

    `name` may be a whole node id. The model is returned as ids write it.
    """
    _, bracket, inner = name.partition("[")
    match = _ID.fullmatch(inner.removesuffix("]") if bracket else name)
    return None if match is None else {axis: value for axis, value in match.groupdict().items() if value is not None}
