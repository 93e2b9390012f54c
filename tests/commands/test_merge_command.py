"""`pytest-ultra merge`: the runs of several jobs become one run, or the error says why they cannot."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.results import State, find_state, read_results
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, lock_run
from tests.benchmark import agent_runs
from tests.commands.conftest import CommandResult
from tests.results_factory import make_case, make_episode, make_nodeid
from tests.storage.stored_runs import ENDED, STARTED_AT, make_run, write

Command = Callable[..., CommandResult]

OPTIONS: dict[str, Any] = {
    "model": ["gpt-4o-mini"],
    "prompt_type": ["optimal", "flawed_missing_step"],
    "task_type": ["simple_task"],
    "difficulty": ["easy"],
    "severity": ["light", "severe"],
    "prompt_variant": ["standard"],
    "tool_success_rate": [0.8],
    "instances": 2,
    "repeats": 1,
    "seed": 0,
}
VERSIONS = {"generator": 1, "prompts": 1, "scorer": 1}
CASES = [make_case(instance=n) for n in range(6)]


@pytest.fixture
def jobs(tmp_path: Path) -> Callable[..., RunDirectory]:
    """Make the run directory of a job, in a new folder for each job."""
    numbers = count(1)

    def make(
        cases: Sequence[Case], episodes: Sequence[Episode] | None = None, run_end: RunEnd | None = ENDED, **options: Any
    ) -> RunDirectory:
        number = next(numbers)
        described = {
            "pytest_ultra": "0.9.0",
            "versions": VERSIONS,
            "options": OPTIONS | options,
            "command": [f"job {number}"],
        }
        recorded = [make_episode(case) for case in cases] if episodes is None else episodes
        folder = tmp_path / "artifacts" / f"job-{number}" / ".ultra"
        return make_run(folder, recorded, planned=cases, at=STARTED_AT + number, described=described, run_end=run_end)

    return make


Jobs = Callable[..., RunDirectory]


def merged(root: Path) -> RunDirectory:
    (path,) = (root / "runs").iterdir()
    return RunDirectory.open(path)


def test_runs_are_merged_into_one_with_all_their_episodes(root: Path, command: Command, jobs: Jobs) -> None:
    first = jobs(CASES[:2], model=["gpt-4o-mini"])
    second = jobs(CASES[2:4], [make_episode(CASES[2], Outcome.FAILED), make_episode(CASES[3])], model=["demo"])
    shown = command("merge", str(first.path), "artifacts/job-2/.ultra")
    run = merged(root)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == f"2 runs, 4 episodes, merged into .ultra/runs/{run.run_id}\n"
    results = [(episode.case, episode.outcome) for episode in read_results(run).episodes]
    outcomes = (Outcome.FULL, Outcome.FULL, Outcome.FAILED, Outcome.FULL)
    assert results == list(zip(CASES[:4], outcomes, strict=True))
    described = run.describe()
    assert described["run_id"] == run.run_id
    assert (described["started_at"], described["options"]["model"]) == (
        first.describe()["started_at"],
        ["gpt-4o-mini", "demo"],
    )
    assert "command" not in described
    assert [(part["run_id"], part["command"]) for part in described["merged_from"]] == [
        (first.run_id, ["job 1"]),
        (second.run_id, ["job 2"]),
    ]
    assert find_state(run) is State.FINISHED
    assert {path.name for path in run.path.iterdir()} == {
        *("run.json", "plan.json", "ended.json", "journal-merged.jsonl", "guidance")
    }


def test_a_folder_of_artifacts_is_searched_and_the_result_is_available_as_json(
    root: Path, command: Command, jobs: Jobs
) -> None:
    runs = [jobs([case]) for case in CASES[:3]]
    document = command("merge", "artifacts", "artifacts/job-1", "-o", "elsewhere", "--json").json
    run = RunDirectory.open(Path(document.pop("path")))
    assert run.path.parent == Path("elsewhere/runs")
    sources = [run.run_id for run in runs]
    assert (document.pop("decision"), document.pop("exit_code")) == (None, 0)
    assert document == {"run_id": run.run_id, "merged_from": sources, "episodes": 3, "gap": 3}
    assert not root.exists()


def test_an_interrupted_run_that_was_run_again_counts_once(command: Command, jobs: Jobs, root: Path) -> None:
    interrupted = jobs(CASES[:2], [make_episode(CASES[0])], run_end=None)
    shutil.rmtree(interrupted.path.parents[1] / "lock", ignore_errors=True)
    again = jobs(CASES[:2])
    other = jobs(CASES[2:3])
    for run in (again, other):
        shutil.move(run.path, interrupted.path.parent)
    assert command("merge", str(interrupted.path.parents[1])).out.startswith("2 runs, 3 episodes, ")
    assert [part["run_id"] for part in merged(root).describe()["merged_from"]] == [again.run_id, other.run_id]


def error_of(shown: CommandResult) -> str:
    assert (shown.code, shown.out) == (2, "")
    assert not Path(".ultra").exists(), "no partial run is left"
    return shown.err.removeprefix("pytest-ultra merge: error: ").rstrip("\n")


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("seed", (0, 1)),
        ("max_turns", (30, 10)),
        ("temperature", (None, 0.5)),
        ("instances", (1, 2)),
        ("fault_kind", (["transient"], ["implicit"])),
    ],
)
def test_runs_of_different_configurations_are_rejected(
    command: Command, jobs: Jobs, option: str, values: tuple[Any, Any]
) -> None:
    first, second = (jobs([CASES[n]], **{option: value}) for n, value in enumerate(values))
    assert error_of(command("merge", "artifacts")) == (
        f"the runs have different configurations: {option} is {values[0]} in {first.run_id} and {values[1]} in "
        f"{second.run_id}; only these options may differ: model, agent, prompt_type, task_type, difficulty, severity, "
        "prompt_variant, tool_success_rate"
    )


def test_a_run_from_before_there_were_kinds_of_faults_had_transient_ones(command: Command, jobs: Jobs) -> None:
    jobs([CASES[0]])
    jobs([CASES[1]], fault_kind=["transient"])
    assert command("merge", "artifacts", "--incomplete").code == 0


def test_each_model_must_have_been_asked_with_the_same_parameters(command: Command, jobs: Jobs, root: Path) -> None:
    requests: list[dict[str, Any]] = [{"m": {"seed": 1}}, {"n": {"seed": 2}}, {"m": {"seed": 3}}]
    first, second, third = (
        jobs([CASES[n]], model=[*request], request=request, header={next(iter(request)): {"x-team": "T"}})
        for n, request in enumerate(requests)
    )
    assert error_of(command("merge", "artifacts")).startswith(
        f"the runs have different configurations: request of m is {{'seed': 1}} in {first.run_id} and {{'seed': 3}} in "
        f"{third.run_id}; "
    )
    assert command("merge", str(first.path), str(second.path)).code == 0
    options = merged(root).describe()["options"]
    assert options["request"] == {"m": {"seed": 1}, "n": {"seed": 2}}
    assert options["header"] == {"m": {"x-team": "T"}, "n": {"x-team": "T"}}


def test_runs_of_different_versions_are_rejected(command: Command, jobs: Jobs) -> None:
    jobs(CASES[:1])
    newer = jobs(CASES[1:2])
    described = newer.describe() | {"versions": VERSIONS | {"scorer": 2}}
    (newer.path / "run.json").write_bytes(msgspec.json.encode(described))
    message = error_of(command("merge", "artifacts"))
    assert message.startswith(f"the runs have different configurations: versions is {VERSIONS} in ")


def test_a_case_in_two_runs_is_rejected(command: Command, jobs: Jobs) -> None:
    first, second = jobs(CASES[:3]), jobs(CASES[1:4])
    assert error_of(command("merge", "artifacts")) == (
        f"2 cases of the run {second.run_id} were planned by another run as well, such as {make_nodeid(CASES[1])} by "
        f"{first.run_id}; a case may be in one run only: leave one run out"
    )


def test_an_incomplete_run_is_rejected_without_the_option_incomplete(command: Command, jobs: Jobs, root: Path) -> None:
    run = jobs(CASES[:3], [make_episode(CASES[0]), make_episode(CASES[1], Outcome.SKIPPED)], run_end=None)
    message = error_of(command("merge", "artifacts"))
    assert message.startswith(f"the run {run.run_id} is not complete: 2 of its 3 planned cases were not run, such as ")
    assert message.endswith("-1]; resume it, or merge without them by --incomplete")
    assert command("merge", "artifacts", "--incomplete").out.startswith("1 run, 2 episodes, ")
    results = read_results(merged(root)).episodes
    assert [episode.outcome for episode in results] == [Outcome.FULL, Outcome.SKIPPED, Outcome.SKIPPED]
    assert "merged without 2 planned cases" in command("show").lines[0]


def test_a_line_of_a_journal_that_cannot_be_read_is_named(command: Command, jobs: Jobs, tmp_path: Path) -> None:
    run = jobs(CASES[:2])
    other = tmp_path / "other"
    shutil.copytree(run.path, other)
    for path in (run.path, other):
        (journal,) = path.glob("journal-*")
        journal.write_bytes(journal.read_bytes()[:-500])
    damage = rf"pytest-ultra merge: run {{}}: {journal.name}, line 2: \d+ bytes cannot be read and were skipped\n"
    own, others = damage.format(run.run_id), damage.format("other")
    assert re.match(f"{own}pytest-ultra merge: error: .* is not complete: 1 of", command("merge", "artifacts").err)
    shown = command("merge", "artifacts", "--incomplete", "--ultra-compare=other", "--ultra-max-regression=0.9")
    assert re.match(own + others, shown.err), shown.err


def test_an_earlier_episode_counts_if_the_newest_of_its_case_cannot_be_read(
    command: Command, jobs: Jobs, root: Path
) -> None:
    newer = msgspec.structs.replace(make_episode(CASES[0]), started_at=STARTED_AT + 100)
    run = jobs(CASES[:1], [make_episode(CASES[0], Outcome.FAILED), newer])
    (journal,) = run.path.glob("journal-*")
    first, second = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + second.replace(b'"transcript":[', b'"transcript":3,"more":['))
    assert "line 2" in command("merge", "artifacts").err
    assert [episode.outcome for episode in read_results(merged(root)).episodes] == [Outcome.FAILED]


def test_a_run_in_progress_is_rejected(command: Command, jobs: Jobs) -> None:
    run = jobs(CASES[:1], run_end=None)
    lock = lock_run(run)
    assert (
        error_of(command("merge", "artifacts")) == f"the run {run.run_id} is still running; merge it when it has ended"
    )
    lock.release()


def test_a_missing_job_is_suspected_if_all_runs_name_the_same_matrix(command: Command, jobs: Jobs) -> None:
    jobs([make_case()])
    jobs([make_case(PromptType.FLAWED_MISSING_STEP)])
    shown = command("merge", "artifacts")
    assert shown.code == 0
    message = "4 cases of the matrix that the runs name are in none of them: is a DIR missing?"
    assert shown.err == f"pytest-ultra merge: {message}\n"


@pytest.mark.parametrize("axis", ["model", "prompt_type"])
def test_no_job_is_suspected_if_the_matrix_is_split_by_axes(command: Command, jobs: Jobs, axis: str) -> None:
    jobs([make_case()])
    jobs([make_case(PromptType.COT)], **{axis: ["cot"]})
    assert command("merge", "artifacts").err == ""


def test_a_folder_without_a_run_and_a_run_without_a_plan_are_rejected(
    command: Command, tmp_path: Path, jobs: Jobs
) -> None:
    (tmp_path / "empty").mkdir()
    message = "'empty' holds no run; give a run's directory, an .ultra folder, or an artifact that contains one"
    assert error_of(command("merge", "empty")) == message
    run = jobs(CASES[:1])
    (run.path / "plan.json").unlink()
    assert error_of(command("merge", "artifacts")) == (
        f"the run {run.run_id} has no stored plan; it was made by an older pytest-ultra, or was interrupted early"
    )


def test_different_workflows_for_the_same_task_are_rejected(command: Command, jobs: Jobs) -> None:
    first, second = jobs(CASES[:1]), jobs(CASES[1:2])
    for run, content in ((first, "{}"), (second, "[]")):
        run.guidance.mkdir()
        (run.guidance / "a-b.json").write_text(content)
    shown = command("merge", "artifacts")
    assert shown.err.splitlines()[-1] == (
        f"pytest-ultra merge: error: the run {second.run_id} has other workflows for the same task than another "
        "run (in a-b.json); make your own generator give the same in each job, or generate them once"
    )
    assert list(Path(".ultra/runs").iterdir()) == [], "no partial run is left"


def test_the_newest_episode_of_a_case_is_merged_with_its_workflow(command: Command, jobs: Jobs, root: Path) -> None:
    case = agent_runs.make_case(PromptType.FLAWED_TOOL_MISUSE)
    run = jobs([case], [make_episode(case, Outcome.ERROR)])
    write(run, [make_episode(case, Outcome.FULL, started_at=STARTED_AT + 99)], "gw1")
    GuidanceCache(run.guidance, BENCHMARK.task_type).fill([case], make_guidance)
    command("merge", "artifacts")
    assert [episode.outcome for episode in read_results(merged(root)).episodes] == [Outcome.FULL]
    assert GuidanceCache(merged(root).guidance, BENCHMARK.task_type).get(case) == GuidanceCache(
        run.guidance, BENCHMARK.task_type
    ).get(case)
