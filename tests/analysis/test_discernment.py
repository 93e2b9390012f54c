"""Discernment: d' and bias from counts of steps, and the verification cost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.analysis.discernment import detect, measure_discernment
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome
from tests.results_factory import make_case, make_episode


def episode(prompt_type: PromptType, instance: int = 0, outcome: Outcome = Outcome.FULL, **fields: Any) -> Episode:
    return make_episode(make_case(prompt_type, instance=instance), outcome, **{"look_ups": 0} | fields)


@pytest.mark.parametrize(
    ("counts", "d_prime", "bias"),
    [
        ((0, 0, 0, 5), None, None),
        ((0, 5, 0, 0), None, None),
        ((5, 10, 5, 10), 0.0, 0.0),
        ((69, 99, 30, 99), 2 * 0.51007, 0.0),  # shares of 0.695 and 0.305
        ((10, 10, 0, 10), 2 * 1.6906, 0.0),  # shares of 10.5/11 and 0.5/11
        ((0, 10, 0, 10), 0.0, 1.6906),  # trusts everything
        ((10, 10, 10, 10), 0.0, -1.6906),  # trusts nothing
    ],
)
def test_d_prime_and_bias_are_those_of_signal_detection(
    counts: tuple[int, int, int, int], d_prime: float | None, bias: float | None
) -> None:
    found = detect(*counts)
    if d_prime is None:
        assert found is None
    else:
        assert found == pytest.approx((d_prime, bias), abs=1e-4)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_more_hits_raise_d_prime_and_swapping_the_sides_negates_it(n: int, m: int, data: st.DataObject) -> None:
    hits, alarms = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, m))
    one, more, swapped = detect(hits, n, alarms, m), detect(hits + 1, n, alarms, m), detect(alarms, m, hits, n)
    assert one is not None
    assert more is not None
    assert swapped is not None
    assert more[0] > one[0]
    assert swapped == pytest.approx((-one[0], one[1]))


def test_the_steps_of_a_models_scored_episodes_are_added_up() -> None:
    flawed = PromptType.FLAWED_TOOL_MISUSE
    episodes = [
        episode(flawed, 0, damaged_steps=3, obeyed_steps=1, look_ups=9),
        episode(flawed, 1, Outcome.FAILED, damaged_steps=2, obeyed_steps=2),
        episode(flawed, 2, Outcome.ERROR, damaged_steps=7, obeyed_steps=7),
        episode(PromptType.OPTIMAL, 0, sound_steps=4, distrusted_steps=0, look_ups=1),
        episode(PromptType.OPTIMAL, 1, sound_steps=5, distrusted_steps=1, look_ups=4),
        episode(PromptType.OPTIMAL, 2, look_ups=None, sound_steps=9),  # scored by a version that did not measure it
        episode(PromptType.BASELINE, 0, look_ups=30),
    ]
    (found,) = measure_discernment(episodes)
    assert (found.damaged, found.obeyed, found.sound, found.distrusted) == (5, 3, 9, 1)
    assert (found.d_prime, found.bias) == detect(2, 5, 1, 9)
    assert (found.sound_plans, found.look_ups) == (2, 2.5)


def test_models_and_versions_of_the_scorer_are_kept_apart() -> None:
    episodes = [
        make_episode(make_case(model=model), look_ups=look_ups, scorer_version=version)
        for model, version, look_ups in (("b", 2, 1), ("a", 2, 2), ("a", 3, 4))
    ]
    found = [(d.model, d.versions and d.versions.scorer, d.look_ups) for d in measure_discernment(episodes)]
    assert found == [("a", 2, 2), ("a", 3, 4), ("b", 2, 1)]
    assert measure_discernment(episodes[:1])[0].versions is None
    assert measure_discernment([]) == ()
