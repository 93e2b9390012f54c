"""What a call works on by name, and the call that looks at what it would change."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_ultra.core.workflow import Call

_TARGETS = ("url", "path", "datastore", "topic", "key")

_LOOK_UPS = {
    "network_poster": ("url",),
    "network_router": ("field", "routes"),
    "integration_queue": ("name",),
    "integration_scheduler": ("name",),
    "utility_tracker": ("name",),
    "utility_notifier": ("recipient",),
    "utility_logger": ("level",),
}
"""The tools that change something, with the arguments by which they only look."""


def target_of(call: Call) -> str:
    """Return the address, path or name that a call is about; empty for one that works on earlier outputs alone."""
    return next((str(call.arguments[name]) for name in _TARGETS if name in call.arguments), "")


class DownTarget(msgspec.Struct, frozen=True):
    """What a permanent fault took down: a tool, or, unless it is empty, one target of it."""

    tool: str
    target: str = ""

    def includes(self, call: Call) -> bool:
        return call.tool == self.tool and self.target in ("", target_of(call))


def look_up_of(call: Call) -> Call | None:
    """Return the call of the same tool that shows what is there, None if the tool has none."""
    names = _LOOK_UPS.get(call.tool)
    arguments: dict[str, Any] = {name: value for name, value in call.arguments.items() if names and name in names}
    return Call(call.tool, arguments) if names else None


def is_look_up(call: Call) -> bool:
    return call == look_up_of(call)
