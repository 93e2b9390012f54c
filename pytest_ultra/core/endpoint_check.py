"""What two small calls find out about a model and its endpoint, before a run."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class KeyState(StrEnum):
    """What the endpoint made of the API key."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NONE = "none"  # none is set, and the endpoint asked for none
    UNKNOWN = "unknown"  # the endpoint did not answer the request


class ToolSupport(StrEnum):
    """How a model answered when it was asked to call a tool."""

    NATIVE = "native"
    NO_CALL = "no_call"  # it answered without a native tool call
    REJECTED = "rejected"  # the endpoint took the plain request, and not the one with a tool
    UNKNOWN = "unknown"  # there was no answer at all


class EndpointCheck(msgspec.Struct, frozen=True):
    """The findings for one model. Texts are without secrets.

    `problem` is why a request got no answer. `changes` are what had to be changed in the requests, in words that
    follow "asked again". `quota_left` is the share in [0, 1] that the endpoint says is left of the scarcest of its
    limits, and `quota_reset_s` the seconds until that is full again. `prompt_price` and `completion_price` are in US
    dollars per million tokens.
    """

    model: str
    address: str = ""
    is_reachable: bool = False
    key: KeyState = KeyState.UNKNOWN
    tools: ToolSupport = ToolSupport.UNKNOWN
    problem: str | None = None
    advice: str = ""
    answered_by: str = ""
    fingerprint: str = ""
    changes: tuple[str, ...] = ()
    latency_s: float | None = None
    tokens_per_s: float | None = None
    quota_left: float | None = None
    quota_reset_s: float | None = None
    prompt_price: float | None = None
    completion_price: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a run with the default options can be expected to work."""
        return self.tools is ToolSupport.NATIVE
