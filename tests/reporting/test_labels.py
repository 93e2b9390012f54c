"""Every outcome, failure class and end reason has a description."""

from __future__ import annotations

from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.reporting.labels import END_REASONS, FAILURE_CLASSES, OUTCOMES


def test_nothing_is_without_a_description() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(FAILURE_CLASSES) == set(FailureClass)
    assert set(END_REASONS) == set(EndReason)


def test_no_two_outcomes_and_no_two_classes_have_the_same_description() -> None:
    assert len(set(OUTCOMES.values())) == len(Outcome)
    assert len(set(FAILURE_CLASSES.values())) == len(FailureClass)
