"""Cases for `pytest-ultra show`: of a run, or made from options without a run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pytest_ultra.collection.case_names import parse_case_id
from pytest_ultra.collection.planned_cases import draw_visibility
from pytest_ultra.collection.run_suite import SUITE, open_guidance_cache
from pytest_ultra.core.axes import (
    DRAWN_VISIBILITIES,
    MOST_FLAWS,
    Difficulty,
    FaultKind,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
    Visibility,
    join_fault_kinds,
)
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.errors import ConfigurationError, UnflawableError
from pytest_ultra.storage.run_directory import RunDirectory

DEFAULTS: Mapping[str, Any] = {
    "model": "demo",
    "prompt_type": PromptType.OPTIMAL,
    "task_type": TaskType.SIMPLE_TASK,
    "difficulty": Difficulty.EASY,
    "severity": Severity.SEVERE,
    "tool_success_rate": 0.8,
    "instance": 0,
    "repeat": 0,
    "seed": 0,
    "max_turns": 30,
    "prompt_variant": PromptVariant.STANDARD,
    "tool_protocol": ToolProtocol.NATIVE,
    "has_tool_discovery": False,
    "flaws": 1,
    "fault_kind": FaultKind.TRANSIENT.value,
    "flaw_visibility": None,
}
"""The axes of a case that are not given; they are the defaults of a run's options. A visibility is drawn as there."""


def add_axes(parser: argparse.ArgumentParser) -> None:
    """Add an option for each axis of a case; an option that is not given is None."""
    group = parser.add_argument_group("preview a case without running it", "the plan comes from the benchmark")
    group.add_argument("--model", metavar="NAME", help="(default: demo)")
    for flag, members in _CHOICES.items():
        default = DEFAULTS[flag[2:].replace("-", "_")] or "drawn as in a run"
        group.add_argument(
            flag, metavar="NAME", choices=[*map(str, members)], help=f"{', '.join(members)} (default: {default})"
        )
    group.add_argument("--tool-success-rate", metavar="RATE", type=float, help="(default: 0.8)")
    kinds = ", ".join(FaultKind)
    for name in ("instance", "repeat", "seed", "max-turns"):
        at_least = 1 if name == "max-turns" else 0
        help_text = f"(default: {DEFAULTS[name.replace('-', '_')]})"
        group.add_argument(f"--{name}", metavar="N", type=_whole(at_least), help=help_text)
    group.add_argument("--flaws", metavar="N", type=int, choices=range(1, MOST_FLAWS + 1), help="(default: 1)")
    group.add_argument("--fault-kind", metavar="KIND[,KIND]", type=_fault_kinds, help=f"{kinds} (default: transient)")
    group.add_argument("--tool-discovery", dest="has_tool_discovery", action="store_true", default=None)


_CHOICES: Mapping[
    str, type[PromptType | TaskType | Difficulty | Severity | PromptVariant | ToolProtocol | Visibility]
] = {
    "--prompt-type": PromptType,
    "--task-type": TaskType,
    "--difficulty": Difficulty,
    "--severity": Severity,
    "--prompt-variant": PromptVariant,
    "--tool-protocol": ToolProtocol,
    "--flaw-visibility": Visibility,
}


def _whole(at_least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < at_least:
            raise argparse.ArgumentTypeError(f"{text!r} is not valid; give a whole number of at least {at_least}")
        return int(text)

    return parse


def _fault_kinds(text: str) -> str:
    try:
        return join_fault_kinds(FaultKind(name) for name in text.split(","))
    except ValueError:
        names = ", ".join(FaultKind)
        raise argparse.ArgumentTypeError(f"{text!r} is not valid; choose one or more from {names}") from None


def axes_given(args: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name in DEFAULTS if (value := getattr(args, name)) is not None}


def make_case(name: str | None, given: Mapping[str, Any]) -> Case | None:
    """Return the case with these axes and those that `name` contains; None if `name` is not the id of a case."""
    parsed = parse_case_id(name) if name is not None else {}
    if parsed is None:
        return None
    values = {**DEFAULTS, **parsed, **given}
    if PromptType(values["prompt_type"]).flaw_kind is None:
        values |= {"severity": None, "flaws": 1, "flaw_visibility": None}
    if not 0 < float(values["tool_success_rate"]) <= 1:
        rate = values["tool_success_rate"]
        raise ConfigurationError(f"--tool-success-rate: {rate} is not valid; give a rate above 0 and up to 1")
    case = msgspec.convert(values, Case, strict=False)
    if case.flaw_visibility is not None:
        return case
    visibility = draw_visibility(DRAWN_VISIBILITIES, case.task_key, case.prompt_type, case.severity)
    return msgspec.structs.replace(case, flaw_visibility=visibility)


def find_guidance(case: Case, run: RunDirectory | None) -> AnyGuidance:
    """Return the guidance that a run generated for a case; generate it as the benchmark does if there is none."""
    try:
        if run is not None:
            return open_guidance_cache(run).get(case)
    except LookupError:
        pass
    try:
        return SUITE.make_guidance(case)
    except UnflawableError as error:
        raise ConfigurationError(f"there is no such case: {error}") from error
