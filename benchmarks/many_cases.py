"""Measure runs of many cases at `-n 2`: time, CPU, the memory of controller and workers, collection, end of the run.

    python benchmarks/many_cases.py [CASES ...]       (default: 10000 100000)

The model is the stand-in of `speed.py`, which answers after 0.2 s and fails most cases. There are at most 1,000 tasks,
each asked in ten prompt types; more cases are repeats. `collect` is the time of `--collect-only` in one process; `end`
is the time between the last request and the exit of the command. The last lines give what each further case costs, and
what a million would.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import measured_command
from speed import ENVIRON, PYTEST
from stand_in import MODEL, StandIn

LATENCY_S = 0.2
PER_INSTANCE = 50
MOST_INSTANCES = 200
MOST_COLLECT_S = 10.0
"""The limit of the collection of 100,000 cases."""


@dataclass(frozen=True)
class Figures:
    """The figures of one run."""

    cases: int
    calls: int
    collect_s: float
    wall_s: float
    end_s: float
    cpu_s: float
    controller_mb: float
    worker_mb: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", type=int, default=[10_000, 100_000], metavar="CASES")
    sizes = sorted(parser.parse_args().cases)
    print("   cases     calls collect s   wall s   end s    CPU s  ms/call controller MB worker MB  load")
    with StandIn() as stand_in:
        found = [measure(cases, stand_in) for cases in sizes]
    if len(found) > 1:
        print_further(found[0], found[-1])
    is_slow = any(each.collect_s > MOST_COLLECT_S * max(1.0, each.cases / 100_000) for each in found)
    return 1 if is_slow else 0


def measure(cases: int, stand_in: StandIn) -> Figures:
    instances = min(MOST_INSTANCES, max(1, cases // PER_INSTANCE))
    options = ("--ultra-instances", str(instances), "--ultra-repeats", str(max(1, cases // (PER_INSTANCE * instances))))
    model = ("--ultra-model", MODEL.format(LATENCY_S), "--ultra-base-url", stand_in.url)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = ENVIRON | {"PYTEST_DEBUG_TEMPROOT": name}
        collected = measured_command.run((*PYTEST, *model, *options, "--collect-only", "-qq"), folder, environ=environ)
        stand_in.reset()
        spent = measured_command.run((*PYTEST, *model, *options, "-n2"), folder, environ=environ, may_exit=(0, 1))
    record = stand_in.read()
    ended_at = spent.started_at + spent.wall_s
    figures = Figures(
        cases=PER_INSTANCE * instances * max(1, cases // (PER_INSTANCE * instances)),
        calls=record.requests,
        collect_s=collected.wall_s,
        wall_s=spent.wall_s,
        end_s=ended_at - (record.last_at or ended_at),
        cpu_s=spent.cpu_s,
        controller_mb=spent.own_mb,
        worker_mb=max(spent.children_mb, default=0.0),
    )
    show(figures)
    return figures


def show(figures: Figures) -> None:
    f = figures
    times = f"{f.collect_s:9.1f} {f.wall_s:8.0f} {f.end_s:7.1f} {f.cpu_s:8.0f} {1000 * f.cpu_s / f.calls:8.2f}"
    memory = f"{f.controller_mb:13.0f} {f.worker_mb:9.0f}"
    print(f"{f.cases:8,} {f.calls:9,} {times} {memory} {os.getloadavg()[0]:5.1f}", flush=True)


def print_further(few: Figures, many: Figures) -> None:
    """Print the costs of each further case, and those of a million at that rate."""
    more = many.cases - few.cases
    for label, name, scale, unit in (
        ("collection", "collect_s", 1e3, "ms"),
        ("CPU", "cpu_s", 1e3, "ms"),
        ("end of the run", "end_s", 1e3, "ms"),
        ("controller", "controller_mb", 1024, "KB"),
        ("worker", "worker_mb", 1024, "KB"),
    ):
        each = (getattr(many, name) - getattr(few, name)) / more
        million = getattr(many, name) + each * (1_000_000 - many.cases)
        print(
            f"{label}: {each * scale:.2f} {unit} each further case; a million: {million:,.0f} {name.rpartition('_')[2]}"
        )


if __name__ == "__main__":
    sys.exit(main())
