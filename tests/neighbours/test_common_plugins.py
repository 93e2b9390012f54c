"""A project that uses many plugins at once, with a run of the benchmark among its tests."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.run.project import ONE_CASE, TEN_CASES, Project

PERFECT = "--ultra-model=demo/perfect"
THREE_CASES = (TEN_CASES, "--ultra-prompt-type=optimal,baseline,cot")

PLUGINS = """allure-pytest anyio asyncio bdd benchmark clarity cov env flakefinder forked freezer html httpx hypothesis
instafail json-ctrf json-report lazy-fixtures metadata mock order picked randomly recording repeat reportlog
rerunfailures respx socket split sugar syrupy teamcity-messages testmon time-machine timeout ultra xdist"""
"""Those of the run beside all of them. pytest-tldr, which replaces pytest's own reporter, has a test of its own."""

INI = """
    [pytest]
    asyncio_mode = auto
    timeout = 30
    env =
        SHOP_URL=https://shop.example
"""
SHOP = "def refund(amount):\n    return -amount\n"
TESTS = """
    import datetime
    import os
    import time
    import httpx
    import pytest
    import shop
    from hypothesis import HealthCheck, given, settings, strategies
    from pytest_bdd import given as when_given, scenario

    @pytest.mark.order(1)
    def test_first(ultra_episode):
        ultra_episode.assert_passed()

    async def test_with_asyncio(ultra_episode):
        assert ultra_episode.passed

    @pytest.mark.anyio
    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    def test_with_anyio(ultra_episode, anyio_backend):
        assert ultra_episode.passed

    def test_with_a_mock(ultra_episode, mocker):
        mocker.patch("shop.refund", return_value=0)
        assert ultra_episode.passed and shop.refund(3) == 0

    def test_with_a_frozen_clock(freezer, ultra_episode):
        freezer.move_to("2020-01-01")
        assert datetime.date.today().year == 2020 and ultra_episode.passed

    def test_that_travels(time_machine, ultra_episode):
        time_machine.move_to("2020-01-01")
        assert datetime.date.today().year == 2020 and ultra_episode.passed

    def test_with_subtests(ultra_episode, subtests):
        for event in ultra_episode.transcript:
            with subtests.test(kind=type(event).__name__):
                assert event

    def test_with_a_mocked_site(ultra_episode, httpx_mock):
        httpx_mock.add_response(url="https://shop.example", json={"open": True})
        assert httpx.get("https://shop.example").json() == {"open": True} and ultra_episode.passed

    def test_with_a_mocked_route(ultra_episode, respx_mock):
        respx_mock.get("https://shop.example").respond(204)
        assert httpx.get("https://shop.example").status_code == 204 and ultra_episode.passed

    def test_with_a_snapshot(ultra_episode, snapshot):
        assert ultra_episode.outcome == snapshot

    @settings(max_examples=3, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(number=strategies.integers())
    def test_with_examples(ultra_episode, number):
        assert ultra_episode.passed and shop.refund(number) == -number

    @scenario("refund.feature", "A late order")
    def test_with_a_scenario(ultra_episode):
        pass

    @when_given("an agent that passed")
    def passed(ultra_episode):
        assert ultra_episode.passed

    def test_of_the_shop(benchmark):
        assert benchmark(shop.refund, 3) == -3

    def test_of_the_environment(request, record_property):
        record_property("url", os.environ["SHOP_URL"])
"""
FEATURE = "Feature: Refunds\n  Scenario: A late order\n    Given an agent that passed\n"
OUTPUTS = (
    "--disable-socket",
    "--allow-hosts=127.0.0.1",
    "--snapshot-update",
    "--alluredir=allure",
    "--ctrf=ctrf.json",
    "--cov=shop",
    "--cov-report=json:coverage.json",
    "--html=report.html",
    "--json-report",
    "--json-report-file=report.json",
    "--report-log=log.jsonl",
    "--junitxml=junit.xml",
    "--metadata",
    "team",
    "refunds",
    "-p",
    "randomly",
    "--randomly-seed=7",
    "--benchmark-min-rounds=1",
    "--benchmark-max-time=0.05",
    "-W",
    "ignore",
    "-v",
)


def read(project: Project, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project.path / name).read_text())
    return content


def test_a_run_beside_all_of_them(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makeini(INI)
    (project.path / "shop.py").write_text(SHOP)
    (project.path / "refund.feature").write_text(FEATURE)
    project.pytester.makepyfile(test_shop=TESTS)
    result = project.run_in_own_process(*xdist_on_off, PERFECT, *THREE_CASES, *OUTPUTS)

    loaded = re.search(r"^plugins: (.*)$", result.stdout.str(), re.MULTILINE)
    assert loaded is not None
    assert [name for name in PLUGINS.split() if not re.search(rf"[ _]{name}-\d", f" {loaded[1]}")] == []
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 12 * 3 + 2
    assert project.outcomes() == {"full": 3}
    assert set(project.episode_counts().values()) == {1}

    assert read(project, "coverage.json")["totals"]["percent_covered"] == 100
    report = read(project, "report.json")
    assert len(report["tests"]) == 38
    properties = [dict(each.popitem() for each in test.get("user_properties", ())) for test in report["tests"]]
    assert sum(each.get("ultra_outcome") == "full" for each in properties) == 36
    assert {"url": "https://shop.example"} in properties
    log = [json.loads(line) for line in (project.path / "log.jsonl").read_text().splitlines()]
    tests = [entry for entry in log if entry.get("when") == "call" and entry["$report_type"] == "TestReport"]
    assert len(tests) == 38
    page = (project.path / "report.html").read_text()
    assert "Prompt type" in page
    assert "refunds" in page
    assert read(project, "ctrf.json")["results"]["summary"]["passed"] == 38
    assert len(list((project.path / "allure").glob("*-result.json"))) == 38
    assert (project.path / "__snapshots__" / "test_shop.ambr").read_text().count("'full'") == 3
    assert (project.path / "junit.xml").read_text().count("[[PROPERTY|ultra_outcome=full]]") == 36


def test_recorded_requests_are_not_those_of_episodes(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makepyfile("import pytest\n@pytest.mark.vcr\ndef test_recorded(ultra_episode): pass")
    result = project.run_in_own_process(*xdist_on_off, PERFECT, *THREE_CASES, "--record-mode=once", "-W", "ignore")
    assert result.ret == 0
    assert project.outcomes() == {"full": 3}
    assert not (project.path / "cassettes").exists()


def test_reporters_beside_each_other(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    args = ("--force-sugar", "--instafail", "--ultra-model=demo/null", *ONE_CASE)
    result = project.run_in_own_process(*xdist_on_off, *args)
    assert result.ret == 1
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", result.stdout.str())
    assert "failed: the job was not done" in text
    assert "1 planned: 1 scored (0 full, 0 partial, 1 failed), 0 error, 0 skipped" in text


def test_a_reporter_that_replaces_pytests_own(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest-tldr lacks attributes that pytest-rerunfailures reads, so that these two cannot be loaded together."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:rerunfailures -p no:sugar")
    result = project.run_in_own_process("-n2", "--ultra-model=demo/null", *ONE_CASE)
    assert result.ret == 1
    assert "failed: the job was not done" in result.stdout.str()
    assert "1 planned: 1 scored (0 full, 0 partial, 1 failed), 0 error, 0 skipped" in result.stdout.str()


def test_a_rerun_is_a_new_episode(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = project.run_in_own_process(*xdist_on_off, "--ultra-model=demo/null", *ONE_CASE, "--reruns=2")
    assert result.parseoutcomes() == {"failed": 1, "rerun": 2}
    assert list(project.episode_counts().values()) == [3]


def test_the_groups_of_a_split_have_each_case_once(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    nodeids: list[str] = []
    for group in ("1", "2"):
        groups = ("--splits=2", f"--group={group}", "-p", "no:randomly")
        assert project.run_in_own_process(*xdist_on_off, PERFECT, TEN_CASES, "--ultra-fresh", *groups).ret == 0
        nodeids += [episode["nodeid"] for episode in project.episodes()]
    assert len(nodeids) == len(set(nodeids)) == 10


def test_tests_that_are_not_selected_run_no_episodes(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    """pytest-picked takes the new files of a repository, pytest-testmon what changed since its last run."""
    project.pytester.makepyfile(test_old="def test_old(ultra_episode): pass")
    for command in (("init", "-q"), ("add", "test_old.py")):
        project.pytester.run("git", *command)
    commit = ("-c", "user.name=A", "-c", "user.email=a@shop.example", "commit", "-q", "-m", "Add a test")
    project.pytester.run("git", *commit)
    project.pytester.makepyfile(test_new="def test_new(ultra_episode): ultra_episode.assert_passed()")
    options = (*xdist_on_off, PERFECT, *ONE_CASE, "--ultra-fresh", "-p", "no:randomly")
    for option, passed in (("--picked", 1), ("--testmon", 2), ("--testmon", 0)):
        result = project.run_in_own_process(*options, option)
        assert result.parseoutcomes().get("passed", 0) == passed
    assert len(project.runs()) == 2


REFUSED = """
    import pytest
    from pytest_lazy_fixtures import lf

    @pytest.mark.parametrize("episode", [lf("ultra_episode")])
    def test_lazy(episode): pass

    @pytest.mark.repeat(2)
    def test_repeated(ultra_episode): pass

    @pytest.mark.repeat(2)
    def test_plain(): pass
"""


def test_the_real_plugins_that_are_refused(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    for option in ("--forked", "--count=2", "--flake-finder", "-f"):
        result = project.run_in_own_process(*xdist_on_off, PERFECT, *ONE_CASE, option)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert result.stderr.str().startswith(f"ERROR: {option}")
    project.pytester.makepyfile(REFUSED)
    result = project.run_in_own_process(*xdist_on_off, PERFECT, *ONE_CASE)
    assert result.parseoutcomes() == {"passed": 2, "errors": 3}
    assert project.journaled_episodes() == []


def test_a_test_whose_connections_are_blocked_says_so_before_any_episode(project: Project) -> None:
    project.pytester.makepyfile("def test_mine(ultra_episode): pass")
    result = project.run_in_own_process("-n2", PERFECT, *ONE_CASE, "--disable-socket")
    assert result.parseoutcomes() == {"errors": 1}
    assert (
        "ultra_episode: pytest-socket blocks the connections of this test, and so of its episode" in result.stdout.str()
    )
    assert project.journaled_episodes() == []
