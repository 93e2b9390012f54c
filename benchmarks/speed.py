"""Measure the time and CPU of a run beyond the model's own answers, and compare them with our limits.

    python benchmarks/speed.py a|b|c|all [--rounds N]

It runs the real command from start to exit against the embedded endpoint at a fixed latency. CPU is that of the
command and all its children, minus that of the endpoint's process at the last reading of /proc (Linux only), so a
little of the endpoint's CPU counts against us. Other installed plugins are switched off, since pytest pays for them
with or without us; and our bytecode is compiled beforehand, as after an installation by pip.
docs/speed.md has the figures and the reasons.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MINIMAL_SCRIPT = Path(__file__).with_name("minimal_calls.py")
PACKAGE = Path(__file__).parents[1] / "pytest_ultra"
READ_INTERVAL_S = 0.02
FLAWS = "flawed_sequence_disorder,flawed_tool_misuse,flawed_parameter_error"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", "-p", "pytest_ultra.plugin")
IN_FLIGHT_PER_WORKER = 256


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A run to measure; a figure whose limit is None is only reported."""

    name: str
    options: tuple[str, ...]
    workers: int
    latency_s: float
    episodes: int
    most_ratio: float | None = None
    most_cpu_ms: float | None = None


SCENARIOS = (
    Scenario(
        name="a",
        options=("--ultra-prompt-type", FLAWS, "--ultra-instances", "2"),
        workers=3,
        latency_s=1.0,
        episodes=30,
        most_ratio=1.25,
    ),
    Scenario(
        name="b",
        options=("--ultra-instances", "3"),
        workers=2,
        latency_s=1.0,
        episodes=150,
        most_ratio=1.35,
        most_cpu_ms=3.0,
    ),
    Scenario(name="c", options=("--ultra-instances", "60"), workers=2, latency_s=0.2, episodes=3000),
)


@dataclass(frozen=True)
class Spent:
    """The wall-clock and CPU seconds of a command, without the endpoint's process."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Figures:
    """The figures of one round of a scenario."""

    episodes: int
    calls: int
    longest: int
    wall_s: float
    cpu_s: float
    latency_s: float

    @property
    def ratio(self) -> float:
        return self.wall_s / (self.longest * self.latency_s)

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_s / self.calls


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", choices=[*(scenario.name for scenario in SCENARIOS), "all"])
    parser.add_argument(
        "--rounds",
        type=int,
        default=1,
        help="number of measurements; their median is compared with the limits (default: 1)",
    )
    arguments = parser.parse_args()
    compileall.compile_dir(PACKAGE, quiet=2)
    print(_line("", "episodes", "calls", "longest", "wall s", "ratio", "limit", "CPU ms/call", "limit", "load"))
    chosen = [scenario for scenario in SCENARIOS if arguments.scenario in (scenario.name, "all")]
    verdicts = [_measure(scenario, arguments.rounds) for scenario in chosen]
    return 0 if all(verdicts) else 1


def _measure(scenario: Scenario, rounds: int) -> bool:
    """Print each round, and return whether the medians are within the limits."""
    measured = [_run(scenario) for _ in range(rounds)]
    ratio = statistics.median(figures.ratio for figures in measured)
    cpu_ms = statistics.median(figures.cpu_ms for figures in measured)
    if scenario.most_ratio is None:
        _compare(measured[-1], scenario)
    return _is_within(ratio, scenario.most_ratio) and _is_within(cpu_ms, scenario.most_cpu_ms)


def _is_within(value: float, limit: float | None) -> bool:
    return limit is None or value <= limit


def _run(scenario: Scenario) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder, "run.json")
        model = f"demo/perfect?latency={scenario.latency_s:g}"
        options = (*scenario.options, "-n", str(scenario.workers), "--ultra-json", str(document))
        spent = _spend((*PYTEST, "--ultra-model", model, *options), Path(folder))
        requests = [episode["requests"] for episode in json.loads(document.read_bytes())["episodes"]]
    if len(requests) != scenario.episodes:
        raise SystemExit(f"{scenario.name}: expected {scenario.episodes} episodes, not {len(requests)}")
    figures = Figures(
        len(requests), sum(requests), max(requests), spent.wall_s, spent.cpu_s, latency_s=scenario.latency_s
    )
    _show(scenario.name, figures, scenario)
    return figures


def _compare(figures: Figures, scenario: Scenario) -> None:
    """Make as many calls with a minimal script, with as many in flight."""
    in_flight = min(scenario.episodes, scenario.workers * IN_FLIGHT_PER_WORKER)
    command = (sys.executable, str(MINIMAL_SCRIPT), str(figures.calls), str(in_flight), str(scenario.latency_s))
    spent = _spend(command, Path.cwd())
    _show("minimal", Figures(figures.episodes, figures.calls, 1, spent.wall_s, spent.cpu_s, 1.0), None)
    for name, wall_s in (("pytest-ultra", figures.wall_s), ("minimal", spent.wall_s)):
        print(f"{name}: {figures.episodes / wall_s:.0f} episodes/s, {figures.calls / wall_s:.0f} calls/s")


def _spend(command: tuple[str, ...], folder: Path) -> Spent:
    """Run a command to its end, and read the CPU of its endpoint's process meanwhile."""
    environ = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": ""}
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=output)
        endpoint_s, pid = 0.0, 0
        while not pid:
            time.sleep(READ_INTERVAL_S)
            endpoint_s = max(endpoint_s, _endpoint_cpu_s(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{output.read().decode()}")
    return Spent(wall_s, usage.ru_utime + usage.ru_stime - endpoint_s)


def _endpoint_cpu_s(parent: int) -> float:
    """Return the CPU seconds so far of the embedded endpoint that a process started, or 0 if there is none."""
    try:
        for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            if b"pytest_ultra.controller.demo" in Path(f"/proc/{pid}/cmdline").read_bytes():
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                user, system = int(fields[11]), int(fields[12])
                return (user + system) / os.sysconf("SC_CLK_TCK")
    except OSError:  # it ended while we read
        pass
    return 0.0


def _show(name: str, figures: Figures, scenario: Scenario | None) -> None:
    limits = (scenario.most_ratio, scenario.most_cpu_ms) if scenario else (None, None)
    counts = (str(figures.episodes), str(figures.calls), str(figures.longest), f"{figures.wall_s:.1f}")
    ratio, cpu_ms, load = f"{figures.ratio:.2f}", f"{figures.cpu_ms:.2f}", f"{os.getloadavg()[0]:.1f}"
    print(_line(name, *counts, ratio, _limit(limits[0]), cpu_ms, _limit(limits[1]), load))


def _limit(limit: float | None) -> str:
    return "-" if limit is None else f"{limit:.2f}"


def _line(name: str, *cells: str) -> str:
    return f"{name:8}" + "".join(f"{cell:>12}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
