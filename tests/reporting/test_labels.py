"""Every outcome, failure class and ending has its words."""

from __future__ import annotations

from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.reporting.labels import END_REASONS, FAILURE_CLASSES, OUTCOMES


def test_nothing_is_without_words() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(FAILURE_CLASSES) == set(FailureClass)
    assert set(END_REASONS) == set(EndReason)


def test_no_two_outcomes_and_no_two_classes_read_alike() -> None:
    assert len(set(OUTCOMES.values())) == len(Outcome)
    assert len(set(FAILURE_CLASSES.values())) == len(FailureClass)
