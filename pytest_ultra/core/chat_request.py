"""The request of one turn to a model, and the rate limits that its endpoint reports with the reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.request_parameters import decode_identity
from pytest_ultra.core.transcript import Reply
from pytest_ultra.core.workflow import Workflow

MAX_WAIT_S = 86_400.0
"""The longest wait that counts, a day: an endpoint that asks for a longer one is taken to ask for this."""


class ChatRequest(msgspec.Struct, frozen=True):
    """The request of one turn: its case, the turn (from 1), and what the model sees.

    `agent_workflows` is what reference agents do that do not follow the optimal workflow, by their names. It,
    `guidance`, `offered` (the names of the tools that can be called now, in any protocol), `reference` (the optimal
    workflow with its other ways, if not as the guidance has it) and `repeatable` (the tools of a user's suite that
    change nothing) are only for the embedded demo endpoint; other endpoints never get them. `route` is the number of
    the endpoint, if a model has several. `own_parameters` is the JSON text of the parameters that a user's own agent
    has put into its request.
    """

    case: Case
    guidance: AnyGuidance
    turn: int
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    offered: tuple[str, ...] = ()
    route: int = 0
    agent_workflows: dict[str, Workflow] = {}
    reference: Workflow | None = None
    own_parameters: str = ""
    repeatable: tuple[str, ...] = ()

    @property
    def requested(self) -> Mapping[str, Any]:
        """The parameters of `--ultra-request` that the case's identity holds; None means that one is not sent.

        Those of an agent's own request replace them.
        """
        if not self.own_parameters:
            return decode_identity(self.case.request_parameters)
        return {**decode_identity(self.case.request_parameters), **decode_identity(self.own_parameters)}

    @property
    def parameters(self) -> dict[str, Any]:
        """The optional parameters to send, by name."""
        asked = {"temperature": self.case.temperature, **self.requested}
        return {name: value for name, value in asked.items() if value is not None}

    def by(self, route: int) -> Self:
        return self if route == self.route else msgspec.structs.replace(self, route=route)


class Quota(msgspec.Struct, frozen=True):
    """What an endpoint says it has left: a share in [0, 1] of what it grants, and the seconds until that is full again.

    Of several counts (requests, tokens) it is the scarcest.
    """

    left: float
    reset_s: float = 0.0


class MeteredReply(Reply, frozen=True):
    """A reply with what was measured beside it: transcripts hold plain replies.

    The quota is for the limiter. `first_token_s` is the time to the first token of a reply that was streamed.
    """

    quota: Quota | None = None
    first_token_s: float | None = None


def metered(reply: Reply, quota: Quota | None, first_token_s: float | None = None) -> MeteredReply:
    return MeteredReply(**msgspec.structs.asdict(reply), quota=quota, first_token_s=first_token_s)


def plain(reply: Reply) -> Reply:
    """Return the reply without what was measured beside it."""
    if not isinstance(reply, MeteredReply):
        return reply
    return Reply(*msgspec.structs.astuple(reply)[: len(Reply.__struct_fields__)])
