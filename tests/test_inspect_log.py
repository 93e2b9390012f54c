"""The export for Inspect's log viewer: its contents, and that Inspect can read it where it is installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.commands.inspect_log import to_inspect_log
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.transcript import Answered, Replied, Reply, ToolCall, ToolResult
from pytest_ultra.storage.run_directory import RunDirectory
from tests.results_factory import make_case, make_episode

COMMAND = Path(sys.executable).with_name("pytest-ultra")
RUN = ("-p", "no:xdist", "--ultra-task-type=simple_task", "--ultra-prompt-type=optimal,flawed_tool_misuse")


@pytest.fixture
def exported(pytester: pytest.Pytester) -> Path:
    pytester.runpytest(*RUN, "--ultra-model=demo/perfect,demo/follower").assert_outcomes(passed=3, failed=1)
    assert pytester.run(COMMAND, "export", "--format", "inspect", "-o", "log.json").ret == 0
    return pytester.path / "log.json"


def test_each_episode_is_a_sample_with_its_messages_and_its_grade(exported: Path) -> None:
    log = json.loads(exported.read_text())
    assert (log["version"], log["status"], log["eval"]["model"]) == (2, "success", "demo/follower, demo/perfect")
    assert log["results"]["scores"][0]["metrics"]["accuracy"]["value"] == 0.75
    samples = {sample["id"]: sample for sample in log["samples"]}
    failed = samples["demo/follower-flawed_tool_misuse-simple_task-easy-0"]
    assert failed["scores"]["pytest_ultra"]["value"] == "I"
    assert failed["scores"]["pytest_ultra"]["explanation"].startswith("the job was not done; ")
    assert [message["role"] for message in failed["messages"][:4]] == ["system", "user", "assistant", "tool"]
    call, result = failed["messages"][2:4]
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]
    assert "1. " in failed["input"][0]["content"], "the plan"
    assert failed["metadata"]["outcome"] == "failed"
    usage = log["stats"]["model_usage"]["demo/follower"]
    tokens = [s["metadata"]["prompt_tokens"] for s in samples.values() if s["metadata"]["model"] == "demo/follower"]
    assert usage["input_tokens"] == sum(tokens)


def test_inspect_reads_it(exported: Path) -> None:
    """Only `tox -e inspect` installs Inspect, because it needs 60 packages."""
    inspect_log = pytest.importorskip("inspect_ai.log")
    log = inspect_log.read_eval_log(str(exported))
    assert log.status == "success"
    assert {sample.scores["pytest_ultra"].value for sample in log.samples} == {"C", "I"}


def make_log(tmp_path: Path, *episodes: Episode) -> Mapping[str, Any]:
    run = RunDirectory.create(tmp_path, {}, started_at=1_700_000_000.0)
    log: Mapping[str, Any] = json.loads(to_inspect_log(run, episodes))
    return log


def test_an_error_has_no_grade_and_does_not_count_towards_the_accuracy(tmp_path: Path) -> None:
    broken = make_episode(make_case(instance=1), Outcome.ERROR, failure_class=FailureClass.ENDPOINT, error="no answer")
    log = make_log(tmp_path, make_episode(), broken)
    full, error = log["samples"]
    assert (full["scores"]["pytest_ultra"]["value"], "error" in full) == ("C", False)
    assert (error["error"]["message"], "scores" in error) == ("error: no answer", False)
    assert log["results"]["scores"][0]["metrics"]["accuracy"]["value"] == 1.0
    assert (log["results"]["total_samples"], log["results"]["completed_samples"]) == (2, 1)


def test_a_run_without_a_scored_case_has_no_accuracy(tmp_path: Path) -> None:
    log = make_log(tmp_path, make_episode(outcome=Outcome.SKIPPED))
    assert log["results"]["scores"][0]["metrics"] == {}


def test_malformed_tool_calls_and_tool_errors_are_exported(tmp_path: Path) -> None:
    call = ToolCall("call_1", "file_operations_reader", '{"path": ')
    rejected = ToolResult(code="INVALID_ARGUMENTS", message="no JSON")
    transcript = (Replied(1, Reply("", (call,))), Answered(1, call, None, rejected))
    (sample,) = make_log(tmp_path, make_episode(transcript=transcript))["samples"]
    job, assistant, tool = sample["messages"]
    assert job["content"] == "(the job is no longer in the run's folder)"
    assert assistant["tool_calls"][0]["arguments"] == {"text": '{"path": '}
    assert assistant["tool_calls"][0]["parse_error"] == "the arguments are no JSON object"
    assert tool["error"]["message"] == "INVALID_ARGUMENTS: no JSON"
