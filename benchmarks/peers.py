"""Make the same calls to the same stand-in by us and by other tools, in one run, and print a table.

    python benchmarks/peers.py [--instances N] [--latency S] [--rounds N] [--only NAME ...]

The stand-in (`peer_programs/stand_in.py`, of aiohttp only) answers the requests of a run of `demo/follower`, recorded
beforehand, each after the same time. We run the benchmark; the others send the recorded requests of each conversation
in order, and compare its last words. *over* is the time of the whole command beyond its longest conversation, *first*
the time of the first request, *CPU* that of the command and its children. Needs the dependency group `peers`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from pytest_ultra.controller.demo.process import start_demo

PROGRAMS = Path(__file__).parent / "peer_programs"
MODEL = "openai/follower"
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "xdist.plugin")


class Peer(NamedTuple):
    """A command, and the package that it needs; of ours, the model fails, and so the exit code is 1."""

    name: str
    package: str
    command: tuple[str, ...]
    is_ours: bool = False


class Spent(NamedTuple):
    """What a command took, in seconds, and how many requests the stand-in saw."""

    wall_s: float
    first_s: float
    cpu_s: float
    requests: int


def program(name: str) -> tuple[str, ...]:
    return (str(PROGRAMS / f"{name}.py"), "URL", "REPLIES")


OURS = (*PYTEST, "-p", "pytest_ultra.plugin", "--ultra-model", MODEL)
PLAIN = ("-c", os.devnull, "--confcutdir", str(PROGRAMS), str(PROGRAMS / "test_plain_pytest.py"))
PEERS = (
    Peer("aiohttp alone", "aiohttp", program("bare_aiohttp")),
    Peer("openai SDK", "openai", program("openai_sdk")),
    Peer("Pydantic Evals", "pydantic_evals", program("pydantic_evals_run")),
    Peer("Inspect AI", "inspect_ai", program("inspect_run")),
    Peer("DeepEval", "deepeval", program("deepeval_run")),
    Peer("pytest + xdist, -n 2", "openai", (*PYTEST, *PLAIN, "-n", "2")),
    Peer("pytest-ultra", "pytest_ultra", (*OURS, "-p", "no:xdist"), is_ours=True),
    Peer("pytest-ultra, -n 2", "pytest_ultra", (*OURS, "-n", "2"), is_ours=True),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=3, help="50 conversations each (default: 3)")
    parser.add_argument("--latency", type=float, default=0.5, help="seconds for each answer (default: 0.5)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements, of which the median counts (default: 3)")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[peer.name for peer in PEERS])
    options = parser.parse_args()
    chosen = [peer for peer in PEERS if options.only is None or peer.name in options.only]
    with tempfile.TemporaryDirectory() as folder:
        replies = Path(folder, "replies.json")
        calls = record(replies, options.instances)
        longest_s = max(map(len, calls.values())) * options.latency
        total = sum(map(len, calls.values()))
        print(f"{len(calls)} conversations, {total} calls of {options.latency:g} s, the longest {longest_s:g} s")
        print(line("", "wall s", "over s", "first s", "CPU ms/call", "calls"))
        with serve(replies, options.latency) as url:
            for peer in chosen:
                show(peer, options, url, replies, longest_s)
    return 0


def record(replies: Path, instances: int) -> dict[str, Any]:
    """Record the requests and replies of a run of ours; return them by conversation."""
    with start_demo() as demo, serve(replies, 0, demo.url) as url:
        run((*OURS, "-p", "no:xdist", "--ultra-instances", str(instances)), url, replies, is_ours=True)
    recorded: dict[str, Any] = json.loads(replies.read_bytes())
    return recorded


def show(peer: Peer, options: argparse.Namespace, url: str, replies: Path, longest_s: float) -> None:
    if find_spec(peer.package) is None:
        print(f"{peer.name:22}{peer.package} is not installed")
        return
    own = ("--ultra-instances", str(options.instances)) if peer.is_ours else ()
    command = (*peer.command, *own)
    measured = [run(command, url, replies, is_ours=peer.is_ours) for _ in range(options.rounds)]
    wall_s, first_s, cpu_s, requests = (statistics.median(values) for values in zip(*measured, strict=True))
    over, cpu_ms = f"{wall_s - longest_s:.2f}", f"{1000 * cpu_s / requests:.1f}"
    print(line(peer.name, f"{wall_s:.2f}", over, f"{first_s:.2f}", cpu_ms, f"{requests:.0f}"), flush=True)


def run(command: Sequence[str], url: str, replies: Path, *, is_ours: bool) -> Spent:
    """Run a command in a new folder, to its end."""
    words = [sys.executable, *({"URL": f"{url}/v1", "REPLIES": str(replies)}.get(word, word) for word in command)]
    if is_ours:
        words += ["--ultra-base-url", f"{url}/v1"]
    environ = os.environ | {
        "OPENAI_API_KEY": "none",
        "PEERS_URL": f"{url}/v1",
        "PEERS_REPLIES": str(replies),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
    }
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        ask(f"{url}/reset", method="POST")
        started = time.monotonic()
        process = subprocess.Popen(words, cwd=folder, env=environ, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        counted = ask(f"{url}/count")
        if process.returncode != int(is_ours) or not counted["requests"]:
            output.seek(0)
            raise SystemExit(f"{' '.join(words)} failed:\n{output.read().decode()[-4000:]}")
    return Spent(wall_s, counted["first_s"], usage.ru_utime + usage.ru_stime, counted["requests"])


@contextmanager
def serve(replies: Path, latency_s: float, forward: str = "") -> Iterator[str]:
    """Start the stand-in in a process of its own, and end it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, str(PROGRAMS / "stand_in.py"), str(port), str(latency_s), str(replies)]
    with subprocess.Popen([*words, *([forward] if forward else [])]) as process:
        try:
            wait_until_open(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)


def wait_until_open(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit("the stand-in did not start")


def ask(url: str, method: str = "GET") -> dict[str, Any]:
    request = urllib.request.Request(url, method=method)  # noqa: S310 - our own stand-in
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
        found: dict[str, Any] = json.load(answer)
    return found


def line(name: str, *cells: str) -> str:
    return f"{name:22}" + "".join(f"{cell:>12}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
