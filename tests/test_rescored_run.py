"""The module and the command score stored transcripts with the current scorer, and leave the run unchanged."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra import __version__
from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.commands.cli import main
from pytest_ultra.commands.rescore import rescore
from pytest_ultra.core.axes import PromptType, TaskType
from pytest_ultra.core.case import GENERATOR_VERSION, SCORER_VERSION
from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score, Usage
from pytest_ultra.core.transcript import Ended, EndReason
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.journal import Journal, read_episodes
from pytest_ultra.storage.run_directory import RunDirectory
from tests.benchmark.agent_runs import make_case, run_agent

FULL, PARTIAL, FAILED, ERROR, _ = Outcome
PROMPT_TYPES = (PromptType.COT, PromptType.OPTIMAL, PromptType.FLAWED_TOOL_MISUSE, PromptType.FLAWED_SEQUENCE_DISORDER)

Capture = pytest.CaptureFixture[str]
MakeRun = Callable[..., RunDirectory]


def play_episodes() -> Iterator[Episode]:
    for agent in ("perfect", "follower", "one-call", "mixture"):
        for prompt_type in PROMPT_TYPES:
            for task_type in (TaskType.SIMPLE_TASK, TaskType.MULTI_STAGE_PIPELINE):
                case = msgspec.structs.replace(make_case(prompt_type, task_type, rate=0.8), model=f"demo/{agent}")
                conversation = run_agent(agent, case)
                scored = score(case, conversation.guidance, conversation.events)
                nodeid = f"test_workflow[{agent}-{prompt_type}-{task_type}]"
                yield Episode(
                    case,
                    nodeid,
                    scored,
                    Usage(),
                    "gw0",
                    1.0,
                    2.0,
                    plan=conversation.plan,
                    transcript=conversation.events,
                )


@pytest.fixture(scope="session")
def episodes() -> tuple[Episode, ...]:
    return tuple(sorted(play_episodes(), key=lambda episode: episode.nodeid))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The `.ultra` directory in which the command looks for runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".ultra"


@pytest.fixture
def make_run(root: Path) -> MakeRun:
    """Make the directory of a finished run."""

    def make_run(*episodes: Episode, has_guidance: bool = True) -> RunDirectory:
        run = RunDirectory.create(root, {"pytest_ultra": "0.0.9"}, started_at=float(len(list(root.glob("runs/*")))))
        if has_guidance:
            GuidanceCache(run.guidance, BENCHMARK.task_type).fill([episode.case for episode in episodes], make_guidance)
        journal = Journal(run, "gw0")
        for episode in episodes:
            journal.append(episode)
        journal.close()
        return run

    return make_run


def with_old_score(episode: Episode, outcome: Outcome, **fields: Any) -> Episode:
    """Return the episode with the score of an older scorer."""
    return msgspec.structs.replace(episode, score=Score(outcome), scorer_version=0, **fields)


def snapshot(run: RunDirectory) -> dict[str, tuple[bytes, int]]:
    files = [path for path in run.path.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_the_current_scorer_reproduces_its_own_scores(make_run: MakeRun, episodes: tuple[Episode, ...]) -> None:
    rescored = rescore(make_run(*episodes))
    assert len({episode.outcome for episode in episodes}) >= 2
    assert rescored.before == rescored.after
    assert rescored.after == episodes
    assert (rescored.changed, rescored.transitions) == (0, {})


def test_scores_of_an_older_scorer_are_replaced_and_counted_by_transition(
    make_run: MakeRun, episodes: tuple[Episode, ...]
) -> None:
    full = [episode for episode in episodes if episode.outcome is FULL][:4]
    old = [with_old_score(full[0], FAILED), with_old_score(full[1], FAILED), with_old_score(full[2], FULL)]
    run = make_run(*old, full[3])
    before = snapshot(run)
    rescored = rescore(run)
    assert rescored.after == tuple(full)
    assert rescored.transitions == {(FULL, FULL): 1, (FAILED, FULL): 2}
    assert list(rescored.transitions) == [(FULL, FULL), (FAILED, FULL)]
    assert {episode.scorer_version for episode in rescored.after} == {SCORER_VERSION}
    assert snapshot(run) == before, "the run is unchanged"


def test_an_episode_that_failed_only_in_the_scorer_is_scored(make_run: MakeRun, episodes: tuple[Episode, ...]) -> None:
    (full, *_) = [episode for episode in episodes if episode.outcome is FULL]
    broken = msgspec.structs.replace(full, score=Score(ERROR, FailureClass.HARNESS), error="Traceback ...")
    rescored = rescore(make_run(broken))
    assert rescored.after == (full,)
    assert rescored.transitions == {(ERROR, FULL): 1}


def test_an_episode_aborted_by_the_harness_stays_unchanged(make_run: MakeRun, episodes: tuple[Episode, ...]) -> None:
    transcript = (*episodes[0].transcript[:2], Ended(EndReason.HARNESS, "a bug"))
    error_score = Score(ERROR, FailureClass.HARNESS)
    broken = msgspec.structs.replace(episodes[0], transcript=transcript, score=error_score, error="Traceback ...")
    rescored = rescore(make_run(broken))
    assert (rescored.after, rescored.changed) == ((broken,), 0)


def test_an_episode_without_a_transcript_keeps_its_score_and_its_version(
    make_run: MakeRun, episodes: tuple[Episode, ...], capsys: Capture
) -> None:
    without_transcript = with_old_score(episodes[0], PARTIAL, transcript=())
    rescored = rescore(make_run(without_transcript, episodes[1]))
    assert without_transcript in rescored.after
    assert rescored.without_transcript == 1
    assert main(["rescore"]) == 0
    assert "  1 episode without a transcript kept the old score and its version\n" in capsys.readouterr().out


def test_the_newest_episode_of_a_case_counts(make_run: MakeRun, episodes: tuple[Episode, ...]) -> None:
    first = msgspec.structs.replace(episodes[0], started_at=0.5, score=Score(ERROR))
    assert rescore(make_run(first, episodes[0])).after == (episodes[0],)


def error_message(run: RunDirectory) -> str:
    with pytest.raises(ConfigurationError) as error:
        rescore(run)
    return str(error.value)


def test_transcripts_of_another_generator_version_are_rejected(
    make_run: MakeRun, episodes: tuple[Episode, ...]
) -> None:
    foreign = [
        msgspec.structs.replace(episode, generator_version=GENERATOR_VERSION + n) for n, episode in enumerate(episodes)
    ]
    run = make_run(*foreign[:3])
    assert error_message(run) == (
        f"the run {run.run_id} holds 2 transcripts of generator version {GENERATOR_VERSION + 1}, "
        f"{GENERATOR_VERSION + 2}, and this "
        f"pytest-ultra has {GENERATOR_VERSION}, with other tasks and tools; use the version that made it (0.0.9)"
    )


def test_a_case_without_its_workflow_is_rejected(make_run: MakeRun, episodes: tuple[Episode, ...]) -> None:
    run = make_run(episodes[0], has_guidance=False)
    assert error_message(run) == (
        f"{episodes[0].nodeid} cannot be scored: its workflow is not in {str(run.guidance)!r} "
        "(nothing was generated for it); move or copy a run as a whole"
    )


def test_an_unreadable_workflow_is_rejected(make_run: MakeRun, episodes: tuple[Episode, ...]) -> None:
    run = make_run(episodes[0])
    (file,) = run.guidance.glob("*.json")
    file.write_bytes(file.read_bytes()[:100])
    assert re.search(r"its workflow is not in '.*' \('.*' is unreadable: .*\); move or copy a run", error_message(run))


def test_a_run_without_episodes_is_rejected(make_run: MakeRun) -> None:
    run = make_run()
    assert error_message(run) == f"the run {run.run_id} holds no episodes, so there is nothing to score"


def test_the_command_prints_the_changes_in_the_newest_run(
    make_run: MakeRun, episodes: tuple[Episode, ...], capsys: Capture
) -> None:
    make_run(episodes[0])
    full = [episode for episode in episodes if episode.outcome is FULL]
    run = make_run(with_old_score(full[0], FAILED), with_old_score(full[1], FULL), *full[2:4])
    assert main(["rescore"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"run {run.run_id}: 4 episodes, 2 scores changed",
        "  full -> full: 1 (other figures changed)",
        "  failed -> full: 1",
    ]


def test_a_run_is_named_by_its_id_or_its_directory(
    make_run: MakeRun, episodes: tuple[Episode, ...], root: Path, capsys: Capture
) -> None:
    older, _newer = make_run(episodes[0]), make_run(*episodes[:2])
    named = ([older.run_id], [str(older.path)], [older.run_id, "--dir", str(root)])
    for args in named:
        assert main(["rescore", *args]) == 0
        assert capsys.readouterr().out == f"run {older.run_id}: 1 episode, 0 scores changed\n"


def test_the_document_contains_the_rescored_episodes(
    make_run: MakeRun, episodes: tuple[Episode, ...], tmp_path: Path
) -> None:
    run = make_run(*(with_old_score(episode, PARTIAL) for episode in episodes))
    assert main(["rescore", "-o", "out.json"]) == 1
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["run"]["run_id"] == run.run_id
    assert document["run"]["rescored_by"] == {"pytest_ultra": __version__, "scorer": SCORER_VERSION}
    assert {e["case_id"]: e["outcome"] for e in document["episodes"]} == {e.case_id: e.outcome for e in episodes}


def test_json_is_the_same_document_on_standard_output(
    make_run: MakeRun, episodes: tuple[Episode, ...], tmp_path: Path, capsys: Capture
) -> None:
    make_run(with_old_score(episodes[0], PARTIAL), episodes[1])
    assert main(["rescore", "--json", "-o", "out.json"]) == 1
    assert capsys.readouterr().out == (tmp_path / "out.json").read_text()


def error_of(capsys: Capture, *args: str) -> str:
    assert main(["rescore", *args]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err.removeprefix("pytest-ultra rescore: error: ").rstrip("\n")


def test_an_unknown_run_is_an_error_that_lists_the_newest_runs(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    assert error_of(capsys) == (
        "'.ultra/runs' holds no run; name the directory of one, or start one: pytest --ultra-model demo"
    )
    message = "'nope' is not a run; give a run id, the directory of a run, or latest"
    assert error_of(capsys, "nope") == f"{message} ('.ultra/runs' holds none)"
    ids = [make_run().run_id for _ in range(4)]
    newest = ", ".join(reversed(ids[1:]))
    assert error_of(capsys, "nope") == f"{message} (the newest under '.ultra/runs' are {newest})"
    assert error_of(capsys, str(root)).startswith(f"{str(root)!r} is not a run; ")


def test_a_run_that_cannot_be_scored_is_an_error_and_writes_nothing(
    make_run: MakeRun, episodes: tuple[Episode, ...], capsys: Capture
) -> None:
    make_run(episodes[0], has_guidance=False)
    assert "cannot be scored: its workflow is not in" in error_of(capsys, "-o", "out.json")
    assert not Path("out.json").exists()


def test_a_document_that_cannot_be_written_is_an_error(
    make_run: MakeRun, episodes: tuple[Episode, ...], capsys: Capture
) -> None:
    make_run(episodes[0])
    assert error_of(capsys, "-o", ".") == "--output: '.' is a directory; name a file that can be written"


def test_damaged_lines_are_reported(make_run: MakeRun, episodes: tuple[Episode, ...], capsys: Capture) -> None:
    run = make_run(episodes[0])
    with (run.path / "journal-gw1.jsonl").open("wb") as file:
        file.write(b'{"schema_version":1,"seq')
    assert main(["rescore"]) == 0
    assert capsys.readouterr().err == (
        "pytest-ultra rescore: journal-gw1.jsonl, line 1: 24 bytes cannot be read and were skipped\n"
    )


def test_the_help_explains_the_exit_codes(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["rescore", "--help"])
    assert exited.value.code == 0
    shown = capsys.readouterr().out
    for code in ("0  no score has changed", "1  some scores have changed", "2  the command failed"):
        assert f"\n  {code}" in shown


def test_the_same_transcripts_get_the_same_bytes_in_every_process(
    make_run: MakeRun, episodes: tuple[Episode, ...], tmp_path: Path
) -> None:
    """Rescoring relies on this: no score depends on the process or its hash seed."""
    run = make_run(*episodes)
    documents = []
    for seed in ("0", "1", "4711"):
        path = tmp_path / f"{seed}.json"
        command = [sys.executable, "-m", "pytest_ultra", "rescore", str(run.path), "-o", str(path)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": seed})  # noqa: S603 - our own command
        documents.append(path.read_bytes())
    assert len(set(documents)) == 1
    assert len(json.loads(documents[0])["episodes"]) == len(read_episodes(run).episodes) == len(episodes)
