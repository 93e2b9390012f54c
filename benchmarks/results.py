"""Measure how long the commands take on a stored run, against the documented limits for 5,000 episodes.

    python benchmarks/results.py make DIR [N]   store a run of N episodes (5,000) in DIR/.ultra
    python benchmarks/results.py time DIR [NAME ...]

The run consists of the episodes of a real run of demo agents, repeated with other instance numbers, and with so much
text in each reply that a transcript has about 20 KB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.transcript import Event, Replied
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.journal import Journal, read_episodes
from pytest_ultra.storage.reuse import Plan, write_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import find_run
from pytest_ultra.storage.run_status import RunEnd, write_run_end

TRANSCRIPT_BYTES = 20_000
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider")
SAMPLE = ("--ultra-model=demo,demo/follower", "--ultra-instances=2")
THOUGHTS = (
    "The job asks for the rows that are left once the filter has been applied, so the next step has to take the handle "
    "that the last call returned, and not the one before it. "
)


class Command(NamedTuple):
    """A command to measure, with its limits; without limits, it is only reported."""

    name: str
    args: tuple[str, ...]
    limit_s: float | None = None
    limit_mb: float | None = None


COMMANDS = (
    Command("store (all read)", ("store", "rebuild")),
    Command("store (nothing new)", ("store", "sync")),
    Command("runs", ("runs",)),
    Command("show", ("show",), limit_s=3),
    Command("show --json", ("show", "--json"), limit_s=3),
    Command("show CASE", ("show", "demo-flawed_tool_misuse-basic_task-easy-7"), limit_s=3),
    Command("export jsonl", ("export", "-o", "out.jsonl"), limit_s=3),
    Command("export csv", ("export", "-o", "out.csv"), limit_s=3),
    Command("export parquet", ("export", "-o", "out.parquet"), limit_s=3),
    Command("baseline", ("baseline", "-o", "base.json"), limit_s=3),
    Command("compare FILE", ("compare", "base.json"), limit_s=3),
    Command("compare RUN", ("compare", "latest", "latest"), limit_s=3),
    Command("report", ("report", "-o", "report.html"), limit_s=10, limit_mb=500),
    Command("plot", ("plot", "-o", "charts", "--format", "all")),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(required=True)
    make = actions.add_parser("make")
    make.add_argument("dir", type=Path)
    make.add_argument("n", type=int, nargs="?", default=5_000)
    make.set_defaults(act=lambda args: make_run(args.dir / ".ultra", args.n))
    measure = actions.add_parser("time")
    measure.add_argument("dir", type=Path)
    measure.add_argument("names", nargs="*", help="only commands whose names start with one of these")
    measure.set_defaults(act=lambda args: time_commands(args.dir, args.names))
    args = parser.parse_args()
    code: int = args.act(args)
    return code


def make_run(root: Path, n: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*PYTEST, *SAMPLE], cwd=folder, check=False, stdout=subprocess.DEVNULL)
        source = find_run(Path(folder) / ".ultra", None)
        run = RunDirectory.create(root, _describe(source), started_at=time.time())
        episodes = list(islice(_multiply(read_episodes(source).episodes), n))
        _fill_guidance(run, source, episodes)
    write_plan(run, _plan(episodes))
    for number in range(2):
        journal = Journal(run, f"gw{number}")
        for episode in episodes[number::2]:
            journal.append(episode)
        journal.close()
    write_run_end(run, RunEnd(1, time.time()))
    size = sum(path.stat().st_size for path in run.path.glob("journal-*"))
    print(f"{run.path}: {len(episodes):,} episodes, {size / 1e6:,.0f} MB of journals")
    return 0


def _describe(source: RunDirectory) -> dict[str, object]:
    own = ("schema_version", "run_id", "started_at")
    return {name: value for name, value in source.describe().items() if name not in own}


def _multiply(sample: Sequence[Episode]) -> Iterator[Episode]:
    instances = 1 + max(episode.case.instance for episode in sample)
    long = [msgspec.structs.replace(e, transcript=tuple(_lengthen(e.transcript))) for e in sample]
    for times in count():
        for episode in long:
            instance = episode.case.instance + times * instances
            nodeid = f"{episode.nodeid.rpartition('-')[0]}-{instance}]"
            case = msgspec.structs.replace(episode.case, instance=instance)
            yield msgspec.structs.replace(episode, case=case, nodeid=nodeid)


def _lengthen(transcript: Sequence[Event]) -> Iterator[Event]:
    missing = TRANSCRIPT_BYTES - len(msgspec.json.encode(transcript))
    replies = sum(isinstance(event, Replied) for event in transcript) or 1
    thoughts = THOUGHTS * max(0, missing // replies // len(THOUGHTS))
    for event in transcript:
        if isinstance(event, Replied):
            reply = msgspec.structs.replace(event.reply, text=thoughts + event.reply.text)
            yield msgspec.structs.replace(event, reply=reply)
        else:
            yield event


def _fill_guidance(run: RunDirectory, source: RunDirectory, episodes: Sequence[Episode]) -> None:
    instances = 1 + max(episode.case.instance for episode in read_episodes(source).episodes)
    known = GuidanceCache(source.guidance, BENCHMARK.task_type)

    def generate(case: Case, *, task: Task | None = None, optimal: Workflow | None = None) -> Guidance:
        del task, optimal  # the sample has its own
        sample = msgspec.structs.replace(case, instance=case.instance % instances)
        found = known.get(sample)
        return msgspec.structs.replace(found, task=msgspec.structs.replace(found.task, key=case.task_key))

    GuidanceCache(run.guidance, BENCHMARK.task_type).fill((episode.case for episode in episodes), generate)


def _plan(episodes: Sequence[Episode]) -> Plan:
    nodeids = {episode.case_id: episode.nodeid for episode in episodes}
    return Plan(is_new_start=False, nodeids=nodeids, cases={episode.case_id: episode.case for episode in episodes})


def time_commands(folder: Path, names: Sequence[str]) -> int:
    chosen = [command for command in COMMANDS if not names or command.name.startswith(tuple(names))]
    print(f"{'command':24} {'seconds':>8} {'limit':>6} {'MB':>6} {'limit':>6}")
    are_within_limits = [_time(command, folder) for command in chosen]
    return 0 if all(are_within_limits) else 1


def _time(command: Command, folder: Path) -> bool:
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_ultra", *command.args], cwd=folder, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, megabytes = time.perf_counter() - started, usage.ru_maxrss / 1000
    is_done = process.returncode in (0, 1)  # 1 reports a difference
    is_within_limits = seconds <= (command.limit_s or seconds) and megabytes <= (command.limit_mb or megabytes)
    verdict = "" if is_done and is_within_limits else "  TOO MUCH" if is_done else f"  FAILED ({process.returncode})"
    limits = [f"{limit:g}" if limit else "-" for limit in (command.limit_s, command.limit_mb)]
    print(f"{command.name:24} {seconds:8.2f} {limits[0]:>6} {megabytes:6.0f} {limits[1]:>6}{verdict}")
    return is_done and is_within_limits


if __name__ == "__main__":
    sys.exit(main())
