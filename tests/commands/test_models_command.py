"""`pytest-ultra models` and `completion`, and the folder of runs that commands take from the ini file."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ultra.commands.cli import main
from pytest_ultra.commands.command_table import COMMANDS
from tests.commands.conftest import CommandResult
from tests.storage.stored_runs import make_run, some_episodes

Command = Callable[..., CommandResult]


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GEMINI_API_KEY", "GOOGLE_API_KEY", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


def test_providers_are_listed_with_whether_a_key_is_set_and_never_with_the_key(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "a-very-secret-key")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://user:a-very-secret-key@gateway.example/v1")
    shown = command("models")
    rows = {line.split()[0]: line for line in shown.lines if line}
    assert rows["google"].split()[1:] == [
        *("found", "GEMINI_API_KEY", "or", "GOOGLE_API_KEY"),
        "https://generativelanguage.googleapis.com/v1beta/openai",
    ]
    assert "missing" in rows["openai"]
    assert "gateway.example" in rows["openai"]
    assert "not needed" in rows["ollama"]
    assert "secret" not in shown.out + command("models", "--json").out


def test_a_text_chooses_what_is_listed(root: Path, command: Command) -> None:
    (root.parent / "pyproject.toml").write_text(
        '[tool.pytest_ultra.models."team-mini"]\nrequest = { max_tokens = 2000 }\n'
    )
    listed = command("models", "mini", "--json").json
    assert (listed["providers"], list(listed["project"])) == ([], ["team-mini"])
    assert {"openai/gpt-5-mini", "google/gemini-2.5-flash"} <= {price["model"] for price in listed["prices"]}
    assert all("mini" in price["model"] for price in listed["prices"])
    assert command("models", "perfect").lines == ["without a key: demo/perfect"]
    nothing = command("models", "no-such-thing")
    assert (nothing.code, nothing.out) == (2, "")
    assert "'no-such-thing'" in nothing.err


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(command: Command, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = command("models", "o").lines
    providers = lines[: lines.index("")]
    assert max(map(len, providers)) <= columns
    assert any("missing" in line for line in providers)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_script_for_completion_knows_every_command(command: Command, shell: str) -> None:
    script = command("completion", shell)
    assert script.code == 0
    assert [name for name in COMMANDS if name not in script.out] == []
    assert "--incomplete" in script.out  # an option of one command


def test_bash_completes_commands_and_options(command: Command, tmp_path: Path) -> None:
    (tmp_path / "completion").write_text(command("completion", "bash").out)
    ask = "source completion; COMP_WORDS=(pytest-ultra {}); COMP_CWORD={}; _shtab_pytest_ultra; echo ${{COMPREPLY[@]}}"

    def complete(words: str, place: int) -> list[str]:
        code = ask.format(words, place)
        command = ["/bin/bash", "-c", code]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 - ours
        return found.stdout.split()

    assert complete("me", 1) == ["merge"]
    assert complete("export --fo", 2) == ["--format"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool.pytest.ini_options]\nultra_dir = 'kept'\n"),
        ("pytest.ini", "[pytest]\nultra_dir = kept\n"),
        ("tox.ini", "[pytest]\naddopts = --ultra-dir=kept\n"),
    ],
)
def test_commands_read_the_folder_that_the_ini_file_names(root: Path, command: Command, name: str, text: str) -> None:
    (root.parent / name).write_text(text)
    run = make_run(root.parent / "kept", some_episodes())
    assert run.run_id in command("runs").out
    assert run.run_id in command("show").out
    assert command("runs", "--dir", ".ultra").lines == [
        "'.ultra/runs' holds no run; start one: pytest --ultra-model demo"
    ]


def test_an_ini_file_that_pytest_cannot_read_is_an_error(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (root.parent / "pytest.ini").write_text("[pytest]\nultra_dir = kept\naddopts = --no-such-option\n")
    assert main(["runs"]) == 2
    shown = capfd.readouterr()
    assert "no-such-option" in shown.err
    assert "name it with --dir" in shown.err
