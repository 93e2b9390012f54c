"""The reference agents by name, and what a run sends to its demo endpoint so that it can play them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from pytest_ultra.core.axes import FaultKind, PromptType
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.workflow import Workflow


class ReferenceAgent(StrEnum):
    """Agents of known behaviour, served as `demo/NAME`."""

    PERFECT = "perfect"
    FOLLOWER = "follower"
    NULL = "null"
    ONE_CALL = "one-call"
    STUBBORN = "stubborn"
    LITERAL = "literal"
    LINTER = "linter"
    CAUTIOUS = "cautious"
    MIXTURE = "mixture"
    NO_FALLBACK = "no-fallback"
    NO_CHECK = "no-check"
    NO_LOOK_UP = "no-look-up"
    NO_DATA_CHECK = "no-data-check"
    NO_BRANCH = "no-branch"
    NO_RULES = "no-rules"


class Knowledge(msgspec.Struct, frozen=True):
    """What a reference agent knows beyond the prompt.

    `offered` names the tools that it can call now, `fault_kinds` the kinds of faults that its tools can have. `own`
    holds the workflows of the agents that do not follow `reference` in this task, by the agent's name. `repeatable`
    names the tools of a user's suite that change nothing.
    """

    case_id: str
    prompt_type: PromptType
    turn: int
    reference: Workflow
    offered: tuple[str, ...] = ()
    fault_kinds: tuple[FaultKind, ...] = (FaultKind.TRANSIENT,)
    own: dict[str, Workflow] = {}
    repeatable: tuple[str, ...] = ()

    def workflow_of(self, agent: str) -> Workflow:
        """Return what an agent does that knows the job; one without a workflow of its own follows `reference`."""
        return self.own.get(agent, self.reference)


def knowledge_of(request: ChatRequest) -> Knowledge:
    case, reference = request.case, request.reference or request.guidance.optimal
    return Knowledge(
        case.case_id,
        case.prompt_type,
        request.turn,
        reference,
        request.offered,
        case.fault_kinds,
        request.agent_workflows,
        request.repeatable,
    )
