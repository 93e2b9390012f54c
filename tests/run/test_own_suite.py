"""A suite of the user's own in whole runs: its cases, figures, documents, gates, and what goes wrong with it."""

from __future__ import annotations

import shutil
import sys

import pytest
from _pytest.pytester import LineMatcher

from pytest_ultra.commands.cli import main
from tests.run import shop_suite
from tests.run.project import NO_XDIST, Project, wait_until

SUITE = "--ultra-suite=shop_suite:suite"
HALF = ("--ultra-task-type=half", "--ultra-severity=light")
OWN_FLAW = "flawed_own_wrong_share"


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with the shop's suite."""
    shutil.copy(shop_suite.__file__, project.path)
    return project


def outcomes_of(project: Project, model: str, task: str) -> dict[str, str]:
    episodes = [one for one in project.episodes() if (one["model"], one["task_type"]) == (model, task)]
    return {episode["prompt_type"]: episode["outcome"] for episode in episodes}


def test_reference_agents_get_their_known_marks_under_every_flaw(shop: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = shop.run(*xdist_on_off, SUITE, "--ultra-model=demo/perfect,demo/follower", "--ultra-severity=light")
    known = [episode for episode in shop.episodes() if episode["task_type"] != "has_late"]
    assert {episode["outcome"] for episode in known if episode["model"] == "demo/perfect"} == {"full"}
    obeyed = outcomes_of(shop, "demo/follower", "half")
    assert obeyed.pop("optimal") == obeyed.pop("flawed_redundant_operations") == "full"
    assert len(obeyed) == 9
    assert "full" not in obeyed.values()
    assert OWN_FLAW in obeyed
    assert {episode["suite"] for episode in shop.episodes()} == {"shop"}
    assert all(episode["suite_version"].startswith("1-") for episode in shop.episodes())
    assert shop.document()["run"]["options"]["suite"] == "shop_suite:suite"
    result.stdout.fnmatch_lines(
        ["ultra: suite shop_suite:suite", "ultra: not available for has_late: no plans, for it has no reference*"]
    )
    result.stdout.fnmatch_lines(["flawed_own_wrong_share*100.0%*"])
    assert OWN_FLAW in (shop.runs()[-1] / "report.html").read_text()


PROVIDER = """
    import json

    from pytest_ultra.core.transcript import Reply, ToolCall


    class Counter:
        '''A provider of its own: it counts Ann's late orders, and never looks at the plan.'''

        async def attempt(self, request):
            if request.turn == 1:
                return Reply(tool_calls=(ToolCall("1", "refund", json.dumps({"order": "o7", "percent": 50})),))
            return Reply(text="I did it.")

        async def aclose(self):
            pass


    def pytest_ultra_endpoint(config, settings):
        return Counter()
"""
OWN_TEST = """
    def test_nobody_else_gets_money(ultra_episode):
        assert set(ultra_episode.world["refunds"]) <= {"o7"}
        assert ultra_episode.answer in ("Done", "I did it")
        assert len(ultra_episode.world["outbox"]) == 1
"""


def test_an_agent_and_a_provider_of_the_projects_own_meet_its_gates_and_its_tests(shop: Project) -> None:
    """One run has both: the provider refunds and never writes, the agent does the job by hand."""
    shop.pytester.makeconftest(PROVIDER)
    shop.pytester.makepyfile(test_shop=OWN_TEST)
    outputs = ("--ultra-markdown=out.md", "--junit-xml=out.xml", "-p", "no:logging")
    tested = ("--ultra-agent=clerk=shop_suite:clerk", "--ultra-model=counter")
    gates = (
        "--ultra-fail-under=half=0.9",
        "--ultra-fail-under=clerk=0.9",
        "--ultra-max-drop=flawed_own_wrong_share=0.5",
    )
    cases = ("--ultra-task-type=half", f"--ultra-prompt-type=baseline,optimal,{OWN_FLAW}", "--ultra-severity=light")
    result = shop.run(*NO_XDIST, SUITE, *tested, *cases, *outputs, *gates, "--ultra-gate-on=rate")
    result.assert_outcomes(passed=3, failed=3)  # its own test, which the gates do not replace
    assert outcomes_of(shop, "clerk", "half") == dict.fromkeys(("baseline", "optimal", OWN_FLAW), "full")
    assert outcomes_of(shop, "counter", "half") == dict.fromkeys(("baseline", "optimal", OWN_FLAW), "failed")
    result.stdout.fnmatch_lines(["gate fail-under half=0.9: *MISSED", "gate fail-under clerk=0.9: *met"])
    result.stdout.fnmatch_lines(["gate max-drop flawed_own_wrong_share=0.5: *"])
    result.stdout.no_fnmatch_line("*no scored case*")
    assert OWN_FLAW in (shop.path / "out.md").read_text().replace("\\", "")
    assert OWN_FLAW in (shop.path / "out.xml").read_text()


def test_a_killed_run_is_resumed_and_its_files_need_no_suite(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    cases = (SUITE, "--ultra-model=demo/follower?latency=0.1", *HALF, "--ultra-prompt-type=optimal,flawed")
    started = shop.start("-n2", *cases, "--ultra-concurrency=1")
    wait_until(lambda: len(shop.journaled_episodes()) >= 3, within_s=90)
    started.end()
    wait_until(lambda: not shop.workers())
    result = shop.run("-n2", *cases)
    assert sum(episode["reused"] for episode in shop.episodes()) >= 3
    result.stdout.fnmatch_lines(["*reused from run*"])
    (shop.path / "shop_suite.py").unlink()
    assert "shop_suite" not in sys.modules
    for command, expected in (
        (("show", "demo/follower?latency=0.1-flawed_tool_misuse-half-easy-0"), "*plan, as the model saw it*"),
        (("rescore",), "*0 scores changed"),
        (("export", "--format", "csv", "-o", "out.csv"), None),
        (("report", "-o", "out.html"), "out.html: *"),
    ):
        capsys.readouterr()
        assert main(list(command)) == 0
        if expected:
            LineMatcher(capsys.readouterr().out.splitlines()).fnmatch_lines([expected])
    assert "shop" in (shop.path / "out.csv").read_text()


@pytest.mark.parametrize(
    ("args", "messages"),
    [
        (["--ultra-suite=shop_suite:shop"], ["shop_suite has no 'shop'; it has suite"]),
        (["--ultra-suite=shop_suite:Shop"], ["shop_suite:Shop is no suite but a type"]),
        (["--ultra-suite=shop_suite"], ["'shop_suite' names no suite; give MODULE:ATTR"]),
        (["--ultra-suite=shops:suite"], ["shops:suite cannot be imported: there is no module 'shops'"]),
        ([SUITE, "--ultra-task-type=halve"], ["'halve' is no task of the suite", "did you mean 'half'?"]),
        ([SUITE, "--ultra-difficulty=hard"], ["no task of the suite 'shop'", "late_order (very_easy)"]),
        ([SUITE, "--ultra-prompt-variant=canary"], ["canary renames the built-in tools"]),
        ([SUITE, "--ultra-tool-discovery=on"], ["--ultra-tool-discovery is for the built-in tools"]),
        (
            [SUITE, "--ultra-prompt-type=flawed_own_x"],
            ["no flaw of the suite 'shop'; choose from flawed_own_wrong"],
        ),
        (
            [SUITE, "--ultra-prompt-type=optimal", "--ultra-task-type=has_late"],
            ["has_late: no plans"],
        ),
        ([SUITE, "--ultra-fault-kind=permanent"], ["permanent faults need another way"]),
        (["--ultra-prompt-type=flawed_own_x"], ["is a flaw of a suite of your own; name that by --ultra-suite"]),
        (["--ultra-task-type=half"], ["'half' is not valid; choose from all, simple_task"]),
        ([SUITE, "--ultra-fail-under=halve=0.5"], ["there is no group 'halve'", "half"]),
    ],
)
def test_a_wrong_option_is_a_usage_error(shop: Project, args: list[str], messages: list[str]) -> None:
    result = shop.run(*NO_XDIST, "--ultra-model=demo", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    for message in messages:
        assert message in result.stderr.str()


BROKEN = """
    import pytest_ultra as ultra


    class Box(ultra.World):
        kinds: object = {1, object()}


    @ultra.tool
    def look(box: Box) -> int:
        return 1


    suite = ultra.Suite("box", Box, [look])


    @suite.task("Look.")
    def look_at(plan):
        return plan.look()
"""


def test_a_suite_that_cannot_be_used_is_a_usage_error(project: Project) -> None:
    project.pytester.makepyfile(broken=BROKEN)
    result = project.run(*NO_XDIST, "--ultra-model=demo", "--ultra-suite=broken:suite")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "the field 'kinds' of Box cannot be JSON" in result.stderr.str()
