"""Repeatedly killed runs over a faulty endpoint: no episode is lost, and none is run twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).parents[1] / "benchmarks" / "faults.py"
KILLS = 8
"""Kills in each of the four parts of the campaign, which workers can run in parallel."""


@pytest.mark.parametrize(
    ("seed", "disturbances"), [(0, ()), (1, ()), (2, ("signals",)), (3, ("signals",))], ids=["0", "1", "2-sig", "3-sig"]
)
def test_each_case_is_scored_once_and_only_calls_in_flight_at_a_kill_are_paid_for_twice(
    seed: int, disturbances: tuple[str, ...], show_figures: Callable[[str], None]
) -> None:
    """`benchmarks/faults.py 32` runs all kills as one; with `signals`, there are also interrupts and stops."""
    command = [sys.executable, str(CAMPAIGN), str(KILLS), str(seed), *disturbances]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    show_figures(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert disturbances or f"kills: {KILLS} " in result.stdout
    assert "finished episodes lost: 0, run twice: 0 (by the server's record: 0)" in result.stdout
    assert "of these not in flight at a kill: 0" in result.stdout
    assert "FAILED" not in result.stdout
