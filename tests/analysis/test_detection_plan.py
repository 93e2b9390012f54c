"""A plan detects what it promises."""

from __future__ import annotations

import pytest

from pytest_ultra.analysis.detection_plan import EXPECTED_DISCORDANT, detectable_by, tasks_to_detect
from pytest_ultra.analysis.mcnemar import ALPHA, power_of_test


@pytest.mark.parametrize("family", [1, 7])
@pytest.mark.parametrize("difference", [0.05, 0.1, 0.2])
def test_the_tasks_for_a_difference_detect_it_four_times_out_of_five(difference: float, family: int) -> None:
    tasks = tasks_to_detect(difference, family)
    discordant = max(difference, EXPECTED_DISCORDANT)
    assert power_of_test(tasks, difference, discordant, ALPHA / family) == pytest.approx(0.8, abs=0.05)
    assert detectable_by(tasks, family) == pytest.approx(difference, rel=0.1)


def test_a_few_tasks_of_a_large_family_detect_nothing() -> None:
    assert detectable_by(5, 7) is None
