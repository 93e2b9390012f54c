"""Programs as agents in whole runs: they score as the models behind them, fail for themselves, and leave nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import mcp  # noqa: F401 - pytester unloads what a run imports, and a process can load it only once
import pytest

from tests.run import program_agents
from tests.run.project import NO_XDIST, ONE_CASE, Project, wait_until

TWO_KINDS = ("--ultra-task-type=basic_task", "--ultra-prompt-type=optimal,flawed_semantic_drift")
EXAMPLE = f"{sys.executable} {Path(__file__).parents[2] / 'examples' / 'programs' / 'mcp_sdk_program.py'}"
KEY = "sk-0123456789abcdef"
SAME = ("outcome", "failure_class", "turns", "tool_calls", "random_faults", "cost")


@pytest.fixture
def programs(project: Project) -> Project:
    """A project with the programs."""
    shutil.copy(program_agents.__file__, project.path)
    return project


def command(name: str, agent: str, *args: str) -> str:
    return f"--ultra-agent-command={name}={sys.executable} program_agents.py {' '.join((agent, *args))}"


def by_model(project: Project) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what is to be the same for an agent and the model behind it, by name and prompt type."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for episode in project.episodes():
        found.setdefault(episode["model"], {})[episode["prompt_type"]] = {name: episode[name] for name in SAME}
    return found


def test_programs_score_as_the_models_behind_them(programs: Project) -> None:
    agents = (
        command("obeying@demo/follower", "loop"),
        f"--ultra-agent-command=able@demo/perfect={EXAMPLE} {{mcp_url}}",
        f"--ultra-agent-command=piped@demo/follower={EXAMPLE} {{mcp_stdio}}",
    )
    programs.run(*NO_XDIST, *agents, "--ultra-model=demo/follower,demo/perfect", *TWO_KINDS)
    found = by_model(programs)
    assert found["obeying"] == found["piped"] == found["demo/follower"]
    assert found["able"] == found["demo/perfect"]
    assert [episode["outcome"] for episode in found["able"].values()] == ["full", "full"]
    assert found["obeying"]["flawed_semantic_drift"]["outcome"] == "failed"
    assert {episode["prompt_tokens"] is None for episode in programs.episodes()} == {False}


def test_a_programs_failures_are_its_own_and_end_with_it(programs: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    hanging = ("hang", "hang_in_children", "never_connect", "connect_and_wait")
    names = (*hanging, "flood", "crash", "exit_with_code", "do_without")
    agents = [command(name, name) for name in names]
    result = programs.run_in_own_process("-n2", *agents, *ONE_CASE, "--ultra-timeout=6", "-v", "--ultra-concurrency=8")
    ended_at = time.time()
    outcomes = {e["model"]: (e["outcome"], e["failure_class"]) for e in programs.episodes()}
    assert outcomes == {
        "hang": ("failed", "agent_timeout"),
        "hang_in_children": ("failed", "agent_timeout"),
        "flood": ("failed", "agent_error"),
        "crash": ("failed", "agent_error"),
        "exit_with_code": ("failed", "agent_error"),
        "never_connect": ("error", "agent_setup"),
        "connect_and_wait": ("error", "agent_setup"),
        "do_without": ("error", "agent_setup"),
    }
    errors = {e["model"]: e["error"] for e in programs.episodes() if e["error"]}
    assert {error[:51] for error in errors.values()} == {"the agent never listed the tools of its MCP server."}
    assert errors["do_without"].endswith(". Its last line: I have no tools.")
    shown = result.stdout.str()
    assert "half done, my key is ***" in shown
    assert KEY not in shown
    details = {e["case"]["model"]: e["transcript"][-1]["detail"] for e in programs.journaled_episodes()}
    assert details["flood"].endswith("\nThe agent wrote more than 16 MiB to stdout, and was killed.")
    assert details["crash"].endswith("\nValueError: I cannot do this\nThe agent ended with exit code 1.")
    assert details["exit_with_code"] == "half done, my key is ***\nThe agent ended with exit code 3."
    assert programs.processes() == []
    assert ended_at - (programs.path / "out.json").stat().st_mtime < 5  # it is written after the last test


def test_a_program_gets_what_its_command_asks_for(programs: Project) -> None:
    both = command("both", "note", "{mcp_url}")
    apart = command("apart", "note", "{mcp_url}", "--mcp={mcp_config}", "'{prompt}' '{system}'", "{work_dir}", '{"a"}')
    programs.run(*NO_XDIST, both, apart, *ONE_CASE)
    notes = [json.loads(line) for line in (programs.path / "notes.jsonl").read_text().splitlines()]
    first, second = sorted(notes, key=lambda given: len(given["args"]))
    config, prompt, system, work_dir, other = second["args"]
    assert first == {"args": [], "stdin": f"{system}\n\n{prompt}", "folder": str(programs.path)}
    assert (second["stdin"], other, config[:6]) == ("", "{a}", "--mcp=")
    assert not Path(work_dir).exists()
    words = [e["reply"]["text"] for each in programs.journaled_episodes() for e in each["transcript"] if "reply" in e]
    assert words == ["NOT DONE: I only took notes."] * 2


def test_an_interrupted_run_leaves_no_program_and_is_resumed(programs: Project) -> None:
    agents = (command("quick", "note", "{mcp_url}"), command("slow", "hang_once"))
    running = programs.start(*NO_XDIST, *agents, *ONE_CASE)
    try:
        wait_until(lambda: (programs.path / "hanging").exists() and programs.journaled_episodes())
        running.interrupt()
        running.wait(within_s=20)
    finally:
        running.end()
    wait_until(lambda: not programs.processes(), within_s=5)
    programs.run(*NO_XDIST, *agents, *ONE_CASE)
    assert {e["model"]: (e["outcome"], e["failure_class"], e["reused"]) for e in programs.episodes()} == {
        "quick": ("failed", "wrong_deliverable", True),
        "slow": ("failed", "wrong_deliverable", False),
    }
    assert (programs.path / "notes.jsonl").read_text().count("\n") == 1


def test_a_workers_programs_end_with_it(programs: Project) -> None:
    running = programs.start("-n1", command("slow", "hang_in_children"), *ONE_CASE, "--max-worker-restart=0")
    try:
        wait_until(lambda: len(find_programs(programs)) == 4)
        started = find_programs(programs)
        (worker,) = programs.workers()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not set(started) & set(programs.processes()), within_s=10)
    finally:
        running.end()


def find_programs(project: Project) -> list[int]:
    """Return the processes of programs, without their guards."""
    found = []
    for pid in project.processes():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"program_agents.py" in words and not any(word.endswith(b"process_guard.py") for word in words):
            found.append(pid)
    return found
