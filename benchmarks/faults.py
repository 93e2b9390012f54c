"""Disturb and resume a run repeatedly over a faulty endpoint, and count what that costs.

usage: python benchmarks/faults.py [KILLS] [SEED] [signals]

The endpoint is a process of its own and records its paid answers. Runs are killed (kill -9) at random moments and
resumed with varying numbers of workers. With `signals`, they are also interrupted (once and repeatedly), terminated,
hung up, and stopped and continued, in an order drawn from the seed. The exit code is 1 if a finished episode was lost
or run twice, if a request was paid for twice although it was not in flight at a kill, or if another claim fails.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from campaign import Campaign, Kill
from faulty_server import TURNS

SERVER = Path(__file__).with_name("faulty_server.py")
SETTLING_S = 0.6
"""How long an answer may take to reach the disk of a busy machine."""
DYING_S = 1.0
"""How long workers may continue without the controller, whose process they check periodically, or after a signal."""

Paid = Sequence[tuple[str, float, float]]


class Bill:
    """The paid answers by case and turn, each with the times of its request and answer."""

    def __init__(self, paid: Paid, kills: Iterable[Kill]) -> None:
        self.times: dict[str, list[tuple[float, float]]] = {}
        for case_and_turn, requested_at, answered_at in paid:
            self.times.setdefault(case_and_turn, []).append((requested_at, answered_at))
        self._kills = tuple(kills)

    @property
    def total(self) -> int:
        return sum(map(len, self.times.values()))

    @property
    def repeated(self) -> int:
        return self.total - len(self.times)

    @property
    def run_twice(self) -> int:
        """Count the cases of which every turn was paid for more than once."""
        least: dict[str, int] = {}
        for case_and_turn, times in self.times.items():
            case = case_and_turn.split()[0]
            least[case] = min(least.get(case, len(times)), len(times))
        return sum(times > 1 for times in least.values())

    def repeated_needlessly(self) -> list[str]:
        """Describe the requests that were paid for again although they were not in flight at a kill."""
        return [
            f"{case_and_turn}: answered {self._after_kill(answered_at)}"
            for case_and_turn, times in self.times.items()
            for requested_at, answered_at in times[:-1]
            if not self._was_in_flight(requested_at, answered_at)
        ]

    def _after_kill(self, at: float) -> str:
        nearest = min(self._kills, key=lambda kill: abs(kill.at - at))
        return f"{at - nearest.at:+.2f} s from {nearest.target}"

    def _was_in_flight(self, requested_at: float, answered_at: float) -> bool:
        return any(requested_at <= _end_of(kill) and answered_at >= kill.at - SETTLING_S for kill in self._kills)


def _end_of(kill: Kill) -> float:
    """Return until when a request may be in flight because of a kill: a signal may take until its process ends."""
    is_prompt = kill.target in ("lock holder", "worker", "whole run")
    if is_prompt:
        return kill.at
    return kill.until if kill.target.endswith(" cont") else min(kill.at + DYING_S, kill.until)


def check(campaign: Campaign, bill: Bill, faults: dict[str, int]) -> list[str]:
    """Print the figures, and return the claims that they contradict."""
    document = campaign.document()
    scored = Counter(e["case_id"] for e in document if e["outcome"] in ("full", "partial", "failed"))
    finished = list(campaign.finished())
    final = {(episode["case_id"], episode["started_at"]) for episode in document}
    lost = sum(episode not in final for episode in finished)
    twice = sum(times > 1 for times in Counter(case_id for case_id, _ in finished).values())
    in_flight = sum(kill.in_flight for kill in campaign.kills)
    kinds = Counter(kill.target for kill in campaign.kills)
    print(f"kills: {len(campaign.kills)} ({_listed(kinds)}); runs: {campaign.runs}")
    print(f"faults: {_listed(faults)}")
    print(f"cases: {len(document)}, scored exactly once: {sum(times == 1 for times in scored.values())}")
    print(f"finished episodes lost: {lost}, run twice: {twice} (by the server's record: {bill.run_twice})")
    print(
        f"requests paid for: {bill.total}, twice: {bill.repeated} (in flight at kills: at most {in_flight}), "
        f"of these not in flight at a kill: {len(bill.repeated_needlessly())}"
    )
    for request in bill.repeated_needlessly():
        print(f"  {request}")
    claims = {
        "every case is scored exactly once": len(scored) == len(document) == sum(scored.values()),
        "every answer of every case was paid for": len(bill.times) == len(document) * TURNS,
        "no finished episode is lost": not lost,
        "no finished episode is run twice": not twice and not bill.run_twice,
        "no request is paid for twice but those in flight at a kill": not bill.repeated_needlessly(),
        "no more is paid for twice than was in flight at the kills": bill.repeated <= in_flight,
        "no process of an ended run is left": not campaign.left_processes,
        "there were as many kills as asked for, or nearly as many with signals": len(campaign.kills) >= campaign.needed,
    }
    return [claim for claim, holds in claims.items() if not holds]


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{times} x {what}" for what, times in sorted(counts.items()))


def read(url: str, what: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + what) as response:  # noqa: S310 - our own server
        read: dict[str, Any] = json.loads(response.read())
    return read


def main() -> int:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` makes runs ignore hanging up,
    signal.signal(signal.SIGINT, signal.default_int_handler)  # and a shell's background Ctrl-C
    has_signals = "signals" in sys.argv
    numbers = [argument for argument in sys.argv[1:] if argument != "signals"]
    kills, seed = (int(argument) for argument in (*numbers, *("30", "0")[len(numbers) :]))
    started = time.monotonic()
    with subprocess.Popen([sys.executable, SERVER, str(seed)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        url = server.stdout.readline().strip()
        try:
            with tempfile.TemporaryDirectory() as folder:
                campaign = Campaign(Path(folder), url, kills, random.Random(seed), has_signals=has_signals)
                campaign.run(lambda: read(url, "/fast"))
                record = read(url, "/record")
                wrong = check(campaign, Bill(record["paid"], campaign.kills), record["faults"])
        finally:
            server.kill()
    print(f"time: {time.monotonic() - started:.0f} s")
    for claim in wrong:
        print(f"FAILED: {claim}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
