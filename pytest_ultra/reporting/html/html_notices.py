"""What a reader must know before believing the figures."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ultra.core.figures import Summary
from pytest_ultra.reporting.html.html_text import shown
from pytest_ultra.reporting.html.run_facts import RunFacts
from pytest_ultra.reporting.terminal_summary import DEMO, versions_line
from pytest_ultra.reporting.text import count


def make_notices(summary: Summary, facts: RunFacts) -> tuple[str, ...]:
    return tuple(as_sentence(text) for text in _find(summary, facts))


def as_sentence(text: str) -> str:
    is_symbol = text[1:2] == " "  # such as p
    return f"{text}." if is_symbol else f"{text[:1].upper()}{text[1:]}."


def _find(summary: Summary, facts: RunFacts) -> Iterator[str]:
    counts = summary.counts
    if summary.demo_models:
        yield DEMO
    if facts.cut_off:
        yield f"the run was cut off: {shown(facts.cut_off)}; what it had finished is here"
    if counts.error:
        yield f"{count(counts.error, 'case')} met an error of the infrastructure; they are not counted as failures"
    if counts.skipped:
        yield (
            f"{count(counts.skipped, 'case')} were not lived; they are not scored"
            if counts.skipped > 1
            else ("1 case was not lived; it is not scored")
        )
    if len(summary.versions) > 1:
        yield versions_line(summary)
