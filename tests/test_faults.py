"""Runs that are killed again and again over an endpoint that misbehaves: nothing is lost, and nothing done twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CAMPAIGN = Path(__file__).parents[1] / "benchmarks" / "faults.py"


def test_after_the_last_resume_every_case_is_scored_once_and_nothing_was_paid_for_twice_without_need() -> None:
    """The figures are printed; `benchmarks/faults.py 30` is the same at length."""
    result = subprocess.run([sys.executable, CAMPAIGN, "7", "3"], capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    print(result.stdout)  # noqa: T201 - the figures are what a reader wants to see
    assert result.returncode == 0, result.stdout + result.stderr
    assert "finished episodes lost: 0, lived twice: 0" in result.stdout
    assert "NOT SO" not in result.stdout
