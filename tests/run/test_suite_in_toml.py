"""A suite in TOML over a real MCP server, in whole runs."""

from __future__ import annotations

import os
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.run.project import NO_XDIST, Project

FILES = Path(__file__).parents[1] / "mcp_suites"
FILE = "notes.ultra.toml"


@pytest.fixture
def notes(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with the server, its files and the suite."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    for name in ("notes_server.py", FILE):
        shutil.copy(FILES / name, project.path)
    folder = project.path / "notes"
    folder.mkdir()
    (folder / "calls.txt").write_text("Call Bob on Friday.\n")
    (folder / "shopping.txt").write_text("milk\nbread\n")
    return project


AGENTS = (f"--ultra-config={FILE}", "--ultra-model=demo/perfect,demo/follower")
FAULTS = ("--ultra-fault-kind=transient,lost_reply,implicit", "--ultra-tool-success-rate=0.5")


def test_the_reference_agents_get_their_known_marks(notes: Project) -> None:
    result = notes.run(*NO_XDIST, *AGENTS, *FAULTS)
    result.stdout.fnmatch_lines([f"ultra: suite {FILE}", "ultra: not available for day: no plans, for it has no *"])
    episodes = [episode for episode in notes.episodes() if episode["task_type"] != "day"]
    assert {episode["outcome"] for episode in episodes if episode["model"] == "demo/perfect"} == {"full"}
    obeyed = defaultdict(set)
    for episode in episodes:
        if episode["model"] == "demo/follower":
            obeyed[episode["prompt_type"]].add(episode["outcome"])
    del obeyed["optimal"], obeyed["flawed_redundant_operations"]  # their plans reach the goal if no fault is in the way
    assert len(obeyed) == 8
    assert not any("full" in outcomes for outcomes in obeyed.values())
    assert sum(episode["random_faults"] for episode in episodes) > 0
    assert notes.document()["run"]["options"]["suite"] == FILE
    assert not notes.processes()


def test_workers_have_servers_of_their_own_and_end_them(notes: Project) -> None:
    few = ("--ultra-task-type=eggs", "--ultra-prompt-type=optimal,flawed_tool_misuse")
    notes.run("-n2", *AGENTS, *FAULTS, *few)
    outcomes = {(episode["model"], episode["prompt_type"], episode["outcome"]) for episode in notes.episodes()}
    assert {episode["worker"] for episode in notes.episodes()} == {"gw0", "gw1"}
    assert {outcome for model, _, outcome in outcomes if model == "demo/perfect"} == {"full"}
    assert ("demo/follower", "flawed_tool_misuse", "full") not in outcomes
    assert not notes.processes()


OWN_TEST = """
    def test_the_list_is_whole(ultra_episode):
        assert ultra_episode.world["files"]["monday.txt"] == "milk\\nbread\\n"
        assert ultra_episode.world["starred"] == {"result": ["/files/monday.txt"]}
        assert "eggs" in ultra_episode.world["files"]["shopping.txt"]
"""


def test_tests_of_the_projects_own_see_the_state_and_a_second_run_reuses_nothing_of_changed_steps(
    notes: Project,
) -> None:
    notes.pytester.makepyfile(test_notes=OWN_TEST)
    one = (*NO_XDIST, "--ultra-model=demo/perfect", "--ultra-task-type=eggs", "--ultra-prompt-type=optimal")
    notes.run(*one, f"--ultra-suite={FILE}").assert_outcomes(passed=1)
    [before] = {episode["suite_version"] for episode in notes.episodes()}
    text = (notes.path / FILE).read_text()
    (notes.path / FILE).write_text(text.replace("line eggs", "line butter").replace('line = "eggs"', 'line = "butter"'))
    notes.run(*one, f"--ultra-suite={FILE}").assert_outcomes(failed=1)
    assert {episode["suite_version"] for episode in notes.episodes()} != {before}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('tool = "write"', 'tool = "rite"', f"{FILE}:22: there is no tool 'rite'; did you mean 'write'?"),
        ('word = "milk"', 'word = "tea"', f"{FILE}:20: the reference of the task 'eggs' ({FILE}:16) fails in step 1"),
        ("[0].text>", "[0].content>", f"{FILE}:22: the output of step 1 has no result[0].content; it is "),
        ("notes_server.py", "note_server.py", f"{FILE}:6: mcp.notes: 'python note_server.py"),
        ('files = "notes"', 'files = "note"', f"{FILE}:7: files: there is no folder 'note'"),
        (
            '"python notes_server.py {tmp_path}"',
            '"http://127.0.0.1:9/mcp"',
            f"{FILE}:6: mcp.notes: 'http://127.0.0.1:9/mcp'",
        ),
        (
            'reset = "files"',
            'reset = [{ tool = "crash" }]',
            "the MCP server of the tool crash has ended: Connection closed",
        ),
    ],
)
def test_what_the_servers_show_to_be_wrong_is_a_usage_error(notes: Project, old: str, new: str, message: str) -> None:
    text = (notes.path / FILE).read_text()
    assert old in text
    (notes.path / FILE).write_text(text.replace(old, new, 1))
    result = notes.run(*NO_XDIST, "--ultra-model=demo", f"--ultra-suite={FILE}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    assert not notes.processes()


CRASHING = """
    def solve(task):
        return task.call("crash", {})
"""


def test_a_server_that_ends_is_an_error_of_the_infrastructure(notes: Project) -> None:
    notes.pytester.makepyfile(my_agent=CRASHING)
    (notes.path / FILE).write_text((notes.path / FILE).read_text().replace('"star"]', '"star", "crash"]'))
    one = ("--ultra-task-type=eggs", "--ultra-prompt-type=baseline")
    result = notes.run(*NO_XDIST, "--ultra-agent=my_agent:solve", f"--ultra-suite={FILE}", *one)
    result.assert_outcomes(errors=1)
    [episode] = notes.episodes()
    assert (episode["outcome"], episode["failure_class"]) == ("error", "harness")
    assert "the MCP server of the tool crash has ended" in episode["error"]
    assert not notes.processes()
