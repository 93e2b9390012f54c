"""The example of an MCP client, with the real package, scores as the model behind it.

`ULTRA_TEST_PROGRAM` is its command, such as `python fastmcp_program.py {mcp_config}`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.run.project import NO_XDIST, Project

COMMAND = os.environ["ULTRA_TEST_PROGRAM"]
FOLDER = Path(__file__).parents[2] / "examples" / "programs"
NAMES = {"obeying": "demo/follower", "able": "demo/perfect"}
PROMPTS = "optimal,baseline,flawed_semantic_drift,flawed_missing_step"


@pytest.mark.parametrize("mode", [NO_XDIST, ("-n2",)], ids=["no-xdist", "n2"])
def test_the_example_scores_as_the_model_behind_it(project: Project, mode: tuple[str, ...]) -> None:
    for file in FOLDER.iterdir():
        shutil.copy(file, project.path)
    agents = [f"--ultra-agent-command={name}@{model}={COMMAND}" for name, model in NAMES.items()]
    options = (
        f"--ultra-prompt-type={PROMPTS}",
        "--ultra-task-type=basic_task",
        f"--ultra-model={','.join(NAMES.values())}",
    )
    project.pytester.runpytest_subprocess(*mode, *agents, *options, "--ultra-json=out.json", timeout=600)
    found: dict[str, dict[str, str]] = {}
    for episode in project.episodes():
        found.setdefault(episode["model"], {})[episode["prompt_type"]] = episode["outcome"]
    assert {name: found[name] for name in NAMES} == {name: found[model] for name, model in NAMES.items()}
    assert set(found["able"].values()) == {"full"}
    assert set(found["obeying"].values()) >= {"full", "failed"}
