"""Finding what a run is compared with: an earlier run, or a baseline file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec
import pytest

from pytest_ultra.core.case import Case, Versions
from pytest_ultra.core.differences import Departure, Identity, find_departures
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import RunComparison
from pytest_ultra.core.gates import Decision, Gate, GateKind
from pytest_ultra.core.groups import GateOn
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.comparison_lines import departure_line
from pytest_ultra.storage.baseline_file import read_baseline
from pytest_ultra.storage.journal import read_episodes
from pytest_ultra.storage.results import State, find_state
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import find_run, list_runs

LATEST = "latest"
"""What names the newest run."""


class Side(msgspec.Struct, frozen=True):
    """One side of a comparison, and how it is named to people."""

    name: str
    episodes: tuple[Episode, ...]


def find_newest(root: Path) -> RunDirectory:
    return find_run(root, None)


def load_side(text: str, root: Path, *, find_latest: Callable[[Path], RunDirectory] = find_newest) -> Side:
    """Read the baseline file at a path, or the run of an id or directory; raise ConfigurationError for neither.

    `root` is the folder in which runs are kept, and `find_latest` finds the one that `latest` means.
    """
    path = Path(text)
    if path.is_file():
        baseline, episodes = read_baseline(path)
        return Side(f"{path.name} (of run {baseline.run_id})", episodes)
    if text.endswith(".json"):
        raise ConfigurationError(f"there is no file {text!r}; write one with `pytest-ultra baseline -o {text}`")
    run = find_latest(root) if text == LATEST else find_run(root, text)
    return Side(run.run_id, read_episodes(run).episodes)


def find_ended(root: Path) -> RunDirectory:
    """Return the newest run that came to its end; one that was cut off may be what the present run goes on with."""
    for run in reversed(list_runs(root)):
        if find_state(run) is State.ENDED:
            return run
    raise ConfigurationError(f"{str(root / 'runs')!r} holds no run that came to its end; name a run or a file")


def load_reference(settings: Settings, planned: Iterable[Case]) -> Side | None:
    """Return what `--ultra-compare` names; raise `pytest.UsageError` where no case could be compared with it."""
    if settings.compare is None:
        return None
    try:
        side = load_side(settings.compare, settings.dir, find_latest=find_ended)
        check_common(planned, side)
    except ConfigurationError as error:
        raise pytest.UsageError(f"--ultra-compare: {error}") from None
    return side


def check_common(planned: Iterable[Case], side: Side) -> None:
    """Raise ConfigurationError unless a case of a run that begins was scored by what it is compared with."""
    ours = [(case, Versions()) for case in planned]
    theirs = [(episode.case, episode.versions) for episode in side.episodes if episode.outcome.is_scored]
    if not theirs:
        raise ConfigurationError(f"{side.name} has scored no case; name another run, or a baseline file")
    if _has_one_model(ours) and _has_one_model(theirs):  # two models are compared case by case, too
        ours, theirs = _without_model(ours), _without_model(theirs)
    if not set(ours) & set(theirs):
        told = tell_apart(find_departures(ours, theirs))
        raise ConfigurationError(f"no case of this run is in {side.name} ({told}); give this run the same options")


def _has_one_model(identities: Iterable[Identity]) -> bool:
    return len({case.model for case, _ in identities}) == 1


def _without_model(identities: Iterable[Identity]) -> list[Identity]:
    return [(msgspec.structs.replace(case, model=""), versions) for case, versions in identities]


class Compared(msgspec.Struct, frozen=True):
    """Two sides beside each other: figures, and what they do not have in common."""

    figures: RunComparison
    departures: tuple[Departure, ...]


def compare_sides(sample: Side, reference: Side) -> Compared:
    from pytest_ultra.analysis.run_comparison import compare_runs  # noqa: PLC0415 - only the end of a run needs it

    departures = find_departures(map(identify, sample.episodes), map(identify, reference.episodes))
    return Compared(compare_runs(sample.episodes, reference.episodes, (sample.name, reference.name)), departures)


def judge_sides(sample: Side, reference: Side, limits: Mapping[str, float]) -> Decision:
    """Judge by limits of groups; without any, by whether chance explains what was lost."""
    from pytest_ultra.analysis.gate_verdicts import Judge, settle  # noqa: PLC0415 - likewise

    gates = [Gate(GateKind.MAX_REGRESSION, limit, group) for group, limit in limits.items()]
    judge = Judge(sample.episodes, reference.episodes, GateOn.RATE)
    return settle(map(judge.judge, gates or [Gate(GateKind.MAX_REGRESSION, None)]), 0)


def tell_apart(departures: Iterable[Departure]) -> str:
    """Say why no case is on both sides."""
    apart = [departure_line(departure) for departure in departures if departure.is_apart]
    return "; ".join(apart) or "each differs in one field or another"


def identify(episode: Episode) -> Identity:
    return episode.case, episode.versions
