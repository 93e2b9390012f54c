"""Presets: the axes of the published experiments, keyed by option name."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Preset(StrEnum):
    """The published experiments, 5.1 to 5.5."""

    OVERALL = "overall"
    SIZE = "size"
    FLAWED = "flawed"
    RELIABILITY = "reliability"
    SENSITIVITY = "sensitivity"


_ALL = {
    "prompt_type": "optimal",
    "task_type": "all",
    "difficulty": "easy",
    "severity": "severe",
    "flaws_per_case": "1",
    "tool_success_rate": "0.8",
    "fault_kind": "transient",
}

AXES: Mapping[Preset, Mapping[str, str]] = {
    Preset.OVERALL: _ALL,
    Preset.SIZE: _ALL | {"difficulty": "very_easy,medium"},
    Preset.FLAWED: _ALL | {"prompt_type": "optimal,flawed"},
    Preset.RELIABILITY: _ALL | {"tool_success_rate": "0.9,0.8,0.7,0.6"},
    Preset.SENSITIVITY: _ALL | {"prompt_type": "baseline,cot,optimal"},
}
"""The axes of the published experiments. The user chooses instances, repeats, seed and models."""
