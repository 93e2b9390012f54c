"""A run records its versions, models, commit and command line, and no secret."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra import __version__
from pytest_ultra.controller.provenance import find_commit
from pytest_ultra.core.case import Versions
from tests.run.project import NO_XDIST, ONE_CASE, Project

GIT_IDENTITY = ("-c", "user.name=me", "-c", "user.email=me@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *args: str) -> str:
    command = ["git", *GIT_IDENTITY, *args]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "agent.py").write_text("")
    git(tmp_path, "add", "agent.py")
    git(tmp_path, "commit", "-qm", "Begin")
    return tmp_path


def read_description(project: Project) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project.runs()[-1] / "run.json").read_text())
    return content


def test_a_run_records_its_versions_command_and_models(project: Project) -> None:
    git(project.path, "init", "-q")
    project.run(*NO_XDIST, "--ultra-model=demo/perfect", "--ultra-temperature=0.5", *ONE_CASE)
    run = read_description(project)
    assert run["pytest_ultra"] == __version__
    assert run["versions"] == msgspec.to_builtins(Versions())
    assert run["git"] is None, "there is no commit yet"
    assert run["command"][-4:] == ["--ultra-model=demo/perfect", "--ultra-temperature=0.5", *ONE_CASE]
    parameters = {
        "temperature": 0.5,
        "max_turns": 30,
        "timeout_s": None,
        "tool_protocol": "native",
        "tool_discovery": False,
    }
    assert run["models"] == [
        {"name": "demo/perfect", "provider": "demo", "hosts": [], "protocols": [], "parameters": parameters}
    ]


SERVED = """
[tool.pytest_ultra.models."gpt-4o-mini"]
endpoints = [
    {base_url = "http://127.0.0.1:9/v1?code=key-in-a-query"},
    {base_url = "http://127.0.0.1:19/v1", key_env = "MY_ENDPOINT"},
]
"""


def test_no_file_of_a_run_contains_a_key(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("key-of-openai", "key-in-a-query", "key-of-a-plugin", "token-of-github", "key-by-its-name", "key-of-url")
    for variable, secret in (("OPENAI_API_KEY", 0), ("GITHUB_TOKEN", 3), ("MY_ENDPOINT", 4)):
        monkeypatch.setenv(variable, secrets[secret])
    project.pytester.makepyprojecttoml(SERVED)
    project.pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--their-api-key')")
    args = ("--their-api-key", secrets[2], f"--ultra-base-url=http://127.0.0.1:9/v1?code={secrets[5]}")
    words = "-k", " or ".join(("optimal", secrets[0], secrets[3], secrets[4]))
    project.run(*NO_XDIST, "--ultra-model=gpt-4o-mini", "--ultra-run-timeout=1", *args, *words, *ONE_CASE)
    run = read_description(project)
    assert run["models"][0]["hosts"] == ["127.0.0.1:9", "127.0.0.1:19"]
    assert run["options"]["base_url"] == "http://127.0.0.1:9/v1?***"
    assert run["options"]["served"]["gpt-4o-mini"][1]["key_env"] == "MY_ENDPOINT", "a name is no secret"
    files = [path for path in (project.path / ".ultra").rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in [*files, project.path / "out.json"]:
        assert not [secret for secret in secrets if secret.encode() in path.read_bytes()], path


def test_the_commit_is_recorded_and_whether_tracked_files_differ(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    (repository / "untracked.txt").write_text("")
    timeout_s = 20.0  # long enough on a busy machine
    assert find_commit(repository, timeout_s) == {"commit": head, "is_dirty": False}
    (repository / "agent.py").write_text("changed")
    assert find_commit(repository, timeout_s) == {"commit": head, "is_dirty": True}


def test_without_a_repository_or_without_git_there_is_no_commit(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert find_commit(repository) is None
    monkeypatch.undo()
    monkeypatch.setenv("GIT_DIR", os.devnull)
    assert find_commit(repository) is None


def test_a_slow_git_is_not_waited_for(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = repository / "git"
    slow.write_text("#!/bin/sh\nexec /bin/sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(repository))
    started_at = time.monotonic()
    assert find_commit(repository) is None
    assert time.monotonic() - started_at < 5
