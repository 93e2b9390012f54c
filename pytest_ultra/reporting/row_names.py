"""Labels of a run's rows, for the HTML report and charts."""

from __future__ import annotations

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.figures import Row
from pytest_ultra.core.paired_evidence import Caveat
from pytest_ultra.reporting.html.html_text import safe_text

CAVEATS = {  # of one row; those that hold for many rows are printed once for all (caveats.py)
    Caveat.NO_DISCORDANT_PAIRS: "no pair differs",
    Caveat.UNPAIRED: "some cases have no scored counterpart",
}


def words(name: str) -> str:
    """Return an identifier of the benchmark as words: underscores become spaces."""
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
    """Return what the rows of a group have in common: model, tool success rate, prompt variant, versions."""
    parts = [safe_text(row.model, 100)]
    parts += [] if row.tool_success_rate is None else [f"tools {100 * row.tool_success_rate:g}%"]
    parts += [] if row.prompt_variant is None else [f"variant {row.prompt_variant}"]
    parts += [] if row.versions is None else [f"({row.versions})"]
    return " ".join(parts)
