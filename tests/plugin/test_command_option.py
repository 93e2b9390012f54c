"""`--ultra-agent-command`: programs, their names, the models behind them; each misuse is named before the run."""

from __future__ import annotations

import re
import sys

import pytest

from pytest_ultra.agents.command.placeholders import PLACEHOLDERS, fill_command
from pytest_ultra.collection.run_commands import describe_sdk_problem
from pytest_ultra.options.agent_option import AgentChoice
from pytest_ultra.options.command_option import read_commands
from tests.run.project import NO_XDIST

SERVER = "--mcp {mcp_url}"


@pytest.mark.parametrize(
    ("text", "name", "model", "command"),
    [
        (f"my-agent {SERVER}", "my-agent", "", f"my-agent {SERVER}"),
        (f"./bin/agent.sh {SERVER}", "agent.sh", "", f"./bin/agent.sh {SERVER}"),
        (f" mine={SERVER} -c a=b ", "mine", "", f"{SERVER} -c a=b"),
        (f"a -c a=b {SERVER}", "a", "", f"a -c a=b {SERVER}"),
        ("mine@gpt-4o-mini=a -c {base_url}", "mine", "gpt-4o-mini", "a -c {base_url}"),
        ("mine@demo/mixture?latency=0.5&seed=1=a b=c", "mine", "demo/mixture?latency=0.5&seed=1", "a b=c"),
        ('x=a -c \'{"type": "http"}\'', "x", "", 'a -c \'{"type": "http"}\''),
    ],
)
def test_a_command_has_a_name_and_may_have_a_model(text: str, name: str, model: str, command: str) -> None:
    assert read_commands([text, "", text]) == (AgentChoice(name, command, model, is_command=True),)


def test_values_stay_in_their_words_whatever_they_hold() -> None:
    value = "a 'b' {prompt}; $(c)"
    words = fill_command(
        "x --p={prompt} '{mcp_url} {other} {' {\"a\"}", lambda name: value if name == "prompt" else name
    )
    assert words == ["x", f"--p={value}", "mcp_url {other} {", "{a}"]


ALL = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["mine="], "'mine=' has no command; give [NAME[@MODEL]=]COMMAND, as in mine='my-agent --mcp {mcp_url}'"),
        (["a" * 20_000], "a command has 20,000 characters, but at most 16,000 can be read; use a script"),
        (["/ a"], "'/ a' has no command; give [NAME[@MODEL]=]COMMAND, as in mine='my-agent --mcp {mcp_url}'"),
        (["a \0"], "'a \\x00' holds characters that no command can have; give it as UTF-8 text"),
        (["a \ud800"], "'a \\ud800' holds characters that no command can have; give it as UTF-8 text"),
        (["a 'b"], '"a \'b" cannot be split into words: no closing quotation; quote as in a shell'),
        (["a {mcp_ulr}"], f"'a {{mcp_ulr}}' has an unknown {{mcp_ulr}}; valid: {ALL}"),
        (["m=a {model}"], "'m=a {model}' has {model}, but no model is behind it; add one, as in m@demo='...'"),
        (["m=a 1", "m=a 2"], "'m' names two agents; give each a name of its own, as in other='a 2'"),
    ],
)
def test_misuse_is_named(texts: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_commands(texts)


def test_a_program_that_cannot_run_is_named_before_the_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")

    def shown_for(command: str) -> str:
        result = pytester.runpytest_inprocess(*NO_XDIST, f"--ultra-agent-command={command}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        return result.stderr.str()

    missing = f"there is no program './none'; give one that is on the PATH, or its path from {pytester.path}"
    assert f"--ultra-agent-command: {missing}" in shown_for("m=./none {mcp_url}")
    with_key = f"m={sys.executable} --key sk-0123456789abcdef"
    assert "--ultra-agent-command: the command of 'm' holds a key, which the run's files would" in shown_for(with_key)


def test_an_agent_and_a_command_share_no_name(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(*NO_XDIST, "--ultra-agent=m=a:b", "--ultra-agent-command=m=c")
    result.stderr.fnmatch_lines(["*--ultra-agent-command: 'm' names two agents; *, as in other='c'"])


@pytest.mark.parametrize(("version", "found"), [("", "mcp is not installed"), ("1.30.0", "mcp 1.30.0 is installed")])
def test_without_the_sdk_the_extra_is_named(version: str, found: str) -> None:
    problem = describe_sdk_problem(version)
    assert problem == f"{found}, but mcp 2 or later is needed; install the extra: pip install 'pytest-ultra[mcp]'"
    assert describe_sdk_problem("2.0.0") is describe_sdk_problem("10.1") is None
