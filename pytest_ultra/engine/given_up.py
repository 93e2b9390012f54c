"""Why a turn got no reply."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.transcript import EndReason


class GivenUp(msgspec.Struct, frozen=True):
    """An answer in place of the model's."""

    reason: EndReason
    detail: str
