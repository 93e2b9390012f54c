"""What a run does where an option is not given and its default depends on other options."""

from __future__ import annotations

AGENT_TIMEOUT_S = 600.0
"""The time limit of an own agent's episode if the user gives none: nothing else would end one that hangs."""
MOST_INSTANCES = 50
"""Where a run with `--ultra-until` stops that has not reached what was asked for, unless the user says otherwise."""
