"""A sample of the fault machine's trials: whatever happens to a run, its results and its end can be trusted."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MACHINE = Path(__file__).parents[1] / "benchmarks" / "faults.py"
TRIALS, SEED = 10, 1198
KINDS = 25
"""All kinds of fault are drawn in these trials. Whether each of them happens depends on how fast the runs are."""


@pytest.mark.skipif(sys.platform != "linux", reason="reads processes and locks from /proc")
def test_all_claims_hold_in_a_sample_of_trials(show_figures: Callable[[str], None]) -> None:
    """`python benchmarks/faults.py 1000 1000` makes a thousand trials, these included."""
    command = [sys.executable, str(MACHINE), str(TRIALS), str(SEED)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    show_figures(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "VIOLATION" not in result.stdout
    rows = dict(re.findall(r"^(\S.*?) {2,}(\d+) +\d+ +0$", result.stdout, re.MULTILINE))
    assert rows.pop("all") == str(TRIALS)
    assert len(rows) == KINDS
    assert sum(count != "0" for count in rows.values()) >= KINDS // 2
