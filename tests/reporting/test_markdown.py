"""The Markdown summary shows what the terminal shows, and names of models and users never become markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

import pytest
from markdown_it import MarkdownIt

from pytest_ultra.analysis.gate_verdicts import GateEvaluator, decide
from pytest_ultra.analysis.run_comparison import compare_runs
from pytest_ultra.analysis.summary import summarize
from pytest_ultra.core.axes import PromptType, Severity
from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.gates import Gate, GateKind
from pytest_ultra.core.groups import GateOn
from pytest_ultra.reporting.markdown import MarkdownInput, cut, escape, render
from tests.results_factory import make_case, make_episode

F, X = Outcome.FULL, Outcome.FAILED
MISUSE = PromptType.FLAWED_TOOL_MISUSE


def episodes_of(outcomes: Iterable[Outcome], prompt_type: PromptType, *, model: str = "small") -> list[Episode]:
    return [
        make_episode(
            make_case(prompt_type, model=model, instance=instance),
            outcome,
            failure_class=None if outcome is F else FailureClass.TOOL_SELECTION,
        )
        for instance, outcome in enumerate(outcomes)
    ]


def make_input(
    episodes: list[Episode], *, reference: list[Episode] | None = None, gates: Iterable[Gate] = ()
) -> MarkdownInput:
    evaluator = GateEvaluator(episodes, reference or [], GateOn.EVIDENCE)
    return MarkdownInput(
        summary=summarize(episodes),
        run_id="20261124T090000.000000Z",
        seed=7,
        decision=decide(map(evaluator.evaluate, gates), 0) if gates else None,
        compared=None if reference is None else compare_runs(episodes, reference, ("now", "base.json")),
    )


def cells(text: str, first: str) -> list[str]:
    """Return the cells of the first table row that contains `first`."""
    row = next(line for line in text.splitlines() if line.startswith("|") and first in line)
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_row_has_its_rate_and_its_difference_with_their_intervals() -> None:
    text = render(make_input(episodes_of([F] * 4, PromptType.OPTIMAL) + episodes_of([F, X, X, F], MISUSE)))
    assert text.startswith("## pytest-ultra: 6 of 8 full\n")
    heads = cells(text, "prompt type")
    row = dict(zip(heads, cells(text, "misuse"), strict=True))
    assert (row["model"], row["prompt type"], row["success"], row["n"]) == (
        "small",
        "flawed\\_tool\\_misuse",
        "50.0%",
        "4",
    )
    assert (row["vs optimal"], row["pairs"]) == ("-50.0", "4")
    assert cells(text, "misuse")[3] == "15.0-85.0"
    assert "8 planned: 8 scored (6 full, 0 partial, 2 failed), 0 error, 0 skipped" in text
    assert "failure classes: tool\\_selection 2" in text
    assert f"<sub>run 20261124T090000.000000Z, seed 7, {Versions()}</sub>" in text


def test_axes_with_several_values_have_columns_of_their_own() -> None:
    episodes = [
        make_episode(make_case(MISUSE, severity=severity, tool_success_rate=rate))
        for severity in Severity
        for rate in (0.8, 0.6)
    ]
    heads = cells(render(make_input(episodes)), "prompt type")
    assert heads[:4] == ["model", "prompt type", "severity", "tool success rate"]


def test_gates_and_cases_that_got_worse_are_listed() -> None:
    now, before = episodes_of([F, X, X], PromptType.COT), episodes_of([F, F, F], PromptType.COT)
    gates = [Gate(GateKind.FAIL_UNDER, 0.5, "cot"), Gate(GateKind.MAX_REGRESSION, 1.0)]
    text = render(make_input(now, reference=before, gates=gates))
    assert text.startswith("## pytest-ultra: 1 of 2 gates met, 1 undecided: exit code 0\n")
    assert cells(text, "fail-under") == [
        "fail-under cot=0.5",
        "1 of 3 full, 33.3%, 90% interval 7.8-74.6 over 3 tasks, at least 50.0%",
        "**undecided (about 54 tasks would decide it)**",
    ]
    assert "### Compared with base.json" in text
    assert cells(text, "| all |")[:4] == ["all", "100.0% of 3", "33.3% of 3", "-66.7"]
    assert "Worse than before (2):" in text
    assert "- small-cot-simple\\_task-easy-1: full -> failed" in text


def test_of_many_cases_that_got_worse_only_some_are_listed() -> None:
    text = render(make_input(episodes_of([X] * 60, PromptType.COT), reference=episodes_of([F] * 60, PromptType.COT)))
    assert text.count(": full -> failed") == 50
    assert "- and 10 more" in text


HOSTILE = "<img src=x onerror=alert(1)>|x `a` *b* [c](http://evil.example) @team www.evil.example \x1b[31m #1 &amp; \\|"


def test_a_hostile_name_stays_a_name() -> None:
    """No tag, table cell, link, mention or terminal code gets through."""
    reference = episodes_of([F], PromptType.COT, model=HOSTILE)
    text = render(make_input(episodes_of([X], PromptType.COT, model=HOSTILE), reference=reference))
    assert "<img" not in text
    assert "\x1b" not in text
    assert "://" not in text
    assert "www." not in text
    assert "@team" not in text
    assert "](" not in text.replace("\\](", "")
    assert len(cells(text, "cot")) == len(cells(text, "prompt type"))


def test_a_renderer_shows_a_hostile_name_as_plain_text() -> None:
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(f"| a |\n| :-- |\n| {escape(HOSTILE)} |\n")
    cell = page.partition("<tbody>")[2].partition("<td")[2].partition(">")[2].partition("</td>")[0]
    assert re.findall(r"<(?!!-- -->)", cell) == []
    shown = html.unescape(cell.replace("<!-- -->", ""))
    assert shown == HOSTILE.replace("\x1b", "\\x1b")


@pytest.mark.parametrize("character", sorted("\\`*_{}[]#!~$^"))
def test_every_mark_is_escaped(character: str) -> None:
    assert escape(f"a{character}b") == f"a\\{character}b"


def test_a_summary_that_is_too_long_is_cut_at_the_end_of_a_line() -> None:
    text = render(make_input(episodes_of([X] * 60, PromptType.COT), reference=episodes_of([F] * 60, PromptType.COT)))
    short = cut(text, 2_000)
    assert len(short.encode()) <= 2_000
    assert short.endswith("*The summary was cut here because it exceeds the size limit.*\n")
    kept = short.partition("\n\n*The summary was cut")[0]
    assert text.startswith(kept + "\n")
    assert cut(text, len(text.encode())) == text
    assert cut(text, 10) == ""
