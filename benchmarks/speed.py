"""Measure what a run costs beyond the model's own answers, and compare it with our limits.

    python benchmarks/speed.py [n3|n2|single|many|plain|all] [--rounds N]

It runs the real command from start to exit against a stand-in for a model, a process of its own that answers after a
fixed latency and whose agent fails most cases (`stand_in.py`). `over` is the time of the whole command minus that of
the calls of its longest episode; `first` is when the first request reached the stand-in; CPU is that of the command and
all of its processes. Each scenario runs first with an empty cache of generated tasks (`cold`), then again (`warm`).
`many` also gives the CPU of each further call, compared with `n2`, and that of a minimal script that makes as many.
`plain` is what pytest and xdist take without us: as many tests, each of which makes one request without latency.

Other installed plugins are switched off, since pytest pays for them with or without us; and our bytecode is compiled
beforehand, as after an installation by pip. docs/speed.md has the figures and the reasons.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import measured_command
from stand_in import MODEL, StandIn

MINIMAL_SCRIPT = Path(__file__).with_name("minimal_calls.py")
PACKAGE = Path(__file__).parents[1] / "pytest_ultra"
FLAWS = "flawed_sequence_disorder,flawed_tool_misuse,flawed_parameter_error"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", "-p", "pytest_ultra.plugin")
ENVIRON = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "", "OPENAI_API_KEY": "none"}
IN_FLIGHT_PER_WORKER = 256
MOST_FURTHER_MS = 0.6
"""The limit of the CPU of each further call."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A run to measure; a figure whose limit is None is only reported."""

    name: str
    options: tuple[str, ...]
    latency_s: float
    episodes: int
    most_over_s: float | None = None
    most_first_s: float | None = None
    most_cpu_ms: float | None = None


THIRTY = ("--ultra-prompt-type", FLAWS, "--ultra-instances", "2")
SCENARIOS = (
    Scenario(name="n3", options=("-n3", *THIRTY), latency_s=1, episodes=30, most_over_s=0.8, most_first_s=0.9),
    Scenario(
        name="n2",
        options=("-n2", "--ultra-instances", "3"),
        latency_s=1,
        episodes=150,
        most_first_s=0.9,
        most_cpu_ms=1.5,
    ),
    Scenario(name="single", options=("--ultra-instances", "3"), latency_s=1, episodes=150, most_cpu_ms=1.5),
    Scenario(name="many", options=("-n2", "--ultra-instances", "60"), latency_s=0.2, episodes=3000),
)


@dataclass(frozen=True)
class Figures:
    """The figures of one run."""

    calls: int
    longest: int
    wall_s: float
    over_s: float
    first_s: float
    cpu_s: float
    largest_mb: float

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_s / self.calls


PLAIN_TEST = """
import os, socket, pytest

@pytest.mark.parametrize("n", range(int(os.environ["PLAIN_TESTS"])))
def test_it(n):
    with socket.create_connection(("127.0.0.1", int(os.environ["PLAIN_PORT"]))) as connection:
        connection.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
        connection.recv(1)
"""


def main() -> int:
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", default="all", choices=[*names, "plain", "all"])
    parser.add_argument("--rounds", type=int, default=1, help="how often; medians are compared (default: 1)")
    arguments = parser.parse_args()
    compileall.compile_dir(PACKAGE, quiet=2)
    print(f"{'':12}episodes  calls longest  wall s  over s first s  CPU s  ms/call    MB  load")
    is_chosen = {name: arguments.scenario in (name, "all") for name in names} | (
        {"n2": True} if arguments.scenario == "many" else {}
    )
    with StandIn() as stand_in:
        medians = {
            scenario.name: _measure(scenario, stand_in, arguments.rounds)
            for scenario in SCENARIOS
            if is_chosen[scenario.name]
        }
        if arguments.scenario in ("plain", "all"):
            _measure_plain(stand_in, arguments.rounds)
        problems = [
            problem
            for scenario in SCENARIOS
            if scenario.name in medians
            for problem in _beyond(scenario, medians[scenario.name])
        ]
        if "many" in medians:
            problems += _compare_further(medians["n2"][0], medians["many"][0])
            _compare_minimal(medians["many"][1], stand_in)
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


def _measure(scenario: Scenario, stand_in: StandIn, rounds: int) -> tuple[Figures, Figures]:
    """Print each round; return the medians with an empty cache, and with a full one."""
    cold, warm = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            cold.append(_run(scenario, stand_in, Path(folder), "cold"))
            warm.append(_run(scenario, stand_in, Path(folder), "warm"))
    return _median(cold), _median(warm)


def _measure_plain(stand_in: StandIn, rounds: int) -> None:
    for workers, tests in (("-n3", 30), ("-n2", 150), ("-n0", 150)):
        found = _median([_run_plain(stand_in, workers, tests) for _ in range(rounds)])
        _show(f"plain {workers}", tests, found)


def _run_plain(stand_in: StandIn, workers: str, tests: int) -> Figures:
    stand_in.reset()
    port = stand_in.url.rpartition(":")[2].partition("/")[0]
    environ = ENVIRON | {"PLAIN_TESTS": str(tests), "PLAIN_PORT": port}
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "test_plain.py").write_text(PLAIN_TEST)
        command = (sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", workers)
        spent = measured_command.run(command, Path(name), environ=environ)
    record = stand_in.read()
    if record.first_at is None:
        raise SystemExit(f"plain {workers}: no request came\n{spent.output}")
    first_s = record.first_at - spent.started_at
    return Figures(record.requests, 0, spent.wall_s, spent.wall_s, first_s, spent.cpu_s, spent.largest_mb)


def _median(rounds: list[Figures]) -> Figures:
    fields = {name: statistics.median(getattr(each, name) for each in rounds) for name in Figures.__dataclass_fields__}
    return Figures(**fields)


def _run(scenario: Scenario, stand_in: StandIn, folder: Path, state: str) -> Figures:
    stand_in.reset()
    document = folder / "run.json"
    model = ("--ultra-model", MODEL.format(scenario.latency_s), "--ultra-base-url", stand_in.url)
    command = (*PYTEST, *model, *scenario.options, "--ultra-json", str(document))
    environ = ENVIRON | {"PYTEST_DEBUG_TEMPROOT": str(folder)}  # pytest removes old folders of tests at its end
    spent = measured_command.run(command, folder, environ=environ, may_exit=(0, 1))
    requests = [episode["requests"] for episode in json.loads(document.read_bytes())["episodes"]]
    record = stand_in.read()
    if len(requests) != scenario.episodes or record.first_at is None:
        raise SystemExit(f"{scenario.name}: expected {scenario.episodes} episodes, not {len(requests)}\n{spent.output}")
    figures = Figures(
        calls=record.requests,
        longest=max(requests),
        wall_s=spent.wall_s,
        over_s=spent.wall_s - max(requests) * scenario.latency_s,
        first_s=record.first_at - spent.started_at,
        cpu_s=spent.cpu_s,
        largest_mb=spent.largest_mb,
    )
    _show(f"{scenario.name} {state}", len(requests), figures)
    return figures


def _show(name: str, episodes: int, figures: Figures) -> None:
    f = figures
    counts = f"{episodes:8,} {round(f.calls):6,} {round(f.longest):7}"
    times = f"{f.wall_s:7.1f} {f.over_s:7.2f} {f.first_s:7.2f} {f.cpu_s:6.2f} {f.cpu_ms:8.2f}"
    print(f"{name:12}{counts} {times} {f.largest_mb:5.0f} {os.getloadavg()[0]:5.1f}", flush=True)


def _beyond(scenario: Scenario, medians: tuple[Figures, Figures]) -> Iterator[str]:
    """Yield the limits that a run with an empty cache is beyond."""
    cold = medians[0]
    for name, value, limit in (
        ("over s", cold.over_s, scenario.most_over_s),
        ("first s", cold.first_s, scenario.most_first_s),
        ("CPU ms/call", cold.cpu_ms, scenario.most_cpu_ms),
    ):
        if limit is not None and value > limit:
            yield f"{scenario.name}: {name} is {value:.2f}, the limit {limit:g}"


def _compare_further(few: Figures, many: Figures) -> list[str]:
    further_ms = 1000 * (many.cpu_s - few.cpu_s) / (many.calls - few.calls)
    print(f"each further call: {further_ms:.2f} ms CPU")
    return [f"many: each further call takes {further_ms:.2f} ms CPU, the limit {MOST_FURTHER_MS}"] * (
        further_ms > MOST_FURTHER_MS
    )


def _compare_minimal(many: Figures, stand_in: StandIn) -> None:
    """Make as many calls with a minimal script, with as many in flight."""
    calls, in_flight = str(round(many.calls)), str(2 * IN_FLIGHT_PER_WORKER)
    command = (sys.executable, str(MINIMAL_SCRIPT), stand_in.url, calls, in_flight, "0.2")
    spent = measured_command.run(command, Path.cwd(), environ={"PYTHONPATH": str(PACKAGE.parent)})
    cpu_ms = 1000 * spent.cpu_s / many.calls
    print(f"minimal script: {many.calls:,} calls in {spent.wall_s:.1f} s, {cpu_ms:.2f} ms CPU each")
    print(f"calls per second: {many.calls / many.wall_s:.0f}, of the minimal script {many.calls / spent.wall_s:.0f}")


if __name__ == "__main__":
    sys.exit(main())
