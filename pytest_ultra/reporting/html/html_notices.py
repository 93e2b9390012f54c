"""Notices above the figures: what a reader must know to interpret them."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ultra.core.figures import Summary
from pytest_ultra.core.token_usage import CHARS_PER_TOKEN
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.html.run_facts import RunFacts
from pytest_ultra.reporting.terminal_summary import DEMO, versions_line
from pytest_ultra.reporting.text import count


def make_notices(summary: Summary, facts: RunFacts) -> tuple[str, ...]:
    return tuple(as_sentence(text) for text in _notices(summary, facts))


def as_sentence(text: str) -> str:
    is_symbol = text[1:2] == " "  # such as p, which stays in lower case
    return f"{text}." if is_symbol else f"{text[:1].upper()}{text[1:]}."


def _notices(summary: Summary, facts: RunFacts) -> Iterator[str]:
    counts = summary.counts
    if summary.demo_models:
        yield DEMO
    if facts.interruption:
        yield f"the run was interrupted: {safe_text(facts.interruption)}; this report covers what it had finished"
    if counts.error:
        yield f"{count(counts.error, 'case')} had an infrastructure error, which does not count as a failure"
    if counts.skipped:
        are = "were not run; they are" if counts.skipped > 1 else "was not run; it is"
        yield f"{count(counts.skipped, 'case')} {are} not scored"
    if summary.estimated_requests:
        yield (
            f"{count(summary.estimated_requests, 'request')} came back without token counts; figures that rest "
            f"on them are estimated at {CHARS_PER_TOKEN} characters per token, and marked ~"
        )
    if len(summary.versions) > 1:
        yield versions_line(summary)
