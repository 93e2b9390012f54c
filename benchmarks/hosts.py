"""Run on two hosts that share no disk, lose one of them, and hold limits together through Redis.

    python benchmarks/hosts.py all|disk|loss|silence|limits|cost [--seconds S]

It needs root on Linux, `ip` and `redis-server`: the hosts are network namespaces with an address, a loopback, a memory
and a folder for temporary files of their own, in which the project's folder is empty. A server in a process of its own
counts what arrives. `disk`: 100 cases on two hosts. `loss`: one host is killed in mid-run. `silence`: its network goes
down in mid-run, without a word. `limits`: two hosts of two workers under one limit. `cost`: CPU of a call and
of a task through Redis, without hosts or root. docs/several-hosts.md has the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_ultra.engine.redis_connection import JointStore

ROOT = Path(__file__).parents[1]
NETWORK = "10.77"
MOUNTS = "mount -t tmpfs none {project} && mount -t tmpfs none /dev/shm"
HOST = ("-m", "execnet.script.socketserver")
RUN = (
    "-d",
    "-p",
    "no:cacheprovider",
    "--pyargs",
    "pytest_ultra.suite",
    "--ultra-json=out.json",
)
COST_PORT = 6390
EPISODES_BEFORE_HARM = 15
CASES = ("--ultra-instances=2",)  # 100
SLOW = ("--ultra-model=demo/perfect?latency=0.3", "--ultra-concurrency=4")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["all", "disk", "loss", "silence", "limits", "cost"])
    parser.add_argument("--seconds", type=float, default=30.0, help="how long the limits are measured (default: 30)")
    arguments = parser.parse_args()
    if arguments.what in ("all", "cost"):
        measure_cost()
    if os.geteuid() != 0 and arguments.what != "cost":
        sys.exit("network namespaces need root")
    if arguments.what in ("all", "disk"):
        measure_run("two hosts", "--ultra-model=demo/perfect")
    if arguments.what in ("all", "loss"):
        measure_run("one host killed in mid-run", *SLOW, harm=lambda hosts: hosts[1].kill())
    if arguments.what in ("all", "silence"):
        measure_run("one host silent in mid-run", *SLOW, harm=lambda hosts: hosts[1].go_silent())
    if arguments.what in ("all", "limits"):
        measure_limits(arguments.seconds)


class Host:
    """A network namespace with a socket server for each of its workers."""

    def __init__(self, number: int, project: Path, workers: int) -> None:
        self.name = f"ultra-{number}"
        self.gateway, self.address = f"{NETWORK}.{number}.1", f"{NETWORK}.{number}.2"
        self._server: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="ultra-host-")
        self._remove_network()
        ip("netns", "add", self.name)
        ip("link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("addr", "add", f"{self.gateway}/24", "dev", self.name)
        ip("link", "set", self.name, "up")
        for words in (f"addr add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            ip("-n", self.name, *words.split())
        ip("-n", self.name, "route", "add", "default", "via", self.gateway)
        self.places = [f"socket={self.address}:{8000 + worker}" for worker in range(workers)]
        self._server = self._serve(project)

    def kill(self) -> None:
        if self._server is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()

    def go_silent(self) -> None:
        """Take the network down: no packet says so to the other end."""
        ip("link", "set", self.name, "down")

    def remove(self) -> None:
        self.kill()
        self._remove_network()
        self._folder.cleanup()

    def _remove_network(self) -> None:
        for words in (f"link del {self.name}", f"netns del {self.name}"):
            subprocess.run(["ip", *words.split()], stderr=subprocess.DEVNULL, check=False)  # noqa: S607 - from the path

    def _serve(self, project: Path) -> subprocess.Popen[bytes]:
        folder = self._folder.name
        addresses = (place.removeprefix("socket=") for place in self.places)
        servers = " & ".join(f"TMPDIR={folder} {sys.executable} {' '.join(HOST)} {address}" for address in addresses)
        script = f"{MOUNTS.format(project=project)} && cd {folder} && ({servers} & wait)"
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, "unshare", "-m", "sh", "-c", script],  # noqa: S607
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)  # noqa: S607 - from the path


@contextmanager
def two_hosts(workers: int) -> Iterator[tuple[Path, list[Host]]]:
    """Yield a project's folder and the hosts."""
    with tempfile.TemporaryDirectory(prefix="ultra-project-") as folder, ExitStack() as stack:
        hosts = []
        for number in (1, 2):
            hosts.append(Host(number, Path(folder), workers))
            stack.callback(hosts[-1].remove)
        time.sleep(2)  # until they listen
        yield Path(folder), hosts


def start_run(project: Path, hosts: Sequence[Host], *options: str) -> subprocess.Popen[str]:
    tx = [f"--tx={place}" for host in hosts for place in host.places]
    command = [sys.executable, "-m", "pytest", *RUN, *tx, *options]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


# ---- episodes come home, and no case is lost with a host


def measure_run(name: str, *options: str, harm: Callable[[Sequence[Host]], None] | None = None) -> None:
    with two_hosts(workers=1) as (project, hosts):
        started = time.monotonic()
        run = start_run(project, hosts, *CASES, *options)
        harmed_at = None
        if harm is not None:
            while len(journaled(project)) < EPISODES_BEFORE_HARM:
                time.sleep(0.05)
            harm(hosts)
            harmed_at = time.monotonic()
        output, noticed_at = [], None
        for line in run.stdout or ():
            output.append(line)
            if "does not answer;" in line:
                noticed_at = time.monotonic()
                print(line.strip())
        run.wait()
        took_s = time.monotonic() - started
        if run.returncode:
            print("".join(output))
        show_run(name, project, took_s)
        if harmed_at is not None and noticed_at is not None:
            print(f"  the loss was noticed after {noticed_at - harmed_at:.1f} s")


def show_run(name: str, project: Path, took_s: float) -> None:
    episodes = json.loads((project / "out.json").read_text())["episodes"]
    runs = Counter(episode["nodeid"] for episode in journaled(project))
    workers = Counter(episode["worker"] for episode in episodes)
    outcomes = Counter(episode["outcome"] for episode in episodes)
    whole = sum(bool(episode["transcript"]) for episode in journaled(project))
    print(f"{name}: {len(episodes)} cases in {took_s:.1f} s, outcomes {dict(outcomes)}, by worker {dict(workers)}")
    print(
        f"  in the controller's journals: {len(runs)} cases, each {set(runs.values())} times, {whole} with transcript"
    )


def journaled(project: Path) -> list[dict[str, Any]]:
    lines = [
        line
        for path in project.glob(".ultra/runs/*/journal-*.jsonl")
        for line in path.read_text().splitlines(keepends=True)
    ]
    return [json.loads(line)["episode"] for line in lines if line.endswith("\n")]


# ---- limits of two hosts of two workers, measured by a server of its own


def measure_limits(seconds: float) -> None:
    rpm = 600
    show_limit(f"{rpm} requests a minute", seconds, f"--ultra-rpm={rpm}", rpm=rpm)
    show_limit("10 requests in flight", seconds, "--ultra-max-in-flight=10", most=10)
    show_limit(f"{rpm} requests a minute, Redis killed half-way", seconds, f"--ultra-rpm={rpm}", rpm=rpm, is_lost=True)


def show_limit(name: str, seconds: float, option: str, *, rpm: float = 0, most: int = 0, is_lost: bool = False) -> None:
    with two_hosts(workers=2) as (project, hosts), ExitStack() as stack:
        redis = stack.enter_context(
            running(["redis-server", "--bind", hosts[0].gateway, "--protected-mode", "no", "--save", ""])
        )
        server = stack.enter_context(running([sys.executable, str(Path(__file__).with_name("counting_server.py"))]))
        time.sleep(2)
        run = start_run(
            project,
            hosts,
            "--ultra-model=stand-in",
            f"--ultra-base-url=http://{hosts[0].gateway}:8800/v1",
            f"--ultra-redis=redis://{hosts[0].gateway}:6379/0",
            "--ultra-task-type=simple_task",
            f"--ultra-instances={round(seconds)}",
            option,
        )
        if is_lost:
            while len(journaled(project)) < 5 * seconds:  # of ten times as many
                time.sleep(0.05)
            redis.kill()
        output, _ = run.communicate()
        server.send_signal(signal.SIGTERM)
        counted = json.loads(server.communicate()[0])
    show_counts(name, counted, rpm, most)
    print("".join(f"  {line}\n" for line in output.splitlines() if "Redis at" in line), end="")


def show_counts(name: str, counted: dict[str, Any], rpm: float, most: int) -> None:
    arrivals = counted["arrivals"]
    rate = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) * 60
    ports = Counter(counted["hosts"])
    line = f"{name}: {len(arrivals)} requests, from each host {sorted(ports.values())}, {rate:.1f} a minute"
    if rpm:
        windows = [sum(first <= arrival < first + 10 for arrival in arrivals) for first in arrivals]
        line += f" ({rate / rpm:.1%} of the limit), at most {max(windows)} in 10 s ({rpm / 6:g} allowed)"
    if most:
        line += f", at most {counted['most_in_flight']} in flight ({most} allowed)"
    print(line)


# ---- CPU of a call


def measure_cost(calls: int = 3000) -> None:
    from pytest_ultra.engine.budget import BudgetLimits  # noqa: PLC0415 - only this figure needs the package itself
    from pytest_ultra.engine.redis_budget import RedisBudget  # noqa: PLC0415
    from pytest_ultra.engine.redis_connection import JointStore  # noqa: PLC0415

    with running(["redis-server", "--port", str(COST_PORT), "--bind", "127.0.0.1", "--save", ""]):
        time.sleep(1)
        store = JointStore(f"redis://127.0.0.1:{COST_PORT}/0", "host", print)
        started, started_cpu = time.monotonic(), time.process_time()
        asyncio.run(make_calls(store, calls))
        show_cost("limits", calls, time.monotonic() - started, time.process_time() - started_cpu)
        budget = RedisBudget(store, BudgetLimits(requests=10**9), "cost")
        started, started_cpu = time.monotonic(), time.process_time()
        for _ in range(calls):
            budget.take()
            budget.record(100, 0.0)
        show_cost("budget", calls, time.monotonic() - started, time.process_time() - started_cpu)
        budget.close()
        measure_tasks(store)


def measure_tasks(store: JointStore, tasks: int = 300) -> None:
    """Measure what the lock and the file of a generated task cost, without its generation."""
    from pytest_ultra.worker.redis_guidance import RedisGuidance  # noqa: PLC0415 - only this figure needs it

    shared, content = RedisGuidance(store, "cost"), json.dumps({"rows": list(range(5000))}).encode()  # 29 KB
    started, started_cpu = time.monotonic(), time.process_time()
    for number in range(tasks):
        with shared.hold(str(number)):
            shared.share(str(number), "0-0.json", content)
    show_cost("tasks", tasks, time.monotonic() - started, time.process_time() - started_cpu, unit="task")
    shared.close()


async def make_calls(store: JointStore, calls: int) -> None:
    from pytest_ultra.core.transcript import Reply  # noqa: PLC0415
    from pytest_ultra.engine.endpoint_limiter import Permit  # noqa: PLC0415
    from pytest_ultra.engine.limiter import open_limiter  # noqa: PLC0415
    from pytest_ultra.engine.limits import Limits  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        limiter, _ = open_limiter(
            {"m": ["cost"]}, Limits(rpm=1e9, max_in_flight=1000), folder=Path(folder), store=store
        )
        (endpoint,) = limiter._limiters  # noqa: SLF001 - the limiter of the only endpoint
        for _ in range(calls):
            permit = await endpoint.acquire("m")
            if isinstance(permit, Permit):
                endpoint.release(permit, Reply())
        limiter.close()
        await limiter.wait_closed()


def show_cost(name: str, calls: int, took_s: float, cpu_s: float, unit: str = "call") -> None:
    print(f"{name} in Redis: {1e6 * cpu_s / calls:.0f} us of CPU a {unit}, {1e6 * took_s / calls:.0f} us on loopback")


@contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
