"""Names that look like a given one and stand for something else: other editions, numbers, teams, subjects."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

NAME_PARTS: Sequence[Sequence[str]] = (
    ("finance", "operations", "support", "planning", "audit", "sales"),
    ("summary", "digest", "briefing", "overview", "extract", "selection", "handover"),
    ("jobs", "review", "intake"),
    ("quarterly", "monthly", "weekly"),
    ("ledger", "fleet", "metrics", "catalog", "frontdesk", "archive"),
    ("login", "search", "basket", "profile", "export", "status", "orders"),
    ("logs", "exports", "inbox", "scans"),
    ("orders", "users", "incidents", "shipments", "invoices", "campaigns"),
    ("crm", "ext", "erp"),
)
"""Parts of names, in groups of which any can stand in place of another."""

_DIGITS = re.compile(r"\d+")
_PART = re.compile(r"[A-Za-z]+")
_STEPS = (1, -1, 2, -2, 10, -10)


def siblings(name: str, names: Collection[str]) -> list[str]:
    """Return names of the same shape: those in `names` first, then made-up ones.

    A name of the same shape differs in digits or in one part alone, so that its look does not give it away.
    """
    made = list(dict.fromkeys((*_other_numbers(name), *_other_parts(name))))
    known = [other for other in names if other != name and shape(other) == shape(name)]
    return [*known, *(other for other in made if other != name and other not in known)]


def shape(name: str) -> str:
    """Return the name without what distinguishes it from its siblings: digits and known parts."""
    return _PART.sub(lambda match: _group(match[0]), _DIGITS.sub(lambda match: "0" * len(match[0]), name))


def _group(part: str) -> str:
    found = (place for place, parts in enumerate(NAME_PARTS) if part.lower() in parts)
    place = next(found, None)
    return part if place is None else f"<{place}>"


def _other_numbers(name: str) -> Iterator[str]:
    """Change the last number by a little; it keeps its width."""
    matches = list(_DIGITS.finditer(name))
    if not matches:
        return
    last = matches[-1]
    for step in _STEPS:
        number = int(last[0]) + step
        least = 10 ** (len(last[0]) - 1) if last[0][0] != "0" else 1
        if least <= number < 10 ** len(last[0]):
            yield f"{name[: last.start()]}{number:0{len(last[0])}}{name[last.end() :]}"


def _other_parts(name: str) -> Iterator[str]:
    """Change one part for another of its group."""
    for match in _PART.finditer(name):
        for parts in NAME_PARTS:
            if match[0].lower() in parts:
                for other in parts:
                    if other != match[0].lower():
                        yield name[: match.start()] + _like(match[0], other) + name[match.end() :]
                break


def _like(model: str, word: str) -> str:
    return word.capitalize() if model[0].isupper() else word
