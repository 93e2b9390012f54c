"""The verdict on an answer that is no reply: whose fault it is, and what the run does."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.transcript import EndReason
from pytest_ultra.errors import Verdict

__all__ = ["Judgement", "Verdict"]


class Judgement(msgspec.Struct, frozen=True):
    """A verdict, and for the model's own failure the reason with which the episode ends. `advice` is for the user."""

    verdict: Verdict
    end_reason: EndReason | None = None
    advice: str = ""
