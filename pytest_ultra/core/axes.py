"""The closed axes of the benchmark's matrix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Self

OWN_MARK = "own_"
"""What the names of flaw kinds of a user's own suite start with."""
FLAWED_MARK = "flawed_"
"""What the names of prompt types with a flaw start with."""
_OWN = re.compile(rf"(?:{FLAWED_MARK})?{OWN_MARK}[a-z0-9_]+", re.ASCII)


class OpenAxis(StrEnum):
    """An axis to which users' suites add values of their own. Iteration has the built-in ones alone."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Return the value of a user's own with this name, the same each time."""
        if not isinstance(value, str) or not _OWN.fullmatch(value):
            return None
        if value.startswith(FLAWED_MARK) is not issubclass(cls, PromptType):
            return None
        member = str.__new__(cls, value)
        member._name_, member._value_ = value.upper(), value
        known: Self = cls._value2member_map_.setdefault(value, member)  # type: ignore[assignment]
        return known


class FlawKind(OpenAxis):
    """The ways in which a plan can be wrong; a user's suite can have others, whose names start with `own_`."""

    SEQUENCE_DISORDER = "sequence_disorder"
    TOOL_MISUSE = "tool_misuse"
    PARAMETER_ERROR = "parameter_error"
    MISSING_STEP = "missing_step"
    REDUNDANT_OPERATIONS = "redundant_operations"
    LOGICAL_INCONSISTENCY = "logical_inconsistency"
    SEMANTIC_DRIFT = "semantic_drift"


class FaultKind(StrEnum):
    """The ways in which a tool can misbehave at random."""

    TRANSIENT = "transient"  # an error that changed nothing: the same call may work the next time
    PERMANENT = "permanent"  # the tool, or its target, stays down for the rest of the episode
    LOST_REPLY = "lost_reply"  # the error does not say whether the call took effect; in half of the draws it did
    IMPLICIT = "implicit"  # the result looks fine and is wrong


def join_fault_kinds(kinds: Iterable[FaultKind]) -> str:
    """Return kinds of faults as one text, in the order of `FaultKind` and each once: `transient+implicit`."""
    chosen = list(kinds)
    return FAULT_KIND_MARK.join(kind for kind in FaultKind if kind in chosen)


@lru_cache(maxsize=64)  # asked at each call of a tool, for few texts
def split_fault_kinds(text: str) -> tuple[FaultKind, ...]:
    """Return the kinds in a text of `join_fault_kinds`; raise ValueError for any other text."""
    kinds = tuple(FaultKind(name) for name in text.split(FAULT_KIND_MARK))
    if join_fault_kinds(kinds) != text:
        raise ValueError(f"{text!r} does not name kinds of faults once each, in their order")
    return kinds


FAULT_KIND_MARK = "+"


class PromptType(OpenAxis):
    """How guidance is given. A flawed prompt type carries its kind: there is no bare `flawed`.

    `alternative` is a correct plan that looks odd. A user's suite can have flaws of its own, `flawed_own_NAME`.
    """

    BASELINE = "baseline"
    COT = "cot"
    OPTIMAL = "optimal"
    FLAWED_SEQUENCE_DISORDER = "flawed_sequence_disorder"
    FLAWED_TOOL_MISUSE = "flawed_tool_misuse"
    FLAWED_PARAMETER_ERROR = "flawed_parameter_error"
    FLAWED_MISSING_STEP = "flawed_missing_step"
    FLAWED_REDUNDANT_OPERATIONS = "flawed_redundant_operations"
    FLAWED_LOGICAL_INCONSISTENCY = "flawed_logical_inconsistency"
    FLAWED_SEMANTIC_DRIFT = "flawed_semantic_drift"
    ALTERNATIVE = "alternative"

    @property
    def flaw_kind(self) -> FlawKind | None:
        return FlawKind(self.removeprefix(FLAWED_MARK)) if self.startswith(FLAWED_MARK) else None

    @property
    def has_plan(self) -> bool:
        return self not in (PromptType.BASELINE, PromptType.COT)

    @property
    def is_own(self) -> bool:
        """Whether its flaw is one of a user's suite."""
        return self not in list(PromptType)

    @property
    def rank(self) -> tuple[int, str]:
        """A key that sorts prompt types in their order, those with a flaw of a user's before `alternative`."""
        place = PromptType.ALTERNATIVE if self.is_own else self
        return list(PromptType).index(place), self.value if self.is_own else "~"


FLAWED_PROMPT_TYPES = tuple(prompt_type for prompt_type in PromptType if prompt_type.flaw_kind)
DEFAULT_PROMPT_TYPES = tuple(prompt_type for prompt_type in PromptType if prompt_type is not PromptType.ALTERNATIVE)
"""The prompt types of the published benchmark, which `all` stands for."""

MOST_DAMAGED_STEPS = 6


class Severity(StrEnum):
    """How many steps of the workflow a flaw damages."""

    LIGHT = "light"
    MEDIUM = "medium"
    SEVERE = "severe"

    def damaged_steps(self, n: int) -> int:
        """Return how many of `n` steps are damaged: 1, ⌊n/2⌋ or ⌈2n/3⌉, never fewer than a milder severity.

        No severity damages more than `MOST_DAMAGED_STEPS`.
        """
        medium = max(1, n // 2)
        damaged = {Severity.LIGHT: 1, Severity.MEDIUM: medium, Severity.SEVERE: max(medium, -(-2 * n // 3))}[self]
        return min(damaged, MOST_DAMAGED_STEPS)


class Visibility(StrEnum):
    """What must be looked at to notice a flaw, from what is nearest to what is farthest.

    The plan and the schemas of the tools alone; the words of the job; the world, through the tools.
    """

    PLAN = "plan"
    JOB = "job"
    WORLD = "world"


DRAWN_VISIBILITIES = (Visibility.JOB, Visibility.WORLD)
"""The visibilities that a flawed case's is drawn from, unless the user names others."""


MOST_FLAWS = 2
"""The most kinds that a case's flaw can combine: a severe one leaves one sound step of a short workflow."""


class PromptVariant(StrEnum):
    """Wordings of the same content, which separate a model's robustness from the luck of the wording.

    `canary` is the standard wording with tools and entities renamed, to expose memorised answers.
    """

    STANDARD = "standard"
    BRIEF = "brief"
    FORMAL = "formal"
    CANARY = "canary"


class ToolProtocol(StrEnum):
    """How tools are offered and called. `auto` is native, or text where the endpoint rejects tools."""

    NATIVE = "native"
    TEXT = "text"
    AUTO = "auto"


class TaskType(StrEnum):
    """The shape of a job."""

    SIMPLE_TASK = "simple_task"
    BASIC_TASK = "basic_task"
    DATA_PIPELINE = "data_pipeline"
    API_INTEGRATION = "api_integration"
    MULTI_STAGE_PIPELINE = "multi_stage_pipeline"


class Difficulty(StrEnum):
    """How terse the words are, and how many irrelevant things are added."""

    VERY_EASY = "very_easy"
    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"
    VERY_HARD = "very_hard"

    @property
    def level(self) -> int:
        """0 for `very_easy` to 4 for `very_hard`."""
        return list(Difficulty).index(self)
