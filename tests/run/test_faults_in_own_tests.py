"""The fixtures `ultra_faults` and `ultra_mcp` in a user's own tests, without suites or models."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.run.project import Project

SHOP_SERVER = Path(__file__).parents[1] / "real_tools" / "shop_server.py"

OWN_TESTS = """
    import pytest
    import pytest_ultra

    sent = []

    def send(text: str) -> dict:
        sent.append(text)
        return {"number": len(sent), "first": "a", "second": "b"}

    @pytest.mark.ultra_faults("all", success_rate=0.4)
    @pytest.mark.parametrize("trial", range(4))
    def test_agent(ultra_faults, trial):
        tool = ultra_faults.wrap(send)
        fates = []
        for _ in range(5):
            try:
                fates.append(tool("hello")["number"] > 0)
            except pytest_ultra.ToolFaultError as error:
                fates.append(error.code)
        print("FATES", trial, fates)

    def test_failed(ultra_faults):
        ultra_faults.force("send", "lost_reply", k=2, is_made=True)
        tool = ultra_faults.wrap(send)
        tool("hello")
        with pytest.raises(pytest_ultra.ToolFaultError):
            tool("hello")
        ultra_faults.force("sent", "transient")
        assert len(ultra_faults.drawn) == 2

    def test_of_a_seed(ultra_faults):
        assert ultra_faults.seed == "0|test_own.py::test_of_a_seed"

    @pytest.mark.parametrize("ultra_faults", ["a"], indirect=True)
    def test_of_a_parameter(ultra_faults):
        assert ultra_faults.seed == "a"
"""


def test_faults_are_the_same_however_the_tests_run(project: Project, xdist_mode: tuple[str, ...]) -> None:
    project.pytester.makepyfile(test_own=OWN_TESTS)
    result = project.pytester.runpytest_subprocess("-rA", *xdist_mode, "--ultra-tool-success-rate=1")
    result.assert_outcomes(passed=6, failed=1, warnings=1)
    result.stdout.fnmatch_lines("*PytestWarning: ultra_faults: forced transient fault of sent, its call 1: there was *")
    fates = dict(re.findall(r"^FATES (\d) (.*)$", result.stdout.str(), re.MULTILINE))
    assert fates == FATES
    result.stdout.fnmatch_lines(
        [
            "*- faults of tools -*",
            'call 2: send(text="hello"), its call 2: lost_reply fault (the call was made)',
            "forced transient fault of sent, its call 1: there was no such call",
            "1 of 2 calls met a fault; all calls: *test_failed-faults0*calls.jsonl",
            "to repeat: @pytest.mark.ultra_faults(seed='0|test_own.py::test_failed')",
        ]
    )
    (path,) = re.findall(r"all calls: (\S*)", result.stdout.str())
    header, first, second = map(json.loads, Path(path).read_text().splitlines())
    assert header["test"] == "test_own.py::test_failed"
    assert first["result"]["number"] + 1 == second["result"]["number"]
    assert second["fault"] == {"kind": "lost_reply", "effect": "happened", "seed": 0}


FATES = {
    "0": str(["OUT_OF_SERVICE"] * 5),
    "1": "[False, True, True, 'UNAVAILABLE', 'UNAVAILABLE']",
    "2": "[True, True, 'OUT_OF_SERVICE', 'OUT_OF_SERVICE', 'OUT_OF_SERVICE']",
    "3": "[True, True, True, 'NO_REPLY', True]",
}
"""What became of the five calls of each trial. They are drawn from the node id, so that this never changes."""


def test_real_results_are_recorded_and_served_again(project: Project) -> None:
    project.pytester.makepyfile(
        test_own="""
        import os
        import pytest

        @pytest.mark.parametrize("name", ["é/1"])
        def test_agent(ultra_faults, name):
            tool = ultra_faults.wrap(lambda text: text.upper() + os.environ["REAL"])
            answers = [tool(text) for text in os.environ["TEXTS"]]
            print("ANSWERS", answers)
        """
    )

    def run(mode: str, real: str, texts: str) -> pytest.RunResult:
        project.pytester._monkeypatch.setenv("REAL", real)
        project.pytester._monkeypatch.setenv("TEXTS", texts)
        return project.pytester.runpytest_inprocess("-rA", f"--ultra-cassette={mode}", "--ultra-tool-success-rate=1")

    missing = run("replay", "1", "ab")
    missing.assert_outcomes(failed=1, errors=1)
    run("record", "1", "ab").stdout.fnmatch_lines("ANSWERS ['A1', 'B1']")
    (cassette,) = (project.path / "cassettes").rglob("*.jsonl")
    assert cassette.parent == project.path / "cassettes" / "tools" / "test_own"
    before = cassette.read_bytes()
    for mode in ("replay", "auto"):
        run(mode, "2", "ab").stdout.fnmatch_lines("ANSWERS ['A1', 'B1']")
        assert cassette.read_bytes() == before
    run("auto", "2", "acb").stdout.fnmatch_lines("ANSWERS ['A1', 'C2', 'B2']")
    diverged = run("replay", "3", "ab")
    diverged.assert_outcomes(failed=1, errors=1)
    diverged.stdout.fnmatch_lines("*--ultra-cassette=replay: the call <lambda> *is not in the recording*record again*")


def test_a_server_is_named_once_and_broken_in_each_test(project: Project) -> None:
    project.pytester.makeini(
        f"[pytest]\nultra_mcp =\n    shop={sys.executable} {SHOP_SERVER} {{tmp_path}}/orders.txt\n    no=none\n"
    )
    project.pytester.makepyfile(
        test_own="""
        import asyncio

        def test_agent(ultra_faults, ultra_mcp, tmp_path):
            ultra_faults.force("order", "lost_reply", is_made=True)
            shop = ultra_mcp["shop"]
            assert list(ultra_mcp) == ["shop", "no"]
            assert ultra_mcp["shop"] is shop
            assert shop.call("order", {"article": "tea"}).is_error

            async def order():
                async with shop.client() as client:
                    return await client.call_tool("order", {"article": "tea"})

            assert asyncio.run(order()).structured_content["number"] == 2
            assert [call.k for call in ultra_faults.calls] == [1, 2]
            assert (tmp_path / "orders.txt").read_text() == "tea\\ntea\\n"

        def test_wrong(ultra_mcp):
            ultra_mcp["sop"]
        """
    )
    result = project.pytester.runpytest_inprocess("--ultra-tool-success-rate=1", "-W", "error")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        "*ConfigurationError: no MCP server is named 'sop' (known: shop, no); add --ultra-mcp sop='COMMAND or URL'"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["--ultra-mcp", "npx server"],
            "--ultra-mcp: 'npx server' is not an MCP server; give NAME='COMMAND*",
        ),
        (["--ultra-mcp", "a=x", "--ultra-mcp", "a=y"], "--ultra-mcp: 'a' names two MCP servers; give each a name *"),
        (["--ultra-fault-kind", "transiet"], "--ultra-fault-kind: 'transiet' is not valid; *did you mean 'transient'*"),
    ],
)
def test_a_wrong_option_is_named(project: Project, args: list[str], message: str) -> None:
    project.pytester.makepyfile("def test_own(ultra_mcp): pass")
    result = project.pytester.runpytest_inprocess(*args)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(f"*{message}")


def test_a_wrong_argument_of_the_marker_is_named(project: Project) -> None:
    project.pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ultra_faults("all", sucess_rate=0.5)
        def test_own(ultra_faults): pass
        """
    )
    result = project.pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*@pytest.mark.ultra_faults has no argument 'sucess_rate'; choose from kinds, seed, *")
