"""`--ultra-api` without any SDK: the header says what is spoken, and a missing package is a usage error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.run.project import NO_XDIST, ONE_CASE, Project
from tests.run.scripted_server import Script, ScriptedServer, text_reply

HIDE_SDKS = """
import sys
sys.modules |= {"openai": None, "anthropic": None, "google.genai": None}
"""
"""Whatever is installed where the tests run."""


@pytest.fixture
def plain_project(project: Project) -> Project:
    project.pytester.makeconftest(HIDE_SDKS)
    return project


def test_the_header_names_the_protocol_of_each_model(
    plain_project: Project, start_server: Callable[[Script], ScriptedServer], xdist_mode: tuple[str, ...]
) -> None:
    server = start_server(lambda _: (200, text_reply("Done.")))
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m,anthropic/n", *ONE_CASE)
    result = plain_project.run(*xdist_mode, *args)
    assert result.stdout.str().splitlines().count("ultra: m, anthropic/n: chat completions") == 1
    assert [model["protocols"] for model in plain_project.document()["run"]["models"]] == [["chat completions"]] * 2


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--ultra-api=messages", "--ultra-model=anthropic/m"), "pip install 'pytest-ultra[[]anthropic]'"),
        (("--ultra-api=responses", "--ultra-model=m"), "pip install 'pytest-ultra[[]openai]'"),
        (("--ultra-api=gemini", "--ultra-model=m"), "does not speak it"),
        (("--ultra-api=gemini", "--ultra-model=demo"), "does not speak it"),
        (("--ultra-api=chats", "--ultra-model=m"), "did you mean 'chat'?"),
    ],
)
def test_a_protocol_that_cannot_be_spoken_is_a_usage_error(
    plain_project: Project, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], words: str
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-test-key")
    result = plain_project.run(*NO_XDIST, *args, *ONE_CASE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{words}*"])
