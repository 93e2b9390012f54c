"""The names of a run's rows, as a page writes them."""

from __future__ import annotations

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.figures import Caveat, Row
from pytest_ultra.reporting.html.html_text import safe_text

CAVEATS = {  # of one row; what holds for many is said once for all of them
    Caveat.FEW_TASKS: "too few tasks to show anything",
    Caveat.NO_DISCORDANT_PAIRS: "all pairs came out alike",
    Caveat.UNPAIRED: "some cases have no scored counterpart",
}


def words(name: str) -> str:
    """Write a name of the benchmark as words."""
    return name.replace("_", " ")


def prompt_label(prompt_type: PromptType) -> str:
    return words(prompt_type.flaw_kind or prompt_type)


def kind_of_plan(prompt_type: PromptType) -> str:
    if prompt_type.flaw_kind:
        return "Flawed plan"
    return "Sound plan" if prompt_type.has_plan else "No plan"


def row_label(row: Row) -> str:
    name = f"flawed: {prompt_label(row.prompt_type)}" if row.prompt_type.flaw_kind else prompt_label(row.prompt_type)
    return f"{name}, {row.severity}" if row.severity else name


def heading(row: Row) -> str:
    """Say what a row has in common with those around it."""
    parts = [safe_text(row.model, 100)]
    parts += [] if row.tool_success_rate is None else [f"tools {100 * row.tool_success_rate:g}%"]
    parts += [] if row.prompt_variant is None else [f"variant {row.prompt_variant}"]
    parts += [] if row.versions is None else [f"({row.versions})"]
    return " ".join(parts)
