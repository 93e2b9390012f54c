"""What an agent sees of an explicit fault: codes and messages, the same for built-in and for real tools."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_ultra.core.axes import FaultKind

UNAVAILABLE, OUT_OF_SERVICE, NO_REPLY = "UNAVAILABLE", "OUT_OF_SERVICE", "NO_REPLY"
"""The codes of transient faults of tools that name none of their own, of permanent faults, and of lost replies."""

MESSAGES: Mapping[FaultKind, str] = {
    FaultKind.TRANSIENT: "The call failed with the temporary error {code}; nothing was changed.",
    FaultKind.PERMANENT: "{what} is out of service and stays so; nothing was changed. Look for another way.",
    FaultKind.LOST_REPLY: "The connection broke before a reply came: the call may have taken effect or not. Look "
    "before you repeat it.",
}
