"""A row of the table of verdicts."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.transcript import EndReason
from pytest_ultra.errors import Verdict


class VerdictRow(msgspec.Struct, frozen=True):
    """One row. It fits an error for which each condition that is given holds.

    `words` is a pattern, searched in the codes and the message whatever their case; `codes` are whole codes or types,
    one of which must be there.
    """

    name: str
    verdict: Verdict
    source: str
    words: str = ""
    codes: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    provider: str = ""
    end_reason: EndReason | None = None
    advice: str = ""
