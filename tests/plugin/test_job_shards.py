"""`--ultra-shard`: which cases a job collects, and what it says of them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from pytest_ultra.core.axes import TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.storage.durations_file import Durations, read_durations, task_name, write_durations
from tests.results_factory import make_case, make_episode

FEW = ("--ultra-prompt-type=optimal,cot", "--ultra-instances=2", "--ultra-repeats=2")
"""40 cases of ten tasks."""


def collect(pytester: pytest.Pytester, *args: str) -> list[str]:
    result = pytester.runpytest_inprocess("-p", "no:xdist", "--ultra-model=demo", "--collect-only", "-q", *FEW, *args)
    return [line for line in result.outlines if "::" in line]


def task_of(nodeid: str) -> str:
    """Return the task in a node id, without the prompt type before it and the repeat in it."""
    found = re.search(r"-(?:optimal|cot)-(\w+-\w+)-r\d-(\d+)]$", nodeid)
    assert found, nodeid
    return f"{found[1]}-{found[2]}"


def test_the_shards_hold_each_case_once_and_all_cases_of_a_task_together(pytester: pytest.Pytester) -> None:
    whole = collect(pytester)
    shards = [collect(pytester, f"--ultra-shard={number}/3") for number in (1, 2, 3)]
    assert sorted(nodeid for shard in shards for nodeid in shard) == sorted(whole)
    places = defaultdict(set)
    for number, shard in enumerate(shards):
        for nodeid in shard:
            places[task_of(nodeid)].add(number)
    assert len(places) == 10
    assert all(len(numbers) == 1 for numbers in places.values())
    assert {len(shard) for shard in shards} == {12, 16}
    assert [nodeid for nodeid in whole if nodeid in shards[1]] == shards[1], "in the order of the whole"


def test_recorded_durations_balance_the_shards_also_of_tasks_that_are_not_recorded(pytester: pytest.Pytester) -> None:
    """The five tasks of the second instance are taken to be as long as those of the first."""
    seconds = {f"{task_type}-easy-0": 40.0 if task_type == "simple_task" else 1.0 for task_type in TaskType}
    pytester.path.joinpath("times.json").write_bytes(json.dumps({"seconds": seconds, "schema_version": 1}).encode())
    pytester.makeini("[pytest]\nultra_durations = times.json\nultra_shard = 1/4")
    tasks = {task_of(nodeid) for nodeid in collect(pytester)}
    assert tasks == {"simple_task-easy-0"}
    header = pytester.runpytest_inprocess("-p", "no:xdist", "--ultra-model=demo", "--ultra-plan", *FEW)
    header.stdout.fnmatch_lines(
        [
            "ultra: shard 1 of 4: 4 of 40 cases, divided by recorded durations (of 5 of 10 tasks)",
            "ultra: plan: 4 cases; no request is sent",
            "ultra: all 4 shards: 40 cases, about * requests, about * tokens, cost about $0.00",
        ]
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--ultra-shard=5/4",), "--ultra-shard: '5/4' is not a shard; give its number and how many there are, *"),
        (
            ("--ultra-shard=2/11",),
            (
                "--ultra-shard: 2/11 is a shard of 11, but the run has 10 tasks, and all cases of a task are in one "
                "shard; use at most 10 shards"
            ),
        ),
        (
            ("--ultra-shard=1/2", "--ultra-durations=no.json"),
            (
                "--ultra-durations: '*no.json' cannot be read (no such file or directory); write one with "
                "`pytest-ultra durations -o FILE`"
            ),
        ),
        (("--ultra-shard=1/2", "--ultra-until=10"), "--ultra-until looks at the figures of the whole run, *"),
    ],
)
def test_what_no_shard_can_do_is_rejected_before_the_run(
    pytester: pytest.Pytester, args: tuple[str, ...], message: str
) -> None:
    result = pytester.runpytest_inprocess("-n2", "--ultra-model=demo", *FEW, *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert not Path(".ultra").exists()
    result.stderr.fnmatch_lines([f"ERROR: {message.replace('[', '[[]')}"])


def test_durations_are_the_mean_model_and_tool_time_of_a_task(tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    cases = [make_case(), make_case(repeat=1), make_case(instance=1)]
    times = [(3.0, 1.0), (5.0, 0.0), (7.25, 0.5)]
    episodes = [
        make_episode(case, model_time_s=model_s, tool_time_s=tool_s, waiting_time_s=99.0)
        for case, (model_s, tool_s) in zip(cases, times, strict=True)
    ]
    assert write_durations(path, episodes, run_id="r") == 2
    durations = read_durations(path)
    assert durations.seconds == {name(cases[0]): 4.5, name(cases[2]): 7.75}
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_durations(path).digest == durations.digest, "whatever the line ends of a checkout"
    assert Durations({name(cases[0]): 4.6}).digest != Durations({name(cases[0]): 4.5}).digest


def name(case: Case) -> str:
    return task_name(case.task_key)
