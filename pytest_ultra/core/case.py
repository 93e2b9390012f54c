"""A case: one point of the matrix, and its identity."""

from __future__ import annotations

import hashlib
from functools import cached_property

import msgspec

from pytest_ultra.core.axes import (
    Difficulty,
    FaultKind,
    PromptType,
    PromptVariant,
    Severity,
    ToolProtocol,
    Visibility,
    split_fault_kinds,
)

GENERATOR_VERSION = 2
PROMPT_VERSION = 2
SCORER_VERSION = 2
DEFAULT_MAX_TURNS = 30
"""The turn limit where the user sets none; a suite can raise it for long jobs."""


class Versions(msgspec.Struct, frozen=True, order=True):
    """The versions of the generator, the prompts and the scorer. Figures of different versions cannot be compared."""

    generator: int = GENERATOR_VERSION
    prompts: int = PROMPT_VERSION
    scorer: int = SCORER_VERSION

    def __str__(self) -> str:
        return f"generator {self.generator}, prompts {self.prompts}, scorer {self.scorer}"


class TaskKey(msgspec.Struct, frozen=True, order=True):
    """The key that a task is generated from. `task_type` is a `TaskType`, or the name of a task of a user's suite."""

    task_type: str
    difficulty: Difficulty
    instance: int
    seed: int


class SuiteTaskKey(TaskKey, frozen=True, order=True):
    """The key of a task of a user's suite."""

    suite: str = ""
    suite_version: str = ""


class Case(msgspec.Struct, frozen=True, dict=True):  # a dict for what is computed once
    """One point of the matrix: everything that determines its outcome, except the randomness of the model.

    `severity` is None exactly if `prompt_type` has no flaw. `timeout_s` None means no limit, `temperature` None the
    endpoint's default. `flaws` is how many kinds a flaw combines. `request_parameters` is the JSON text of the
    parameters of requests that the user asked for (`core.request_parameters`), empty without any. `fault_kind` names
    the kinds of the tools' random faults, joined by `+`. `flaw_visibility` is the visibility that the flaw should have;
    a task that is too small for it gets the next more visible one.

    If the user's own agent does the job, `model` is its name, `agent` says which function it is (`module:attr`, or a
    name that the project resolves), and `agent_model` names the model behind it, empty without one.

    In a suite of the user's own, `suite` is its name, empty for the built-in benchmark, and `task_type` the name of
    the task. `suite_version` changes with what the suite says of its version, its tools and the task.
    """

    model: str
    prompt_type: PromptType
    task_type: str
    difficulty: Difficulty
    tool_success_rate: float
    severity: Severity | None
    instance: int
    repeat: int
    seed: int
    max_turns: int = DEFAULT_MAX_TURNS
    timeout_s: float | None = None
    temperature: float | None = None
    prompt_variant: PromptVariant = PromptVariant.STANDARD
    tool_protocol: ToolProtocol = ToolProtocol.NATIVE
    has_tool_discovery: bool = False
    flaws: int = 1
    request_parameters: str = ""
    fault_kind: str = FaultKind.TRANSIENT.value
    flaw_visibility: Visibility | None = None
    agent: str = ""
    agent_model: str = ""
    suite: str = ""
    suite_version: str = ""

    @property
    def task_key(self) -> TaskKey:
        own = (self.task_type, self.difficulty, self.instance, self.seed)
        is_own = self.suite or self.suite_version
        return SuiteTaskKey(*own, self.suite, self.suite_version) if is_own else TaskKey(*own)

    @property
    def fault_kinds(self) -> tuple[FaultKind, ...]:
        return split_fault_kinds(self.fault_kind)

    @cached_property
    def case_id(self) -> str:
        """The case's identity with the current versions."""
        return self.identify(Versions())

    def identify(self, versions: Versions) -> str:
        """Return a hash over every field and the versions of generator, prompts and scorer: 16 hex digits.

        Fields that came later are left out where they have their default, so that older cases keep their identity.
        """
        fields = msgspec.to_builtins(self)
        for name, default in LATER_FIELDS.items():
            if fields[name] == default:
                del fields[name]
        identity = [*msgspec.structs.astuple(versions), fields]
        return hashlib.blake2b(msgspec.json.encode(identity, order="sorted"), digest_size=8).hexdigest()

    @property
    def control(self) -> Case:
        """The case of the same task with the optimal plan; the case itself if it has no flaw."""
        if not self.prompt_type.flaw_kind:
            return self
        return msgspec.structs.replace(
            self, prompt_type=PromptType.OPTIMAL, severity=None, flaws=1, flaw_visibility=None
        )

    @property
    def control_key(self) -> tuple[object, ...]:
        """A key that is equal for a flawed case and its control."""
        shown = (self.prompt_variant, self.tool_protocol, self.has_tool_discovery)
        tested = (self.model, self.agent, self.agent_model)
        return (*tested, self.task_key, self.tool_success_rate, self.fault_kind, self.repeat, *shown)


LATER_FIELDS = {
    "request_parameters": "",
    "fault_kind": FaultKind.TRANSIENT.value,
    "flaw_visibility": None,
    "agent": "",
    "agent_model": "",
    "suite": "",
    "suite_version": "",
}
"""The fields of `Case` that its first version did not have, with their defaults."""


def short_name(nodeid: str) -> str:
    """Return the bracketed part of a case's node id; the whole node id if the test is a user's own."""
    suite, _, rest = nodeid.partition("::test_workflow[")
    return rest.removesuffix("]") if rest and suite.endswith("test_workflows.py") else nodeid
