"""From a third of a long run on, the estimated time to its end is within 20 %, in many kinds of runs."""

from __future__ import annotations

import pytest

from pytest_ultra.core.progress import Burden, Cohort
from pytest_ultra.reporting.live_status.episode_lengths import EpisodeLengths
from pytest_ultra.reporting.live_status.eta import Latency, Speed, remaining_s
from pytest_ultra.reporting.live_status.status_forecast import StatusForecast, add_unreported_cases
from tests.reporting.simulated_run import Call, Chance, Scenario, SimulatedRun
from tests.reporting.status_factory import make_shard, make_status

SAMPLE_EVERY_S = 1.0
SUCCESS_RATE = 0.8


def typical_lengths(chance: Chance) -> tuple[int, int]:
    """A model that repeats each step until it succeeds, with a chance of 0.8."""
    steps = chance.choice([3, 4, 4, 5, 6, 8])
    expected = round(steps / SUCCESS_RATE + 1)
    answers = 1
    while steps:
        answers += 1
        steps -= chance.random() < SUCCESS_RATE
    return expected, answers


def variable_lengths(chance: Chance) -> tuple[int, int]:
    """A model that needs sometimes fewer and sometimes more answers than expected."""
    expected, _ = typical_lengths(chance)
    return expected, max(1, round(expected * chance.lognormvariate(0, 0.25)))


def short_lengths(chance: Chance) -> tuple[int, int]:
    """A model that needs two thirds of the expected answers."""
    expected, needed = typical_lengths(chance)
    return expected, max(1, round(needed * 2 / 3))


def latency_s(mean_s: float, call: Call) -> float:
    return mean_s * call.chance.lognormvariate(-0.18, 0.6)


SCENARIOS = {
    "few calls in flight, all episodes in lockstep": Scenario(
        [100] * 3, typical_lengths, lambda c: latency_s(1.5, c), lambda _: 20
    ),
    "constant latency": Scenario([200] * 3, typical_lengths, lambda _: 2.0, lambda _: 30),
    "all episodes at once": Scenario([150] * 3, typical_lengths, lambda c: c.chance.uniform(10, 30)),
    "few episodes at a time": Scenario([300] * 3, typical_lengths, lambda c: latency_s(1.5, c), slots=16),
    "one episode at a time": Scenario([100], typical_lengths, lambda c: latency_s(1.5, c), slots=1),
    "many episodes": Scenario([400] * 3, typical_lengths, lambda c: latency_s(3, c), lambda _: 200),
    "episodes shorter than expected": Scenario([300] * 3, short_lengths, lambda c: latency_s(1.5, c), slots=16),
    "episodes of widely different lengths": Scenario(
        [300] * 3, variable_lengths, lambda c: latency_s(1.5, c), slots=16
    ),
    "workers that start one after another": Scenario(
        [200] * 4, typical_lengths, lambda c: latency_s(1.5, c), lambda _: 24, starts_s=[0, 10, 20, 30]
    ),
    "workers of unequal speed": Scenario(
        [400] * 3, typical_lengths, lambda c: latency_s((1, 2, 3)[c.worker], c), slots=16
    ),
    "a slow start": Scenario([300] * 3, typical_lengths, lambda c: latency_s(12 if c.at < 60 else 2, c), slots=16),
    "a limit that grows": Scenario([300] * 3, typical_lengths, lambda c: latency_s(2, c), lambda t: min(60, 5 + t)),
    "a limit that is reduced repeatedly": Scenario(
        [300] * 3, typical_lengths, lambda c: latency_s(2, c), lambda t: 60 if t % 40 < 30 else 20
    ),
    "a server with a fixed throughput": Scenario([150], typical_lengths, lambda c: max(1, c.in_flight / 4) * 0.5),
    "stragglers": Scenario(
        [400] * 3, typical_lengths, lambda c: latency_s(1.5 if c.chance.random() > 0.01 else 15, c), slots=16
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_estimate_is_within_20_percent(name: str) -> None:
    """Check the remaining time at three points, and that no estimate in between is far off."""
    scenario = SCENARIOS[name]
    run = SimulatedRun(scenario)
    forecast = StatusForecast(lambda: sum(scenario.shards), len(scenario.shards), 0.0)
    estimates = [(at, forecast.observe(shards, at).eta_s) for at, shards in run.sample(SAMPLE_EVERY_S) if shards]
    for part in (1 / 3, 1 / 2, 2 / 3):
        at, eta_s = min(estimates, key=lambda each: abs(each[0] - part * run.now))
        assert eta_s is not None
        assert eta_s == pytest.approx(run.now - at, rel=0.2), f"{part:.0%} of {run.now:.0f} s"
    errors_s = [abs((eta_s or 0.0) - (run.now - at)) for at, eta_s in estimates if at > run.now / 3]
    assert max(errors_s) < 0.25 * run.now


def test_there_is_no_estimate_before_the_first_answers() -> None:
    forecast = StatusForecast(lambda: 50, 1, 100.0)
    for at in (100.5, 101.0, 130.0):
        status = forecast.observe([make_shard(0, in_flight=5)], at)
        assert status.eta_s is None
        assert status.call_rate is None
    assert status.elapsed_s == 30.0


def test_rates_cover_the_last_part_of_the_run() -> None:
    forecast = StatusForecast(lambda: 50, 1, 0.0)
    for second in range(1, 101):
        answers = 4 * second if second < 60 else 236 + (second - 59)
        shard = make_shard(0, answers=answers, latency_s=float(answers), ahead=(Cohort(6, 2, 50),))
        status = forecast.observe([shard], float(second))
    assert status.call_rate == pytest.approx(1.0)


@pytest.mark.parametrize(("planned", "missing"), [(50, 30), (None, 80), (20, 0)])
def test_unreported_cases_are_added(planned: int | None, missing: int) -> None:
    shard = make_shard(0, planned=planned, done=10, ahead=(Cohort(7, 1, 10),), ended=(Cohort(5, 5, 10),))
    status = make_status(shard, workers=2, planned=200)
    assert add_unreported_cases(shard, status).ahead[1:] == ((Cohort(6, 0, missing),) if missing else ())


def test_the_first_cases_have_the_default_length() -> None:
    shard = make_shard(0)
    assert add_unreported_cases(shard, make_status(shard)).ahead == (Cohort(6, 0, 50),)


def test_reused_episodes_take_no_time() -> None:
    speed = Speed([Latency(2.0, 0.0)], float("inf"), 1.0)
    ahead = (Cohort(6, 0, 1),)
    assert remaining_s([make_shard(0, ahead=ahead)], speed) == remaining_s(
        [make_shard(0, ahead=ahead, done=40, reused=40)], speed
    )


def test_a_long_queue_is_estimated_without_simulating_all_of_it() -> None:
    speed = Speed([Latency(2.0, 0.0)], float("inf"), 4.0)
    ahead = (Cohort(6, 0, 100_000),)
    ended = (Cohort(6, 6, 1_000),)
    found = remaining_s([make_shard(0, slots=4, ahead=ahead, ended=ended)], speed)
    assert found == pytest.approx(100_000 * 6 * 2 / 4, rel=0.02)


def test_burden_sums_show_the_effect_of_load() -> None:
    burdens = [Burden(), Burden()]
    for calls in range(1, 101):
        burdens = [burden.plus(float(calls), calls * power) for burden, power in zip(burdens, (0.0, 1.0), strict=True)]
    assert [burden.calls for burden in burdens] == [100, 100]
    assert burdens[1].xy == burdens[1].xx == burdens[1].yy


def test_without_observations_lengths_are_as_expected() -> None:
    chances = EpisodeLengths((), (), 30).remaining_answers(10, 0)
    assert sum(chances) == pytest.approx(1.0)
    assert sum(more * chance for more, chance in enumerate(chances, 1)) == pytest.approx(10, rel=0.1)


def test_lengths_adapt_to_observed_episodes() -> None:
    lengths = EpisodeLengths([Cohort(10, 20, 1_000)], [], 30)
    assert sum(more * chance for more, chance in enumerate(lengths.remaining_answers(10, 0), 1)) == pytest.approx(
        20, rel=0.02
    )
    assert lengths.remaining_answers(10, 19)[0] == pytest.approx(1.0, abs=0.01)


def test_unfinished_episodes_count_as_censored_observations() -> None:
    """With ended episodes only, all episodes would seem short."""
    lengths = EpisodeLengths([Cohort(10, 5, 10)], [Cohort(10, 9, 90)], 30)
    assert sum(lengths.remaining_answers(10, 0)[:5]) == pytest.approx(0.1, abs=0.02)


def test_no_episode_is_expected_to_exceed_the_maximum() -> None:
    assert len(EpisodeLengths((), (), 12).remaining_answers(10, 0)) <= 12
    assert EpisodeLengths((), (), 12).remaining_answers(10, 11) == [1.0]
