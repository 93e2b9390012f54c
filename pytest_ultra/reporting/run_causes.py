"""What went wrong in a run as a whole: each cause of many errors once, with its remedy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.reporting.text import count, excerpt, neutralise

_FEWEST = 2  # errors with the same cause; a single one stands with its case
_MOST_CAUSES = 3
_CHARACTERS = 400
_VARYING = re.compile(r"\d[\d.,:]*|\b[0-9a-f]{8,}\b|\breq_\w+", re.IGNORECASE)
_HAS_REMEDY = re.compile(r"\bcheck that\b|\bcheck the\b|\bdid you mean\b|--ultra-|\buse that address\b")
_REMEDIES = (
    (
        r"quota|billing|credit|402|spend(ing)? limit|payment",
        "its account has nothing left to spend; add credit or use another key, and the next run resumes this one",
    ),
    (r"v1/responses|responses API", "--ultra-api responses asks it in the protocol that it wants"),
    (
        r"malformed|no chat completion",
        "it answers, but not as a chat completion; check the base URL, or choose its protocol with --ultra-api",
    ),
)
_FAMILIES = (("claude", "anthropic"), ("gemini", "google"), ("mistral", "mistral"), ("deepseek", "deepseek"))
"""Beginnings of the names of models that belong to one provider, and its prefix."""


def cause_lines(episodes: Sequence[Episode]) -> Iterator[str]:
    """Yield a line for each cause that several infrastructure errors share, the most frequent first."""
    planned = Counter(episode.case.model for episode in episodes)
    causes: dict[tuple[str, str], list[Episode]] = {}
    for episode in episodes:
        if episode.outcome is Outcome.ERROR and not episode.reused:
            key = _VARYING.sub("#", (episode.error or "").partition("\n")[0])
            causes.setdefault((episode.case.model, key), []).append(episode)
    shared = sorted((found for found in causes.values() if len(found) >= _FEWEST), key=len, reverse=True)
    for found in shared[:_MOST_CAUSES]:
        yield _line(found, planned[found[0].case.model])
    if len(shared) > _MOST_CAUSES:
        yield f"and {count(len(shared) - _MOST_CAUSES, 'other cause')} of errors, which the report shows"


def _line(episodes: Sequence[Episode], planned: int) -> str:
    first = episodes[0]
    error = excerpt((first.error or "no reason is known").partition("\n")[0], _CHARACTERS)
    cases = f"{len(episodes):,} of {count(planned, 'case')}"
    remedy = _find_remedy(first, error)
    return (
        f"{neutralise(first.case.model)}: {cases} ended in an error: {error}{f' Remedy: {remedy}.' if remedy else ''}"
    )


def _find_remedy(episode: Episode, error: str) -> str:
    """Return what the user can do; empty if the error says it."""
    if episode.score.failure_class is FailureClass.HARNESS:
        return ""
    if (hint := _provider_hint(episode.case, error)) is not None:
        return hint
    for words, remedy in _REMEDIES:
        if re.search(words, error, re.IGNORECASE):
            return remedy
    if _HAS_REMEDY.search(error):
        return ""
    if episode.score.failure_class is FailureClass.RATE_LIMIT:
        return "set a lower --ultra-rpm or --ultra-max-in-flight, or try later; the next run resumes this one"
    return f"`pytest-ultra check {neutralise(_asked(episode.case))}` tests the endpoint"


def _provider_hint(case: Case, error: str) -> str | None:
    """Return the model's name with its provider, if it was asked at another one that does not know it."""
    asked = _asked(case)
    provider = next((prefix for start, prefix in _FAMILIES if asked.lower().startswith(start)), None)
    if provider is None or not re.search(r"\b404\b|\b401\b|not found|does not exist", error):
        return None
    return f"name its provider, as in --ultra-model {provider}/{neutralise(asked)}"


def _asked(case: Case) -> str:
    """Return the model that requests go to."""
    return case.agent_model or case.model
