"""`pytest-ultra merge` of shards: what is missing is named, and the whole is judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.core.episode import Outcome
from pytest_ultra.storage.results import read_results
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, read_run_end
from tests.commands.conftest import CommandResult
from tests.results_factory import make_case, make_episode
from tests.storage.stored_runs import STARTED_AT, make_run

Command = Callable[..., CommandResult]
CASES = [make_case(instance=n) for n in range(8)]
OPTIONS: dict[str, Any] = {
    "model": ["gpt-4o-mini"],
    "task_type": ["simple_task"],
    "prompt_type": ["optimal"],
    "seed": 0,
}


@pytest.fixture
def shard(root: Path) -> Callable[..., RunDirectory]:
    """Make the run of one of four shards of eight cases; its first `failed` cases fail."""

    def make(
        number: int, *, failed: int = 0, planned: int = 2, end: RunEnd | None = None, of: int = 4, **record: Any
    ) -> RunDirectory:
        gates = {name: record.pop(name) for name in ("fail_under", "max_errors") if name in record}
        cases = CASES[2 * number - 2 : 2 * number][:planned]
        outcomes = [Outcome.FAILED] * failed + [Outcome.FULL] * (planned - failed)
        described = {
            "options": OPTIONS | gates,
            "shard": {"number": number, "of": of, "cases": 2, "all_cases": 8, "matrix": "m"} | record,
        }
        return make_run(
            root.parent / "jobs" / str(number),
            [make_episode(case, outcome) for case, outcome in zip(cases, outcomes, strict=True)],
            planned=cases,
            at=STARTED_AT + number,
            described=described,
            run_end=end or RunEnd(int(failed > 0 and not gates), STARTED_AT + 60),
        )

    return make


Shard = Callable[..., RunDirectory]
PREFIX = "pytest-ultra merge: error: "
WAY_OUT = "; give all shards of one run, or merge these by --incomplete\n"


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ((1, 2, 4), "shard 3 of 4 is missing, with 2 of 8 cases (found: "),
        ((3,), "shards 1, 2 and 4 of 4 are missing, with 6 of 8 cases (found: 3 in "),
    ],
)
def test_missing_shards_are_named(command: Command, shard: Shard, numbers: tuple[int, ...], missing: str) -> None:
    for number in numbers:
        shard(number)
    shown = command("merge", "jobs")
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith(f"{PREFIX}{missing}")
    assert shown.err.endswith(WAY_OUT)
    shown = command("merge", "jobs", "--incomplete")
    assert shown.code == 1, "what is missing may have failed"
    assert shown.err.startswith(f"pytest-ultra merge: {missing}")
    assert f"{2 * len(numbers)} planned: " in shown.out
    assert f"merged without {missing.partition(' is ')[0].partition(' are ')[0]}" in command("show").lines[0]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"matrix": "n", "all_cases": 9}, "{0} is of 8 cases, {1} is of 9 cases, not all of them the same"),
        ({"durations": "d"}, "{0} and {1} were divided by different --ultra-durations"),
        ({"of": 5}, "{0} is one of 4 shards, {1} of 5"),
    ],
)
def test_shards_of_different_runs_are_rejected(
    command: Command, shard: Shard, other: dict[str, Any], message: str
) -> None:
    first, second, *_ = [shard(1), *(shard(number, **other) for number in (2, 3, 4))]
    what = message.format(first.run_id, second.run_id)
    assert command("merge", "jobs").err.startswith(f"{PREFIX}the shards are not of one run: {what}; shards 2, 3 and 4 ")


def test_shards_that_were_narrowed_alike_are_a_whole(command: Command, shard: Shard) -> None:
    for number in (1, 2, 3, 4):
        shard(number, planned=1, selection=["-k even"])
    assert command("merge", "jobs").out.startswith("4 runs, 4 episodes, merged into ")


def test_shards_that_were_narrowed_differently_are_rejected(command: Command, shard: Shard) -> None:
    first, second, *_ = [shard(n, planned=1, selection=[f"-k {n}"]) for n in (1, 2, 3, 4)]
    assert command("merge", "jobs").err == (
        f"{PREFIX}the shards have different selections: -k 1 in {first.run_id} and -k 2 in {second.run_id}{WAY_OUT}"
    )
    assert command("merge", "jobs", "--incomplete").lines[-1] == "no gates: exit code 1, as of one run of all cases"


def test_a_case_that_is_missing_without_a_reason_is_noticed(command: Command, shard: Shard) -> None:
    runs = [shard(number, planned=1 if number == 2 else 2) for number in (1, 2, 3, 4)]
    assert command("merge", "jobs").err == (
        f"{PREFIX}the run {runs[1].run_id} planned 1 of the 2 cases of shard 2 of 4, and no -k, -m, --deselect or node "
        f"id says which{WAY_OUT}"
    )


@pytest.mark.parametrize(("failed", "code"), [(0, 0), (1, 1)])
def test_without_gates_the_exit_code_is_that_of_one_run(command: Command, shard: Shard, failed: int, code: int) -> None:
    for number in (1, 2, 3, 4):
        shard(number, failed=failed if number == 3 else 0)
    shown = command("merge", "jobs")
    assert shown.code == code
    assert shown.lines[-1] == f"no gates: exit code {code}, as of one run of all cases"
    (path,) = Path(".ultra/runs").iterdir()
    run = RunDirectory.open(path)
    assert "shard" not in run.describe()
    assert [episode.case for episode in read_results(run).episodes] == CASES, "in the order of one run"
    end = read_run_end(run)
    assert end is not None
    assert (end.exit_status, end.interruption) == (code, None)


def test_the_gates_of_the_shards_are_judged_over_all_and_can_be_replaced(
    command: Command, shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for number in (1, 2, 3, 4):
        shard(number, failed=2 if number == 1 else 0, fail_under={"all": 0.8})
    shown = command("merge", "jobs", "--ultra-gate-on=rate", "--ultra-markdown=summary.md")
    figure = "gate fail-under 0.8: 6 of 8 full, 75.0%, 95% interval 40.9-92.9, at least 80.0%: MISSED"
    assert shown.code == 1
    assert shown.lines[1:] == [
        "8 planned: 8 scored (6 full, 0 partial, 2 failed), 0 error, 0 skipped",
        figure,
        "gate max-errors 0: 0 errors, at most 0: met",
        "1 of 2 gates missed: exit code 1",
        f"::error title=pytest-ultra::{figure.replace('%', '%25')}",
    ]
    assert Path("summary.md").read_text().startswith("## pytest-ultra: 1 of 2 gates missed: exit code 1\n")
    shown = command("merge", "jobs", "--ultra-gate-on=rate", "--ultra-fail-under=0.7", "--json")
    assert (shown.code, shown.json["decision"]["exit_code"]) == (0, 0)


def test_a_gate_on_errors_alone_leaves_failed_cases_to_fail_the_whole(command: Command, shard: Shard) -> None:
    for number in (1, 2, 3, 4):
        end = RunEnd(int(number == 2), STARTED_AT + 60)
        shard(number, failed=2 if number == 2 else 0, max_errors=1, end=end)
    shown = command("merge", "jobs")
    assert shown.code == 1
    assert shown.lines[-1] == "1 of 1 gate met, but 2 tests failed that no gate covers: exit code 1"


def test_gates_that_no_run_can_meet_are_rejected_before_anything_is_written(command: Command, shard: Shard) -> None:
    for number in (1, 2, 3, 4):
        shard(number)
    for option, message in (
        ("--ultra-fail-under=2", "--ultra-fail-under: '2' is not a limit; "),
        ("--ultra-max-drop=flawd=0.1", "--ultra-max-drop: there is no group 'flawd'; "),
        ("--ultra-compare=no.json", "--ultra-compare: there is no file 'no.json'; "),
    ):
        assert command("merge", "jobs", option).err.startswith(f"{PREFIX}{message}")
    assert not Path(".ultra").exists()


def test_shards_with_different_gates_are_rejected_until_the_gates_are_given(command: Command, shard: Shard) -> None:
    for number in (1, 2, 3, 4):
        shard(number, fail_under={"all": number / 10})
    assert command("merge", "jobs").err == (
        f"{PREFIX}the shards were started with different gates (fail_under is {{'all': 0.1}} and {{'all': 0.2}}); give "
        "those that are to hold, as in --ultra-fail-under 0.6\n"
    )
    assert command("merge", "jobs", "--ultra-fail-under=0.5", "--ultra-gate-on=rate").code == 0


def test_gates_can_be_given_for_the_runs_of_other_jobs(command: Command, root: Path) -> None:
    for number, case in enumerate(CASES[:2]):
        outcome = Outcome.FAILED if number else Outcome.FULL
        make_run(root.parent / "jobs" / str(number), [make_episode(case, outcome)], described={"options": OPTIONS})
    assert command("merge", "jobs").code == 0, "each run has been judged by itself"
    assert command("merge", "jobs", "--ultra-fail-under=0.4", "--ultra-gate-on=rate").code == 0
    assert command("merge", "jobs", "--ultra-fail-under=0.6", "--ultra-gate-on=rate").code == 1
