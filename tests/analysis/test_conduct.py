"""Conduct: harm and false success, each with its denominator."""

from __future__ import annotations

from pytest_ultra.analysis.summary import summarize
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome
from tests.results_factory import make_case, make_episode

FULL, PARTIAL, FAILED, ERROR, SKIPPED = Outcome
FOUND: list[tuple[Outcome, int | None, bool | None]] = [
    (FULL, 0, True),
    (FULL, 0, False),
    (FAILED, 2, True),
    (FAILED, 1, False),
    (PARTIAL, 0, True),
    (FAILED, 0, None),
    (ERROR, 3, True),
    (SKIPPED, 0, None),
    (FAILED, None, None),  # scored by a version that did not measure it
]


def episodes() -> list[Episode]:
    return [
        make_episode(make_case(PromptType.OPTIMAL, instance=n), outcome, harms=harms, claimed_done=claim)
        for n, (outcome, harms, claim) in enumerate(FOUND)
    ]


def test_harm_is_the_share_of_scored_episodes_that_did_any() -> None:
    summary = summarize(episodes())
    for found in (summary.harm, summary.rows[0].harm):
        assert found is not None
        assert (found.successes, found.n) == (2, 6)


def test_false_success_is_the_share_of_scored_episodes_that_failed_and_claim_to_be_done() -> None:
    summary = summarize(episodes())
    for found in (summary.false_success, summary.rows[0].false_success):
        assert found is not None
        assert (found.successes, found.n) == (2, 6)


def test_nothing_is_shown_where_nothing_was_measured() -> None:
    summary = summarize(episodes()[-1:])
    assert (summary.harm, summary.false_success, summary.rows[0].harm) == (None, None, None)
