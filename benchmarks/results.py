"""Measure how long the commands take over a stored run, against the limits that we promise for 5,000 episodes.

    python benchmarks/results.py make DIR [N]   keep a run of N episodes (5,000) in DIR/.ultra
    python benchmarks/results.py time DIR [NAME ...]

The run is made of the episodes of a real one by demo agents, which are repeated under other instance numbers, with as
much text in each reply as makes a transcript of about 20 KB.
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
    """A command to measure; a limit of None is not promised, only reported."""

    name: str
    args: tuple[str, ...]
    most_s: float | None = None
    most_mb: float | None = None


COMMANDS = (
    Command("store (all read)", ("store", "rebuild")),
    Command("store (nothing new)", ("store", "sync")),
    Command("runs", ("runs",)),
    Command("show", ("show",), most_s=3),
    Command("show --json", ("show", "--json"), most_s=3),
    Command("show CASE", ("show", "demo-flawed_tool_misuse-basic_task-easy-7"), most_s=3),
    Command("export jsonl", ("export", "-o", "out.jsonl"), most_s=3),
    Command("export csv", ("export", "-o", "out.csv"), most_s=3),
    Command("export parquet", ("export", "-o", "out.parquet"), most_s=3),
    Command("baseline", ("baseline", "-o", "base.json"), most_s=3),
    Command("compare FILE", ("compare", "base.json"), most_s=3),
    Command("compare RUN", ("compare", "latest", "latest"), most_s=3),
    Command("report", ("report", "-o", "report.html"), most_s=10, most_mb=500),
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
    measure.add_argument("names", nargs="*", help="only commands whose names begin so")
    measure.set_defaults(act=lambda args: time_commands(args.dir, args.names))
    args = parser.parse_args()
    code: int = args.act(args)
    return code


def make_run(root: Path, n: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*PYTEST, *SAMPLE], cwd=folder, check=False, stdout=subprocess.DEVNULL)
        source = find_run(Path(folder) / ".ultra", None)
        run = RunDirectory.create(root, _describe(source), started_at=time.time())
        lived = list(islice(_multiply(read_episodes(source).episodes), n))
        _fill_guidance(run, source, lived)
    write_plan(run, _plan(lived))
    for number in range(2):
        journal = Journal(run, f"gw{number}")
        for episode in lived[number::2]:
            journal.append(episode)
        journal.close()
    write_run_end(run, RunEnd(1, time.time()))
    size = sum(path.stat().st_size for path in run.path.glob("journal-*"))
    print(f"{run.path}: {len(lived):,} episodes, {size / 1e6:,.0f} MB of journals")
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
    lacking = TRANSCRIPT_BYTES - len(msgspec.json.encode(transcript))
    replies = sum(isinstance(event, Replied) for event in transcript) or 1
    thoughts = THOUGHTS * max(0, lacking // replies // len(THOUGHTS))
    for event in transcript:
        if isinstance(event, Replied):
            reply = msgspec.structs.replace(event.reply, text=thoughts + event.reply.text)
            yield msgspec.structs.replace(event, reply=reply)
        else:
            yield event


def _fill_guidance(run: RunDirectory, source: RunDirectory, lived: Sequence[Episode]) -> None:
    instances = 1 + max(episode.case.instance for episode in read_episodes(source).episodes)
    known = GuidanceCache(source.guidance, BENCHMARK.task_type)

    def generate(case: Case, *, task: Task | None = None, optimal: Workflow | None = None) -> Guidance:
        del task, optimal  # they are those of the sample
        sample = msgspec.structs.replace(case, instance=case.instance % instances)
        found = known.get(sample)
        return msgspec.structs.replace(found, task=msgspec.structs.replace(found.task, key=case.task_key))

    GuidanceCache(run.guidance, BENCHMARK.task_type).fill((episode.case for episode in lived), generate)


def _plan(lived: Sequence[Episode]) -> Plan:
    nodeids = {episode.case_id: episode.nodeid for episode in lived}
    return Plan(is_new_start=False, nodeids=nodeids, cases={episode.case_id: episode.case for episode in lived})


def time_commands(folder: Path, names: Sequence[str]) -> int:
    chosen = [command for command in COMMANDS if not names or command.name.startswith(tuple(names))]
    print(f"{'command':24} {'seconds':>8} {'limit':>6} {'MB':>6} {'limit':>6}")
    is_kept = [_time(command, folder) for command in chosen]
    return 0 if all(is_kept) else 1


def _time(command: Command, folder: Path) -> bool:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_ultra", *command.args], cwd=folder, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, megabytes = time.perf_counter() - began, usage.ru_maxrss / 1000
    is_done = process.returncode in (0, 1)  # 1 is a finding
    is_kept = seconds <= (command.most_s or seconds) and megabytes <= (command.most_mb or megabytes)
    told = "" if is_done and is_kept else "  TOO MUCH" if is_done else f"  FAILED ({process.returncode})"
    limits = [f"{limit:g}" if limit else "-" for limit in (command.most_s, command.most_mb)]
    print(f"{command.name:24} {seconds:8.2f} {limits[0]:>6} {megabytes:6.0f} {limits[1]:>6}{told}")
    return is_done and is_kept


if __name__ == "__main__":
    sys.exit(main())
