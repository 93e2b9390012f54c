"""The status of a run as one line of a log."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ultra.core.progress import ModelTally
from pytest_ultra.reporting.live_status import status_text
from pytest_ultra.reporting.live_status.status_snapshot import StatusContext
from tests.reporting.status_factory import TALLIED, THREE, make_shard, make_status


def test_a_line_has_all_figures() -> None:
    assert status_text.plain_line(THREE) == (
        "ultra: 33/150 done (10 reused); 33.0 episodes/min; ETA 2:24; 37 calls in flight, 4 waiting for limits; "
        "13.2 calls/s; 1,234,567 tokens, $0.42; gw0 20/50, gw1 13/50, gw2 0/50"
    )


def test_of_many_workers_the_slowest_and_the_fastest_are_named() -> None:
    status = make_status(*(make_shard(number, done=(7 * number) % 50) for number in range(12)))
    assert status_text.plain_line(status).endswith("; 12 workers, from gw0 0/50 to gw7 49/50")


def test_a_run_in_one_process_names_no_worker() -> None:
    status = make_status(make_shard(0, worker="main", done=50, in_flight=1, tokens=1))
    assert status_text.plain_line(status) == (
        "ultra: 50/50 done; all done; 1 call in flight, 0 waiting for limits; 1 token, cost unknown"
    )


def test_a_shard_of_unknown_size_has_a_question_mark() -> None:
    assert status_text.done_of_planned(make_shard(0, planned=None, done=3)) == "3/?"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (9.6, "0:10"), (59.7, "1:00"), (3599, "59:59"), (3600, "1:00:00")]
)
def test_durations_are_formatted_like_a_clock(seconds: float, shown: str) -> None:
    assert status_text.clock(seconds) == shown


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [(1, "1 token"), (9_999, "9,999 tokens"), (10_000, "10k tokens"), (1_250_000, "1.2M tokens")],
)
def test_large_numbers_of_tokens_are_rounded(tokens: int, shown: str) -> None:
    assert status_text.short_tokens(tokens) == shown


def test_what_the_endpoint_said_is_shown_while_calls_wait() -> None:
    status = make_status(make_shard(0, waiting=2), make_shard(1, waiting=1, said="status 429: slow\ndown \x1b[31m"))
    assert status_text.plain_line(status).endswith("; the endpoint says: status 429: slow down \\x1b[31m")


def test_a_line_has_the_results_so_far_and_the_budget() -> None:
    assert status_text.plain_line(TALLIED) == (
        "ultra: 33/100 done (12 reported); 15 passed, 13 failed, 1 error; b 50% of 20; a 50% of 8; ETA -; "
        "0 calls in flight, 3 waiting for limits, 1 to try again; 900,000 tokens of 2,000,000, $0.30 of $1.50; "
        "gw0 20/50, gw1 13/50"
    )


def test_of_many_models_four_are_named() -> None:
    tallies = tuple(ModelTally(f"model-{number}", 1, 1, 0) for number in range(7))
    shown = status_text.outcomes(make_status(make_shard(0, tallies=tallies)))
    assert shown == ["7 passed, 0 failed, 0 errors", *(f"model-{n} 100% of 1" for n in range(4)), "and 3 more models"]


def test_a_run_that_may_end_early_has_limits_instead_of_totals() -> None:
    status = msgspec.structs.replace(THREE, context=StatusContext(may_end_early=True))
    line = status_text.plain_line(status)
    assert line.startswith("ultra: 33 of up to 150 done (10 reused); ")
    assert "; ETA at most 2:24; " in line
