"""Kill a run again and again over an endpoint that misbehaves, and count what that cost: `faults.py [KILLS] [SEED]`.

The endpoint is a process of its own and counts what it was paid for. Runs are killed (kill -9) at random moments: all
of it, the first process or one worker; and gone on with, on changing numbers of workers. Ends with 1 if anything was
lost or lived twice, or if more was paid twice than was in flight at the kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("faulty_server.py")
CONCURRENCY = 2
"""Episodes in flight per worker: few, so that a run is long enough to be killed in its midst."""
EPISODES_PER_KILL = 9
WORKERS = (2, 3, 0)
MOMENTS_S = (0.2, 2.0)
"""How long after it has begun to live episodes a run is killed."""
WITHIN_S = 60.0

Episode = dict[str, Any]


class Campaign:
    """One series of runs in a folder of its own."""

    def __init__(self, folder: Path, url: str, kills: int, chance: random.Random) -> None:
        self.folder = folder
        self.url = url
        self.kills = kills
        self.killed: Counter[str] = Counter()
        self.runs = 0
        self.in_flight = 0
        self._chance = chance
        self._instances = max(1, round(kills * EPISODES_PER_KILL / 50))

    def live(self) -> int:
        """Kill and go on until there were enough kills; then let a run come to its end. Return its exit code."""
        while self.killed.total() < self.kills:
            self._disturb()
        return self._finish()

    def _disturb(self) -> None:
        workers = self._chance.choice(WORKERS)
        process = self._start(workers)
        journals = len(list(self.folder.glob(".ultra/runs/*/turns-[!r]*")))
        _wait(lambda: len(list(self.folder.glob(".ultra/runs/*/turns-[!r]*"))) > journals or process.poll() is not None)
        time.sleep(self._chance.uniform(*MOMENTS_S))
        if workers and self._chance.random() < 1 / 3:
            self._kill_worker(process)
            time.sleep(self._chance.uniform(*MOMENTS_S))
        if process.poll() is None:
            self._kill(process, workers)
        process.wait()

    def _kill_worker(self, process: subprocess.Popen[bytes]) -> None:
        children = _children(process.pid)
        if children:
            with suppress(ProcessLookupError):
                os.kill(self._chance.choice(children), signal.SIGKILL)
                self.killed["worker"] += 1
                self.in_flight += CONCURRENCY

    def _kill(self, process: subprocess.Popen[bytes], workers: int) -> None:
        """Kill the whole run, or its first process alone: workers end by themselves when that is gone."""
        is_whole = not workers or self._chance.random() < 2 / 3
        (os.killpg if is_whole else os.kill)(process.pid, signal.SIGKILL)
        self.killed["whole run" if is_whole else "controller"] += 1
        self.in_flight += max(workers, 1) * CONCURRENCY

    def _finish(self) -> int:
        code = self._start(2).wait()
        for _ in range(3):
            if all(episode["outcome"] != "error" for episode in self.document()):
                break
            code = self._start(2, "--ultra-rerun=errors").wait()
        return code

    def _start(self, workers: int, *more: str) -> subprocess.Popen[bytes]:
        self.runs += 1
        command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", "--max-worker-restart=99"]
        command += ["--ultra-model=faulty", f"--ultra-base-url={self.url}", f"--ultra-instances={self._instances}"]
        command += [f"--ultra-concurrency={CONCURRENCY}", "--ultra-json=result.json", f"-n{workers}", *more]
        output = (self.folder / "output.txt").open("ab")
        return subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output, start_new_session=True)

    def document(self) -> list[Episode]:
        episodes: list[Episode] = json.loads((self.folder / "result.json").read_text())["episodes"]
        return episodes

    def finished(self) -> Iterator[tuple[str, float]]:
        """Yield each scored episode that some run has lived: its case, and when it began."""
        for journal in sorted(self.folder.glob(".ultra/runs/*/journal-[!r]*.jsonl")):
            for line in journal.read_bytes().split(b"\n"):
                with suppress(ValueError):
                    read = json.loads(line)
                    if read["episode"]["score"]["outcome"] in ("full", "partial", "failed"):
                        yield read["case_id"], read["episode"]["started_at"]


def _children(pid: int) -> list[int]:
    """Return the workers of a run: what it has started, but for an embedded endpoint, of which there is none here."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _wait(is_so: Any) -> None:
    end = time.monotonic() + WITHIN_S
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)


def judge(campaign: Campaign, paid: dict[str, int], faults: dict[str, int]) -> list[str]:
    """Print the figures, and return what is wrong with them."""
    document = campaign.document()
    scored = Counter(e["case_id"] for e in document if e["outcome"] in ("full", "partial", "failed"))
    lived = Counter(case_id for case_id, _ in campaign.finished())
    final = {(episode["case_id"], episode["started_at"]) for episode in document}
    lost = [case for case in campaign.finished() if case not in final]
    twice = [case_id for case_id, times in lived.items() if times > 1]
    extra = sum(times - 1 for times in paid.values())
    kinds = ", ".join(f"{times} x {what}" for what, times in sorted(campaign.killed.items()))
    print(f"kills: {campaign.killed.total()} ({kinds}); runs: {campaign.runs}")
    print(f"faults met: {', '.join(f'{times} x {name}' for name, times in sorted(faults.items()))}")
    print(f"cases: {len(document)}, scored exactly once: {sum(times == 1 for times in scored.values())}")
    print(f"finished episodes lost: {len(lost)}, lived twice: {len(twice)}")
    print(f"requests paid for: {sum(paid.values())}, twice: {extra}; in flight at kills: at most {campaign.in_flight}")
    claims = {
        "every case is scored exactly once": len(scored) == len(document) == sum(scored.values()),
        "no finished episode is lost": not lost,
        "no finished episode is lived twice": not twice,
        "no request is paid for twice but those in flight at a kill": extra <= campaign.in_flight,
        "there were as many kills as asked for": campaign.killed.total() >= campaign.kills,
    }
    return [claim for claim, holds in claims.items() if not holds]


def main() -> int:
    kills, seed = (int(argument) for argument in (*sys.argv[1:], *("30", "0")[len(sys.argv) - 1 :]))
    with subprocess.Popen([sys.executable, SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        url = server.stdout.readline().strip()
        try:
            with tempfile.TemporaryDirectory() as folder:
                campaign = Campaign(Path(folder), url, kills, random.Random(seed))
                campaign.live()
                with urllib.request.urlopen(url) as told:  # noqa: S310 - our own server
                    counts = json.loads(told.read())
                wrong = judge(campaign, counts["paid"], counts["faults"])
        finally:
            server.kill()
    for claim in wrong:
        print(f"NOT SO: {claim}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
