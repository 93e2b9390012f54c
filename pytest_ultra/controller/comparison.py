"""Two sides of a comparison: runs or baseline files, with their episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from pytest_ultra.core.differences import Difference, Identity, find_differences
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import RunComparison
from pytest_ultra.core.gates import Decision, Gate, GateKind
from pytest_ultra.core.groups import GateOn, Undecided
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.comparison_lines import difference_line
from pytest_ultra.storage.baseline_file import read_baseline
from pytest_ultra.storage.journal import describe_damage, read_episodes
from pytest_ultra.storage.results import State, find_state
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import LATEST, find_run, list_runs


class Side(msgspec.Struct, frozen=True):
    """One side of a comparison, and its name in messages; `run` is None for a baseline file.

    `damage` says for a reader which lines of its journals cannot be read.
    """

    name: str
    episodes: tuple[Episode, ...]
    run: RunDirectory | None = None
    damage: tuple[str, ...] = ()


def load_side(text: str, root: Path, *, find_latest: Callable[[Path], RunDirectory] | None = None) -> Side:
    """Read the baseline file at a path, or the run of an id or directory; raise ConfigurationError for neither.

    `root` is the folder in which runs are kept, and `find_latest` finds the one that `latest` means (the newest).
    """
    path = Path(text)
    if path.is_file():
        baseline, episodes = read_baseline(path)
        return Side(f"{path.name} (of run {baseline.run_id})", episodes)
    if text.endswith(".json"):
        raise ConfigurationError(f"there is no file {text!r}; write one with `pytest-ultra baseline -o {text}`")
    run = find_latest(root) if find_latest is not None and text == LATEST else find_run(root, text)
    contents = read_episodes(run)
    return Side(run.run_id, contents.episodes, run, describe_damage(run, contents.damaged))


def find_finished(root: Path) -> RunDirectory:
    """Return the newest run that finished; the present run may be resuming an interrupted one."""
    for run in reversed(list_runs(root)):
        if find_state(run) is State.FINISHED:
            return run
    raise ConfigurationError(f"{str(root / 'runs')!r} holds no run that finished; name a run or a file")


class Compared(msgspec.Struct, frozen=True):
    """Two sides beside each other: their figures, and how their cases differ."""

    figures: RunComparison
    differences: tuple[Difference, ...]


def compare_sides(sample: Side, reference: Side) -> Compared:
    from pytest_ultra.analysis.run_comparison import compare_runs  # noqa: PLC0415 - NumPy is slow to import

    differences = find_differences(map(identify, sample.episodes), map(identify, reference.episodes))
    return Compared(compare_runs(sample.episodes, reference.episodes, (sample.name, reference.name)), differences)


def judge_sides(sample: Side, reference: Side, limits: Mapping[str, float], undecided: Undecided) -> Decision:
    """Judge by the limits of groups; without any, by whether chance explains the loss."""
    from pytest_ultra.analysis.gate_verdicts import GateEvaluator, decide  # noqa: PLC0415 - NumPy is slow to import

    gates = [Gate(GateKind.MAX_REGRESSION, limit, group) for group, limit in limits.items()]
    evaluator = GateEvaluator(sample.episodes, reference.episodes, GateOn.EVIDENCE)
    verdicts = map(evaluator.evaluate, gates or [Gate(GateKind.MAX_REGRESSION, None)])
    return decide(verdicts, 0, undecided_fails=undecided is Undecided.FAILS)


def no_common_case(differences: Iterable[Difference]) -> str:
    """Explain why no case is on both sides."""
    reasons = [difference_line(difference) for difference in differences if difference.is_apart]
    return "; ".join(reasons) or "each case differs in some field"


def identify(episode: Episode) -> Identity:
    return episode.case, episode.versions
