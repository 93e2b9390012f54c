"""Fuzz all readers with Hypothesis until the time is over.

    python benchmarks/fuzz.py [MINUTES] [SEED]

Each round runs the tests marked `fuzz` with many examples and a seed of its own: SEED, SEED + 1, and so on. It uses
one process at a time, and ends after the round during which the time is over, or after a round with a finding. It
prints the examples by test, and how to replay a finding; with a finding, the exit code is 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
MARKED = "from tests.fuzzing import"
STATISTICS = re.compile(r"^(tests/\S+::.+):\n((?:\n?  .*\n)+)", re.MULTILINE)
MOST_TEST_S = 600
"""After this time in one test, pytest prints where it is."""
MOST_ROUND_S = 3600
"""A round that takes longer hangs."""
COUNTS = re.compile(r"(\d+) passing\b.*?, (\d+) failing\b")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float, nargs="?", default=3.0, metavar="MINUTES", help="(default: 3)")
    parser.add_argument("seed", type=int, nargs="?", default=0, metavar="SEED", help="(default: 0)")
    arguments = parser.parse_args()
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py") if _is_marked(path))
    started = time.monotonic()
    examples: Counter[str] = Counter()
    seed, code = arguments.seed, 0
    while not code and (seed == arguments.seed or time.monotonic() - started < 60 * arguments.minutes):
        code = _run_round(files, seed, examples)
        seed += 1
        print(f"seed {seed - 1}: {sum(examples.values()):,} examples, {time.monotonic() - started:.0f} s", flush=True)
    _print_table(examples)
    rounds, tests, total = seed - arguments.seed, len(examples), sum(examples.values())
    print(f"{rounds} rounds, {tests} tests, {total:,} examples, {'a finding' if code else 'no finding'}")
    return 1 if code else 0


def _is_marked(path: Path) -> bool:
    return MARKED in path.read_text(encoding="utf-8")


def _run_round(files: list[str], seed: int, examples: Counter[str]) -> int:
    """Run all fuzz tests once, add their examples, and return pytest's exit code."""
    options = ("--hypothesis-profile=fuzz", f"--hypothesis-seed={seed}", "-o", f"faulthandler_timeout={MOST_TEST_S}")
    quiet = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "fuzz", "--hypothesis-show-statistics")
    command = (sys.executable, "-m", "pytest", *quiet, *options, *files)
    try:
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=MOST_ROUND_S)
    except subprocess.TimeoutExpired as error:
        print(f"a test hangs: {(error.stderr or b'').decode(errors='replace')}\nreplay: {' '.join(command)}")
        return 1
    for test, statistics in STATISTICS.findall(process.stdout):
        examples[test] += sum(int(passing) + int(failing) for passing, failing in COUNTS.findall(statistics))
    if process.returncode:
        print(process.stdout.partition("= Hypothesis Statistics =")[0], process.stderr)
        print(f"pytest ended with {process.returncode}")  # negative: the signal that killed it
        for test in re.findall(r"^FAILED (\S+)", process.stdout, re.MULTILINE):
            print(f"replay: python -m pytest '{test}' {' '.join(options)}")
    return process.returncode


def _print_table(examples: Counter[str]) -> None:
    for test, count in sorted(examples.items()):
        print(f"{count:>9,}  {test.removeprefix('tests/')}")


if __name__ == "__main__":
    sys.exit(main())
