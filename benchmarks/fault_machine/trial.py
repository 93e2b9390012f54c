"""One trial: a small run that is disturbed, and then resumed until it ends; at its end, all claims are checked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from fault_machine.answers import GROUPS
from fault_machine.bill import Bill, EndpointRecord, Loss
from fault_machine.checks import check_bill, check_commands, check_document, check_exit
from fault_machine.disk import Disk
from fault_machine.disturber import DYING_S
from fault_machine.ended_run import EndedRun
from fault_machine.pytest_run import RunHungError, environment
from fault_machine.run_series import RunSeries
from fault_machine.trial_plan import FULL_DISK, TrialPlan

CANCELLING_S = 0.3
"""How long calls may be in flight after an answer that ends all episodes."""


class TrialResult(msgspec.Struct, frozen=True):
    """`disturbances` counts by kind what happened; `not_tried` are kinds that this machine does not allow."""

    seed: int
    kinds: frozenset[str]
    disturbances: dict[str, int] = {}
    not_tried: frozenset[str] = frozenset()
    violations: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    cases: int = 0
    paid: int = 0
    repeated: int = 0
    files: Path | None = None
    duration_s: float = 0.0


def run_trial(plan: TrialPlan, *, can_mount: bool, keeps_files: bool) -> TrialResult:
    """Run a trial. Its files are kept on request, and if a claim does not hold."""
    started = time.monotonic()
    top = Path(tempfile.mkdtemp(prefix=f"ultra-fault-{plan.seed}-"))
    (top / "work").mkdir()
    disk = Disk(top / "work", can_mount=can_mount)
    try:
        with _endpoint(plan) as url:
            series = RunSeries(plan, url, disk)
            obstacle = _run(series, url)
            record = _read(url, "/record")
        bill = Bill(record.paid, [*series.disturber.losses, *_find_losses(series.ended, disk, record)])
        violations = [obstacle] if obstacle else [*_check_all(series.ended, bill, disk.folder)]
        violations += [each for run in series.ended for each in check_exit(run)]
        violations += [f"the endpoint itself failed: {bug}" for bug in record.bugs]
        files = _keep(top) if violations or keeps_files else None
        runs = tuple(map(str, series.ended))
        cases = len(series.ended[-1].planned or ()) if series.ended else 0
    finally:
        disk.unmount()
        shutil.rmtree(top, ignore_errors=True)
    return TrialResult(
        seed=plan.seed,
        kinds=frozenset(plan.kinds),
        disturbances=dict(series.disturber.done + _count_groups(record.behaviours)),
        not_tried=frozenset(() if disk.can_be_full else {FULL_DISK} & plan.kinds),
        violations=tuple(violations),
        runs=runs,
        cases=cases,
        paid=bill.total,
        repeated=bill.repeated,
        files=files,
        duration_s=time.monotonic() - started,
    )


def _run(series: RunSeries, url: str) -> str | None:
    """Run all runs; return why they did not end."""
    try:
        series.disturb()
        _read(url, "/calm")
        return series.finish()
    except RunHungError as error:
        return str(error)


def _check_all(runs: list[EndedRun], bill: Bill, folder: Path) -> Iterator[str]:
    for check in (partial(check_document, folder), partial(check_bill, bill), partial(check_commands, folder)):
        try:
            yield from check(runs)
        except (OSError, ValueError, LookupError) as error:
            yield f"a file is not as it should be: {error!r}"


def _find_losses(runs: list[EndedRun], disk: Disk, record: EndpointRecord) -> Iterator[Loss]:
    """Yield what excuses lost answers beside signals.

    A full disk takes no answers. A denial cancels the calls in flight. A finished run keeps no answers of cases
    without a score: `--ultra-rerun=errors` asks for new ones.
    """
    yield from (Loss("a full disk", since, until + DYING_S) for since, until in disk.tight)
    yield from (Loss("a denial", at, at + CANCELLING_S) for at in record.denials)
    names = {each.case_id: each.endpoint_case for run in runs for each in run.episodes() if each.endpoint_case}
    for run in runs:
        if run.has_finished:
            for case_id in (run.planned or set()) - run.scored():
                yield Loss("a run that finished without a score", 0.0, run.ended_at, names.get(case_id, "unknown"))


def _count_groups(behaviours: dict[str, int]) -> Counter[str]:
    groups: Counter[str] = Counter()
    for name, times in behaviours.items():
        groups[f"endpoint: {GROUPS[name]}"] += times
    return groups


def _keep(top: Path) -> Path:
    """Copy the files to where they survive this trial's disk."""
    kept = top.with_name(f"{top.name}kept")
    shutil.copytree(top, kept, symlinks=True)
    return kept


@contextmanager
def _endpoint(plan: TrialPlan) -> Iterator[str]:
    settings = json.dumps({"seed": plan.seed, "behaviours": plan.behaviours, "rate": plan.rate})
    command = [sys.executable, "-m", "fault_machine.endpoint", settings]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.kill()


def _read(url: str, what: str) -> EndpointRecord:
    with urllib.request.urlopen(url.removesuffix("/v1") + what) as response:  # noqa: S310 - our own server
        return msgspec.json.decode(response.read(), type=EndpointRecord)
