"""From a third of a long run on, it is known within a fifth when it will have ended, whatever course it takes."""

from __future__ import annotations

import pytest

from pytest_ultra.core.progress import Burden, Cohort
from pytest_ultra.reporting.live_status.episode_lengths import Lengths
from pytest_ultra.reporting.live_status.eta import Latency, Speed, remaining_s
from pytest_ultra.reporting.live_status.status_forecast import Outlook, with_unknown
from tests.reporting.played_run import Call, Chance, Plan, PlayedRun
from tests.reporting.statuses import make_shard, make_status

EVERY_S = 1.0
SUCCESS_RATE = 0.8


def usual(chance: Chance) -> tuple[int, int]:
    """A model that does each step until it succeeds, four times out of five."""
    steps = chance.choice([3, 4, 4, 5, 6, 8])
    expected = round(steps / SUCCESS_RATE + 1)
    answers = 1
    while steps:
        answers += 1
        steps -= chance.random() < SUCCESS_RATE
    return expected, answers


def moody(chance: Chance) -> tuple[int, int]:
    """A model that takes now less and now more than was expected."""
    expected, _ = usual(chance)
    return expected, max(1, round(expected * chance.lognormvariate(0, 0.25)))


def hasty(chance: Chance) -> tuple[int, int]:
    """A model that is done with two thirds of the calls that were expected."""
    expected, needed = usual(chance)
    return expected, max(1, round(needed * 2 / 3))


def takes(mean_s: float, call: Call) -> float:
    return mean_s * call.chance.lognormvariate(-0.18, 0.6)


COURSES = {
    "few calls in flight, all episodes in step": Plan([100] * 3, usual, lambda c: takes(1.5, c), lambda _: 20),
    "answers that always take the same": Plan([400] * 3, usual, lambda _: 2.0, lambda _: 30),
    "all episodes at once": Plan([150] * 3, usual, lambda c: c.chance.uniform(10, 30)),
    "few episodes at a time": Plan([300] * 3, usual, lambda c: takes(1.5, c), slots=16),
    "one episode at a time": Plan([100], usual, lambda c: takes(1.5, c), slots=1),
    "many episodes": Plan([600] * 3, usual, lambda c: takes(3, c), lambda _: 200),
    "episodes shorter than expected": Plan([300] * 3, hasty, lambda c: takes(1.5, c), slots=16),
    "episodes of more different lengths": Plan([300] * 3, moody, lambda c: takes(1.5, c), slots=16),
    "workers that start one after another": Plan(
        [200] * 4, usual, lambda c: takes(1.5, c), lambda _: 24, starts_s=[0, 10, 20, 30]
    ),
    "workers of unequal speed": Plan([400] * 3, usual, lambda c: takes((1, 2, 3)[c.worker], c), slots=16),
    "a slow start": Plan([300] * 3, usual, lambda c: takes(12 if c.at < 60 else 2, c), slots=16),
    "a limit that grows": Plan([300] * 3, usual, lambda c: takes(2, c), lambda t: min(60, 5 + t)),
    "a limit that is cut again and again": Plan(
        [300] * 3, usual, lambda c: takes(2, c), lambda t: 60 if t % 40 < 30 else 20
    ),
    "a server that answers one by one": Plan([150], usual, lambda c: max(1, c.in_flight / 4) * 0.5),
    "stragglers": Plan([400] * 3, usual, lambda c: takes(1.5 if c.chance.random() > 0.01 else 15, c), slots=16),
}


@pytest.mark.parametrize("course", COURSES)
def test_the_end_is_foreseen_within_a_fifth(course: str) -> None:
    """Of what is left, at three points; and in between nothing is told that is far from it."""
    plan = COURSES[course]
    run = PlayedRun(plan)
    outlook = Outlook(lambda: sum(plan.shards), len(plan.shards), 0.0)
    told = [(at, outlook.observe(shards, at).eta_s) for at, shards in run.looks(EVERY_S) if shards]
    for part in (1 / 3, 1 / 2, 2 / 3):
        at, eta_s = min(told, key=lambda each: abs(each[0] - part * run.now))
        assert eta_s is not None
        assert eta_s == pytest.approx(run.now - at, rel=0.2), f"{part:.0%} of {run.now:.0f} s"
    off_s = [abs((eta_s or 0.0) - (run.now - at)) for at, eta_s in told if at > run.now / 3]
    assert max(off_s) < 0.25 * run.now


def test_before_the_first_answers_nothing_is_foreseen() -> None:
    outlook = Outlook(lambda: 50, 1, 100.0)
    for at in (100.5, 101.0, 130.0):
        status = outlook.observe([make_shard(0, in_flight=5)], at)
        assert status.eta_s is None
        assert status.call_rate is None
    assert status.elapsed_s == 30.0


def test_rates_are_those_of_the_last_part_of_the_run() -> None:
    outlook = Outlook(lambda: 50, 1, 0.0)
    for second in range(1, 101):
        answers = 4 * second if second < 60 else 236 + (second - 59)
        shard = make_shard(0, answers=answers, latency_s=float(answers), ahead=(Cohort(6, 2, 50),))
        status = outlook.observe([shard], float(second))
    assert status.call_rate == pytest.approx(1.0)


@pytest.mark.parametrize(("planned", "missing"), [(50, 30), (None, 80), (20, 0)])
def test_cases_of_which_nothing_is_known_are_foreseen_too(planned: int | None, missing: int) -> None:
    shard = make_shard(0, planned=planned, done=10, ahead=(Cohort(7, 1, 10),), ended=(Cohort(5, 5, 10),))
    status = make_status(shard, workers=2, planned=200)
    assert with_unknown(shard, status).ahead[1:] == ((Cohort(6, 0, missing),) if missing else ())


def test_of_the_first_cases_the_usual_is_expected() -> None:
    shard = make_shard(0)
    assert with_unknown(shard, make_status(shard)).ahead == (Cohort(6, 0, 50),)


def test_reused_episodes_take_no_time() -> None:
    speed = Speed([Latency(2.0, 0.0)], float("inf"), 1.0)
    ahead = (Cohort(6, 0, 1),)
    assert remaining_s([make_shard(0, ahead=ahead)], speed) == remaining_s(
        [make_shard(0, ahead=ahead, done=40, reused=40)], speed
    )


def test_a_long_queue_is_foreseen_without_playing_all_of_it() -> None:
    speed = Speed([Latency(2.0, 0.0)], float("inf"), 4.0)
    ahead = (Cohort(6, 0, 100_000),)
    ended = (Cohort(6, 6, 1_000),)
    found = remaining_s([make_shard(0, slots=4, ahead=ahead, ended=ended)], speed)
    assert found == pytest.approx(100_000 * 6 * 2 / 4, rel=0.02)


def test_load_counts_where_the_first_calls_show_that_it_does() -> None:
    burdens = [Burden(), Burden()]
    for calls in range(1, 101):
        burdens = [burden.plus(float(calls), calls * power) for burden, power in zip(burdens, (0.0, 1.0), strict=True)]
    assert [burden.calls for burden in burdens] == [100, 100]
    assert burdens[1].xy == burdens[1].xx == burdens[1].yy


def test_lengths_are_those_expected_as_long_as_nothing_is_known() -> None:
    chances = Lengths((), (), 30).ahead(10, 0)
    assert sum(chances) == pytest.approx(1.0)
    assert sum(more * chance for more, chance in enumerate(chances, 1)) == pytest.approx(10, rel=0.1)


def test_lengths_are_learnt() -> None:
    lengths = Lengths([Cohort(10, 20, 1_000)], [], 30)
    assert sum(more * chance for more, chance in enumerate(lengths.ahead(10, 0), 1)) == pytest.approx(20, rel=0.02)
    assert lengths.ahead(10, 19)[0] == pytest.approx(1.0, abs=0.01)


def test_episodes_under_way_count_for_as_long_as_they_have_lasted() -> None:
    """Were only those looked at that have ended, all would seem short."""
    lengths = Lengths([Cohort(10, 5, 10)], [Cohort(10, 9, 90)], 30)
    assert sum(lengths.ahead(10, 0)[:5]) == pytest.approx(0.1, abs=0.02)


def test_no_episode_is_foreseen_to_last_longer_than_it_may() -> None:
    assert len(Lengths((), (), 12).ahead(10, 0)) <= 12
    assert Lengths((), (), 12).ahead(10, 11) == [1.0]
