"""The fault machine makes its trials, and notices when a claim does not hold."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
TRIAL = "760"
"""A trial with a full disk, and a kill of the controller."""
CLOCK = """
import subprocess, sys, time
print(time.time())
if len(sys.argv) == 1:
    subprocess.run([sys.executable, __file__, "child"])
"""
FINISHED = {"exit_status": 0, "cut_off": None}
INTERRUPTED = {"exit_status": 0, "cut_off": "Ctrl-C"}
CRASHED = {"exit_status": 3, "cut_off": "pytest crashed"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads processes and locks from /proc")

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return a function that imports a module of the machine."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield lambda name: importlib.import_module(f"fault_machine.{name}")
    for name in [name for name in sys.modules if name.startswith(("faults", "fault_machine"))]:
        del sys.modules[name]


def run_trial(seed: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one trial, which keeps its files in a folder."""
    command = [sys.executable, str(BENCHMARKS / "faults.py"), "--trial", seed]
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own


def test_all_claims_hold_in_a_trial_where_no_full_disk_can_be_made(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, show_figures: Callable[[str], None]
) -> None:
    """`.ci/run` makes a sample of trials, and `python benchmarks/faults.py 1000 1000` a thousand."""
    monkeypatch.setenv("ULTRA_FAULTS_MOUNTS", "no")
    result = run_trial(TRIAL, tmp_path)
    show_figures(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "VIOLATION" not in result.stdout
    rows = dict(re.findall(r"^(\S.*?) {2,}(\d+) +\d+ +0(?:  not tried: 1)?$", result.stdout, re.MULTILINE))
    assert rows.pop("all") == "1"
    assert rows.keys() == load("trial_plan").draw_plan(int(TRIAL)).kinds
    assert "1" in rows.values()
    assert re.search(r"^full disk +0 +0 +0  not tried: 1$", result.stdout, re.MULTILINE), result.stdout
    assert "full disks were not tried: neither root nor `unshare -rm` can mount a file system here" in result.stdout


def test_the_sample_in_ci_has_all_kinds_of_fault(load: Load) -> None:
    draw_plan = load("trial_plan").draw_plan
    every = {kind for seed in range(300) for kind in draw_plan(seed).kinds}
    (seeds,) = re.findall(r"faults\.py --trial ([\d ]+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert {kind for seed in seeds.split() for kind in draw_plan(int(seed)).kinds} == every


@pytest.mark.parametrize(("violations", "happened", "code"), [((), 4, 0), ((), 2, 0), ((), 1, 1), (("lost",), 4, 1)])
def test_trials_fail_if_a_claim_did_not_hold_or_few_of_their_faults_happened(
    load: Load, violations: tuple[str, ...], happened: int, code: int
) -> None:
    kinds = ("SIGINT", "SIGTERM", "kill -9 worker", "few open files")
    result = load("trial").TrialResult(1, frozenset(kinds), dict.fromkeys(kinds[:happened], 1), violations=violations)
    assert importlib.import_module("faults").exit_code([result, result]) == code


def test_an_answer_that_is_paid_for_again_needs_an_excuse(load: Load) -> None:
    bill = load("bill")
    paid = [bill.PaidAnswer("case", 1, at, at + 0.5) for at in (10.0, 20.0)]
    assert bill.Bill(paid[:1], []).repeated_needlessly() == []
    assert bill.Bill(paid, []).repeated_needlessly() == ["case case turn 1, without any disturbance"]
    assert bill.Bill(paid, [bill.Loss("kill", 10.2, 10.2)]).repeated_needlessly() == []
    for other in (bill.Loss("kill", 9.0, 9.6), bill.Loss("kill", 11.2, 11.2), bill.Loss("error", 10.2, 10.2, "other")):
        assert len(bill.Bill(paid, [other]).repeated_needlessly()) == 1


@pytest.mark.parametrize(
    ("code", "end", "outcome", "is_true"),
    [
        (0, FINISHED, "full", True),
        (0, FINISHED, "error", False),
        (0, INTERRUPTED, "full", False),
        (0, None, "full", False),
        (1, FINISHED, "full", False),
        (2, CRASHED, "full", True),
        (-2, INTERRUPTED, "full", False),
        (-9, None, "error", True),
    ],
)
def test_an_exit_code_that_is_not_true_is_a_violation(
    ended: Callable[..., Any], load: Load, code: int, end: object, *, outcome: str, is_true: bool
) -> None:
    assert (not list(load("checks").check_exit(ended(code, end, outcome)))) is is_true


@pytest.fixture
def ended(tmp_path: Path, load: Load) -> Callable[..., Any]:
    """Return a function that makes an ended run of one case, with an exit code, `ended.json` and an outcome."""

    def make(code: int, end: object, outcome: str) -> Any:
        (tmp_path / "plan.json").write_text(json.dumps({"nodeids": {"c1": "test"}}))
        episode = {"score": {"outcome": outcome}, "started_at": 1.0}
        (tmp_path / "journal-main.jsonl").write_text(json.dumps({"case_id": "c1", "episode": episode}) + "\n")
        if end is not None:
            (tmp_path / "ended.json").write_text(json.dumps(end))
        return load("ended_run").EndedRun(
            exit_code=code,
            started_at=0.0,
            ended_at=1.0,
            directory=tmp_path,
            left_processes=0,
            last_signal_at=0.0,
            had_few_files=False,
        )

    return make


def test_the_clock_of_a_process_and_its_children_can_be_stepped(tmp_path: Path, load: Load) -> None:
    program, shift = tmp_path / "program.py", tmp_path / "clock"
    program.write_text(CLOCK)
    shift.write_bytes(load("disturber").encode_shift(-3600.0))
    environment = {**os.environ, "PYTHONPATH": str(load("pytest_run").CLOCK), "ULTRA_CLOCK": str(shift)}
    command = [sys.executable, str(program)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    for shown in done.stdout.split():
        assert float(shown) == pytest.approx(time.time() - 3600, abs=30)
