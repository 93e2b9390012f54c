"""Disturbs a run as planned, and notes which answers may be lost because of that."""

from __future__ import annotations

import json
import random
import struct
import sys
import time
from collections import Counter
from contextlib import suppress

from fault_machine.bill import Loss
from fault_machine.disk import Disk
from fault_machine.pytest_run import PytestRun, clock_file
from fault_machine.trial_plan import (
    KILL,
    Action,
    ClockStep,
    Disturbance,
    FewFiles,
    FullDisk,
    Moment,
    Signals,
    Target,
)

DYING_S = 1.0
"""How long workers may continue without the controller, whose process they check periodically, or after a signal."""


class Disturber:
    """`done` counts the disturbances by kind; `losses` are the spans in which answers in flight may be lost."""

    def __init__(self, seed: int, disk: Disk) -> None:
        self.done: Counter[str] = Counter()
        self.losses: list[Loss] = []
        self.last_signal_at = 0.0
        self._disk = disk
        self._chance = random.Random(seed)
        self._clock_shift_s = 0.0
        self._step_clock(0.0)

    def disturb(self, run: PytestRun, disturbance: Disturbance) -> None:
        """Wait for the moment, and disturb the run if it still runs then."""
        if run.wait_until(lambda: _is_at(run, disturbance.moment)):
            until = time.time() + disturbance.delay_s
            run.wait_until(lambda: time.time() >= until)
        if not run.has_ended and self._apply(disturbance.action, run):
            self.done[disturbance.action.kind] += 1

    def _apply(self, action: Action, run: PytestRun) -> bool:
        """Return whether the action was possible."""
        match action:
            case Signals():
                return self._send(action, run)
            case FullDisk():
                return self._disk.squeeze(action.free_bytes, action.lasts_s)
            case FewFiles():
                run.limit_files(action.files)
            case ClockStep():
                self._step_clock(action.seconds)
        return True

    def _send(self, action: Signals, run: PytestRun) -> bool:
        pid = self._find(action.target, run)
        if pid is None:
            return False
        at, is_sent = time.time(), False
        with suppress(ProcessLookupError):
            for number in action.numbers:
                time.sleep(action.pause_s if is_sent else 0.0)
                self.last_signal_at = time.time()
                run.send(pid, number, to_all=action.target is Target.WHOLE_RUN)
                is_sent = True
        is_prompt = action.numbers == (KILL,) and action.target is not Target.CONTROLLER
        self.losses.append(Loss(action.kind, at, self.last_signal_at + (0.0 if is_prompt else DYING_S)))
        return is_sent

    def _find(self, target: Target, run: PytestRun) -> int | None:
        match target:
            case Target.WORKER:
                workers = run.find_workers()
                return self._chance.choice(workers) if workers else None
            case Target.LOCK_HOLDER:
                return run.find_lock_holder()
        return run.pid

    def _step_clock(self, seconds: float) -> None:
        self._clock_shift_s += seconds
        with clock_file(self._disk.folder).open("r+b" if seconds else "wb") as file:
            file.write(encode_shift(self._clock_shift_s))


def encode_shift(seconds: float) -> bytes:
    """Return the content of a file that shifts clocks, as `clock/sitecustomize.py` reads it."""
    return struct.pack("d", seconds)


def _is_at(run: PytestRun, moment: Moment) -> bool:
    match moment:
        case Moment.STARTING:
            return True
        case Moment.LOCKED:
            return run.find_lock_holder() is not None
        case Moment.RUNNING:
            return run.has_started_episode
        case Moment.FINISHING:
            return run.has_journals_of(_planned_cases(run))


def _planned_cases(run: PytestRun) -> int:
    directory = run.directory
    with suppress(OSError, ValueError):
        return len(json.loads((directory / "plan.json").read_bytes())["nodeids"]) if directory else sys.maxsize
    return sys.maxsize
