"""What happens in a trial: a random combination of disturbances, drawn from its seed alone."""

from __future__ import annotations

import random
import signal
from enum import StrEnum

import msgspec

from fault_machine.answers import FAULTS, GROUPS, ODDITIES

KIB = 1024
INT, TERM, HUP, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL
FULL_DISK = "full disk"
DAY_S = 86_400.0


class Moment(StrEnum):
    """The part of a run in which a disturbance happens, in their order."""

    STARTING = "starting"  # from the start of its process
    LOCKED = "locked"  # while workflows are made under their lock
    RUNNING = "running"  # from the first episode
    FINISHING = "finishing"  # when all its episodes are on disk


class Target(StrEnum):
    """A terminal sends its signals to the whole run."""

    WORKER = "worker"
    CONTROLLER = "controller"
    LOCK_HOLDER = "lock holder"
    WHOLE_RUN = "whole run"


class Signals(msgspec.Struct, frozen=True, tag="signals"):
    """Signals with a pause after each but the last."""

    target: Target
    numbers: tuple[int, ...]
    pause_s: float = 0.0

    @property
    def kind(self) -> str:
        names = [signal.Signals(number).name.removeprefix("SIG") for number in self.numbers]
        if self.is_pause:
            return f"stop and continue {self.target}"
        if names == ["KILL"]:
            return f"kill -9 {self.target}"
        return f"SIG{names[0]}" if len(names) == 1 else "several signals" if len(set(names)) == 1 else "mixed signals"

    @property
    def is_pause(self) -> bool:
        return signal.SIGSTOP in self.numbers


class FullDisk(msgspec.Struct, frozen=True, tag="disk"):
    """Leaves so many bytes free on the run's disk; after `lasts_s`, or at the end of the run, there is room again."""

    free_bytes: int
    lasts_s: float
    kind: str = FULL_DISK


class FewFiles(msgspec.Struct, frozen=True, tag="files"):
    """Limits the open files of each process of the run."""

    files: int
    kind: str = "few open files"


class ClockStep(msgspec.Struct, frozen=True, tag="clock"):
    seconds: float

    @property
    def kind(self) -> str:
        return "clock set forward" if self.seconds > 0 else "clock set back"


Action = Signals | FullDisk | FewFiles | ClockStep


class Disturbance(msgspec.Struct, frozen=True):
    """An action `delay_s` after a moment of the run begins."""

    moment: Moment
    delay_s: float
    action: Action


class DisturbedRun(msgspec.Struct, frozen=True):
    """One run of the series; 0 workers is a run without xdist's processes."""

    workers: int
    disturbances: tuple[Disturbance, ...]


class TrialPlan(msgspec.Struct, frozen=True):
    """With `is_gated`, the exit code of a run does not depend on how many cases fail."""

    seed: int
    runs: tuple[DisturbedRun, ...]
    behaviours: tuple[str, ...]
    rate: float
    task_types: str
    prompt_types: str
    is_gated: bool

    @property
    def kinds(self) -> set[str]:
        """The kinds of fault that this trial tries, the endpoint's groups included."""
        return {each.action.kind for run in self.runs for each in run.disturbances} | {
            f"endpoint: {GROUPS[name]}" for name in self.behaviours
        }


def draw_plan(seed: int) -> TrialPlan:
    chance = random.Random(seed)
    runs = tuple(_draw_run(chance) for _ in range(chance.choice((1, 1, 2))))
    names = (*FAULTS, *ODDITIES)
    has_behaviours = chance.choice((True, True, True, True, False))
    return TrialPlan(
        seed=seed,
        runs=runs,
        behaviours=tuple(chance.sample(names, chance.randint(2, 6))) if has_behaviours else (),
        rate=chance.uniform(0.02, 0.15),
        task_types=chance.choice(("simple_task,basic_task", "simple_task,data_pipeline")),
        prompt_types=chance.choice(("all", "all", "optimal,flawed")),
        is_gated=chance.choice((True, False)),
    )


def _draw_run(chance: random.Random) -> DisturbedRun:
    workers = chance.choice((0, 0, 1, 2, 2, 3))
    drawn = [_draw_disturbance(chance, workers) for _ in range(chance.choice((1, 1, 2, 3)))]
    moments = list(Moment)
    return DisturbedRun(workers, tuple(sorted(drawn, key=lambda each: moments.index(each.moment))))


def _draw_disturbance(chance: random.Random, workers: int) -> Disturbance:
    action = chance.choice((_draw_kill, _draw_kill, _draw_stop, _draw_signals, _draw_signals, *_OTHERS))(chance)
    if isinstance(action, Signals) and action.target is Target.WORKER and not workers:
        action = msgspec.structs.replace(action, target=Target.CONTROLLER)
    moment = _draw_moment(chance, action)
    longest = {Moment.STARTING: 1.5, Moment.LOCKED: 0.0, Moment.RUNNING: 1.5, Moment.FINISHING: 0.6}[moment]
    return Disturbance(moment, chance.uniform(0, longest), action)


def _draw_moment(chance: random.Random, action: Action) -> Moment:
    if isinstance(action, Signals) and action.target is Target.LOCK_HOLDER:
        return Moment.LOCKED
    if isinstance(action, Signals) and action.target is Target.WORKER:
        return Moment.RUNNING
    return chance.choice((Moment.STARTING, Moment.RUNNING, Moment.RUNNING, Moment.FINISHING))


def _draw_kill(chance: random.Random) -> Signals:
    return Signals(chance.choice(list(Target)), (KILL,))


def _draw_stop(chance: random.Random) -> Signals:
    target = chance.choice((Target.WORKER, Target.CONTROLLER, Target.WHOLE_RUN))
    return Signals(target, (signal.SIGSTOP, signal.SIGCONT), chance.choice((0.2, 1.0, 3.0)))


def _draw_signals(chance: random.Random) -> Signals:
    numbers = chance.choice(
        ((INT,), (TERM,), (HUP,), (INT, INT), (INT, INT, INT), (INT, TERM), (INT, HUP), (TERM, INT))
    )
    target = chance.choice((Target.CONTROLLER, Target.WHOLE_RUN, Target.WHOLE_RUN))
    return Signals(target, numbers, chance.choice((0.0, 0.02, 0.05, 0.1, 0.3)))


def _draw_full_disk(chance: random.Random) -> FullDisk:
    return FullDisk(int(4 * KIB * 2 ** chance.uniform(0, 8)), chance.choice((0.3, 1.0, 100.0)))


def _draw_few_files(chance: random.Random) -> FewFiles:
    return FewFiles(int(12 * 2 ** chance.uniform(0, 4.5)))


def _draw_clock_step(chance: random.Random) -> ClockStep:
    return ClockStep(chance.choice((-1, 1)) * chance.choice((0.5, 30.0, 3600.0, DAY_S, 400 * DAY_S)))


_OTHERS = (_draw_full_disk, _draw_few_files, _draw_clock_step)
