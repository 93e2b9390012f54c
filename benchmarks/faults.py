"""Disturb small runs in random combinations, resume them, and check what is promised about each of them.

usage: python benchmarks/faults.py [TRIALS] [SEED]
       python benchmarks/faults.py --trial SEED ...

A trial is drawn from its seed: SEED, SEED + 1, and so on. `--trial` repeats those with the named seeds; of one alone,
it prints the plan and keeps the files. Two trials run at a time (`--jobs`). The exit code is 1 if a claim did not hold
in a trial, or if, in several trials, fewer than half of the kinds of fault happened. Linux only.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial

import msgspec
from fault_machine.disk import enter_mount_namespace
from fault_machine.trial import TrialResult, run_trial
from fault_machine.trial_plan import draw_plan


def main() -> int:
    arguments = _parse(sys.argv[1:])
    can_mount = enter_mount_namespace()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` makes runs ignore hanging up,
    signal.signal(signal.SIGINT, signal.default_int_handler)  # and a shell's background Ctrl-C
    run = partial(_run, can_mount=can_mount)
    seeds = arguments.trial or range(arguments.seed, arguments.seed + arguments.trials)
    if len(seeds) == 1:
        print(msgspec.json.format(msgspec.json.encode(draw_plan(seeds[0]))).decode())
        results = [run(seeds[0], keeps_files=True)]
        _print_result(results[0])
    else:
        results = list(_run_all(run, seeds, arguments.jobs))
    print(*_table(results), sep="\n")
    if not can_mount:
        print("full disks were not tried: neither root nor `unshare -rm` can mount a file system here")
    return exit_code(results)


def exit_code(results: Sequence[TrialResult]) -> int:
    """Return 1 after a violation, and for trials that prove little: whether a fault happens depends on their speed."""
    kinds = {kind for result in results for kind in result.kinds - result.not_tried}
    happened = {kind for result in results for kind, count in result.disturbances.items() if count} & kinds
    if len(results) > 1 and len(happened) < len(kinds) // 2:
        print(f"only {len(happened)} of {len(kinds)} kinds of fault happened")
        return 1
    return 1 if any(result.violations for result in results) else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("trials", nargs="?", type=int, default=20)
    parser.add_argument("seed", nargs="?", type=int, default=0)
    parser.add_argument("--trial", type=int, nargs="+", metavar="SEED", help="run the trials of these seeds alone")
    parser.add_argument("--jobs", type=int, default=2, help="trials that run at a time")
    return parser.parse_args(arguments)


def _run(seed: int, *, can_mount: bool, keeps_files: bool = False) -> TrialResult:
    plan = draw_plan(seed)
    try:
        return run_trial(plan, can_mount=can_mount, keeps_files=keeps_files)
    except Exception:  # noqa: BLE001 - one trial that cannot be checked must not end the others
        return TrialResult(seed, frozenset(plan.kinds), violations=(f"not checked: {traceback.format_exc()}",))


def _run_all(run: partial[TrialResult], seeds: Sequence[int], jobs: int) -> Iterator[TrialResult]:
    started = time.monotonic()
    with ProcessPoolExecutor(jobs) as pool:
        for number, future in enumerate(as_completed([pool.submit(run, seed) for seed in seeds]), start=1):
            result = future.result()
            if result.violations:
                _print_result(result)
            if number % 50 == 0 or number == len(seeds):
                print(f"{number} trials in {time.monotonic() - started:.0f} s", flush=True)
            yield result


def _print_result(result: TrialResult) -> None:
    print(
        f"trial {result.seed}: {len(result.runs)} runs of {result.cases} cases, {result.paid} answers paid for, "
        f"{result.repeated} of them again, {len(result.violations)} violations, {result.duration_s:.1f} s"
    )
    for run in result.runs:
        print(f"  {run}")
    for violation in result.violations:
        print(f"  VIOLATION (seed {result.seed}): {violation}")
    print(f"  files: {result.files}", flush=True)


def _table(results: Sequence[TrialResult]) -> Iterator[str]:
    """Yield a row for each kind of fault; a trial with a violation counts under each of its kinds."""
    trials, disturbances, violations, not_tried = Counter(), Counter(), Counter(), Counter()  # type: ignore[var-annotated]
    for result in results:
        happened = set(result.disturbances)
        trials.update(happened)
        disturbances.update(result.disturbances)
        violations.update(dict.fromkeys(happened, int(bool(result.violations))))
        not_tried.update(result.not_tried)
    kinds = sorted({kind for result in results for kind in result.kinds} | set(trials))
    yield f"{'kind of fault':<32} {'trials':>7} {'disturbances':>13} {'with violations':>16}"
    for kind in kinds:
        row = f"{kind:<32} {trials[kind]:>7} {disturbances[kind]:>13} {violations[kind]:>16}"
        yield row + (f"  not tried: {not_tried[kind]}" if not_tried[kind] else "")
    failed = sum(bool(result.violations) for result in results)
    yield f"{'all':<32} {len(results):>7} {disturbances.total():>13} {failed:>16}"
    yield (
        f"{sum(len(result.runs) for result in results)} runs, {sum(result.cases for result in results)} cases, "
        f"{sum(result.paid for result in results)} answers paid for, {sum(result.repeated for result in results)} again"
    )


if __name__ == "__main__":
    sys.exit(main())
