"""Reading the id that a case has in a node id's brackets, for a case that need not be in any run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pytest_ultra.core.axes import Difficulty, PromptType, PromptVariant, Severity, TaskType


def _one_of(name: str, members: Iterable[str]) -> str:
    return f"(?P<{name}>{'|'.join(map(re.escape, members))})"


_ID = re.compile(
    rf"(?P<model>.+?)-{_one_of('prompt_type', PromptType)}-{_one_of('task_type', TaskType)}"
    rf"-{_one_of('difficulty', Difficulty)}(-{_one_of('severity', Severity)})?"
    rf"(-{_one_of('prompt_variant', PromptVariant)})?(-(?P<tool_success_rate>[01]\.\d+))?(-r(?P<repeat>\d+))?"
    r"-(?P<instance>\d+)"
)


def parse_case_id(name: str) -> Mapping[str, str] | None:
    """Return what an id as `plan_cases` makes them says of its case, by axis; None if it is none.

    The model stands there as ids write it. The name may be the whole node id.
    """
    _, bracket, inner = name.partition("[")
    match = _ID.fullmatch(inner.removesuffix("]") if bracket else name)
    return None if match is None else {axis: value for axis, value in match.groupdict().items() if value is not None}
