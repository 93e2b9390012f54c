"""The example of a framework, with the real package, scores as the model behind it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.run.project import NO_XDIST, Project

EXAMPLE = os.environ["ULTRA_TEST_FRAMEWORK"]
FILE = Path(__file__).parents[2] / "examples" / "agents" / f"{EXAMPLE}.py"
PROMPTS = "optimal,baseline,flawed_semantic_drift,flawed_missing_step,flawed_logical_inconsistency"


@pytest.mark.parametrize("mode", [NO_XDIST, ("-n2",)], ids=["no-xdist", "n2"])
def test_the_example_scores_as_the_model_behind_it(project: Project, mode: tuple[str, ...]) -> None:
    shutil.copy(FILE, project.path)
    agents = f"obeying={EXAMPLE}:solve@demo/follower,able={EXAMPLE}:solve@demo/perfect"
    options = (f"--ultra-prompt-type={PROMPTS}", "--ultra-task-type=basic_task,data_pipeline", "--ultra-timeout=120")
    models = ("--ultra-model=demo/follower,demo/perfect", "--ultra-json=out.json")
    project.pytester.runpytest_subprocess(*mode, f"--ultra-agent={agents}", *models, *options, timeout=600)
    found: dict[str, dict[tuple[str, str], str]] = {}
    for episode in project.episodes():
        key = (episode["prompt_type"], episode["task_type"])
        found.setdefault(episode["model"], {})[key] = episode["outcome"]
    assert found["obeying"] == found["demo/follower"]
    assert found["able"] == found["demo/perfect"]
    assert set(found["able"].values()) == {"full"}
    assert set(found["obeying"].values()) >= {"full", "failed"}
