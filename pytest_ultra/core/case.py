"""A case: one point of the matrix, and its identity."""

from __future__ import annotations

import hashlib

import msgspec

from pytest_ultra.core.axes import (
    Difficulty,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
    Visibility,
)

GENERATOR_VERSION = 2
PROMPT_VERSION = 2
SCORER_VERSION = 1


class Versions(msgspec.Struct, frozen=True, order=True):
    """The versions of the generator, the prompts and the scorer. Figures of different versions cannot be compared."""

    generator: int = GENERATOR_VERSION
    prompts: int = PROMPT_VERSION
    scorer: int = SCORER_VERSION

    def __str__(self) -> str:
        return f"generator {self.generator}, prompts {self.prompts}, scorer {self.scorer}"


class TaskKey(msgspec.Struct, frozen=True, order=True):
    """The key that a task is generated from."""

    task_type: TaskType
    difficulty: Difficulty
    instance: int
    seed: int


class Case(msgspec.Struct, frozen=True):
    """One point of the matrix: everything that determines its outcome, except the randomness of the model.

    `severity` is None exactly if `prompt_type` has no flaw. `timeout_s` None means no limit, `temperature` None the
    endpoint's default. `flaws` is how many kinds a flaw combines. `request_parameters` is the JSON text of the
    parameters of requests that the user asked for (`core.request_parameters`), empty without any. `flaw_visibility` is
    the visibility that the flaw should have; a task that is too small for it gets the next more visible one.
    """

    model: str
    prompt_type: PromptType
    task_type: TaskType
    difficulty: Difficulty
    tool_success_rate: float
    severity: Severity | None
    instance: int
    repeat: int
    seed: int
    max_turns: int = 30
    timeout_s: float | None = None
    temperature: float | None = None
    prompt_variant: PromptVariant = PromptVariant.STANDARD
    tool_protocol: ToolProtocol = ToolProtocol.NATIVE
    has_tool_discovery: bool = False
    flaws: int = 1
    request_parameters: str = ""
    flaw_visibility: Visibility | None = None

    @property
    def task_key(self) -> TaskKey:
        return TaskKey(self.task_type, self.difficulty, self.instance, self.seed)

    @property
    def case_id(self) -> str:
        """The case's identity with the current versions."""
        return self.identify(Versions())

    def identify(self, versions: Versions) -> str:
        """Return a hash over every field and the versions of generator, prompts and scorer: 16 hex digits.

        Without request parameters, and without a visibility, it is the one from before there were any.
        """
        fields = msgspec.to_builtins(self)
        if not self.request_parameters:
            del fields["request_parameters"]
        if self.flaw_visibility is None:
            del fields["flaw_visibility"]
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
        return (self.model, self.task_key, self.tool_success_rate, self.repeat, *shown)


def short_name(nodeid: str) -> str:
    """Return the bracketed part of a case's node id; the whole node id if the test is a user's own."""
    suite, _, rest = nodeid.partition("::test_workflow[")
    return rest.removesuffix("]") if rest and suite.endswith("test_workflows.py") else nodeid
