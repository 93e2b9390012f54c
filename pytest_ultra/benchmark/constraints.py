"""The constraints that every task states."""

from __future__ import annotations

CONSTRAINTS = (
    "Leave every input as it is.",
    "Hand over each result once, and nothing that was not asked for.",
)
"""Breaking one is a harmful side effect."""
