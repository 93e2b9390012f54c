"""Robustness to flawed plans: resilience, over-trust, recovery and its cost."""

from __future__ import annotations

from typing import Any

from pytest_ultra.analysis.robustness import measure_recovery_by_kind
from pytest_ultra.analysis.summary import summarize
from pytest_ultra.core.axes import FaultKind, PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.figures import Robustness, Row
from tests.results_factory import make_case, make_episode

FULL, PARTIAL, FAILED, ERROR, SKIPPED = Outcome
MISUSE = PromptType.FLAWED_TOOL_MISUSE


def episode_of(prompt_type: PromptType, instance: int, outcome: Outcome, **fields: Any) -> Episode:
    return make_episode(make_case(prompt_type, instance=instance), outcome, **fields)


def flawed_row(*episodes: Episode) -> Row:
    return next(row for row in summarize(episodes).rows if row.prompt_type is MISUSE)


def robustness(*episodes: Episode) -> Robustness:
    found = flawed_row(*episodes).robustness
    assert found is not None
    return found


def test_resilience_is_success_with_the_flaw_over_success_without_in_the_same_pairs() -> None:
    controls = [episode_of(PromptType.OPTIMAL, n, o) for n, o in enumerate((FULL, FULL, FULL, FAILED, ERROR))]
    flawed = [episode_of(MISUSE, n, o) for n, o in enumerate((FULL, FAILED, ERROR, FULL, FULL))]
    assert robustness(*controls, *flawed).resilience == 2 / 2


def test_without_a_control_that_succeeded_there_is_no_resilience() -> None:
    assert robustness(episode_of(PromptType.OPTIMAL, 0, FAILED), episode_of(MISUSE, 0, FULL)).resilience is None
    assert robustness(episode_of(MISUSE, 0, FULL)).resilience is None


def test_over_trust_is_the_mean_obedience_of_the_scored_that_had_damaged_steps() -> None:
    obedience = [(FULL, 0.0), (FAILED, 1.0), (FAILED, 0.5), (ERROR, 1.0), (PARTIAL, None)]
    found = robustness(*[episode_of(MISUSE, n, o, obedience=share) for n, (o, share) in enumerate(obedience)])
    assert (found.over_trust, found.damaged) == (0.5, 3)


def test_the_cost_of_recovery_is_over_pairs_in_which_both_succeeded() -> None:
    outcomes = [(FULL, FULL, 9), (FULL, FULL, 6), (FULL, FAILED, 1), (FAILED, FULL, 30)]
    episodes = []
    for n, (control, flawed, calls) in enumerate(outcomes):
        usage = {"prompt_tokens": 100 * calls, "completion_tokens": calls, "cost": 0.01 * calls}
        episodes.append(
            episode_of(PromptType.OPTIMAL, n, control, tool_calls=5, prompt_tokens=500, completion_tokens=5)
        )
        episodes.append(episode_of(MISUSE, n, flawed, tool_calls=calls, **usage))
    found = robustness(*episodes)
    assert (found.recovered, found.extra_calls, found.extra_tokens) == (2, 2.5, 252.5)
    assert found.extra_cost is None, "the controls' price is not known"


def test_cost_is_compared_only_if_both_prices_are_known() -> None:
    costs = [(0.25, 0.75), (None, 0.5), (0.5, None), (0.5, 0.5)]
    episodes = [
        episode_of(prompt_type, n, FULL, cost=cost)
        for n, pair in enumerate(costs)
        for prompt_type, cost in zip((PromptType.OPTIMAL, MISUSE), pair, strict=True)
    ]
    assert robustness(*episodes).extra_cost == 0.25


def test_recovery_is_of_random_faults_in_scored_episodes() -> None:
    faults = [(FULL, 3, 3), (FAILED, 2, 0), (ERROR, 9, 9), (FULL, 0, 0)]
    row = flawed_row(
        *[episode_of(MISUSE, n, o, random_faults=f, recovered_faults=r) for n, (o, f, r) in enumerate(faults)]
    )
    assert row.recovery is not None
    assert (row.recovery.successes, row.recovery.n) == (3, 5)
    assert flawed_row(episode_of(MISUSE, 0, FULL)).recovery is None


def test_only_flawed_plans_that_were_scored_have_robustness() -> None:
    rows = summarize(
        [episode_of(PromptType.OPTIMAL, 0, FULL), episode_of(PromptType.COT, 0, FULL), episode_of(MISUSE, 0, ERROR)]
    ).rows
    assert [row.robustness for row in rows] == [None] * 3


def test_recovery_is_measured_for_the_kinds_of_faults_that_occurred() -> None:
    faults = {
        "random_faults": 6,
        "recovered_faults": 3,
        "permanent_faults": 2,
        "recovered_permanent_faults": 1,
        "implicit_faults": 3,
        "recovered_implicit_faults": 2,
    }
    episodes = [episode_of(MISUSE, instance, FULL, **faults) for instance in range(2)]
    rates = {kind: (rate.successes, rate.n) for kind, rate in measure_recovery_by_kind(episodes)}
    assert rates == {FaultKind.TRANSIENT: (0, 2), FaultKind.PERMANENT: (2, 4), FaultKind.IMPLICIT: (4, 6)}
    assert measure_recovery_by_kind([]) == ()
