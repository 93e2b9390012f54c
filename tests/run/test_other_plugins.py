"""Plugins that freeze the clock, and those that would run episodes for nothing."""

from __future__ import annotations

import pytest

from tests.run import slow_imports  # noqa: F401 - for speed
from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, VARYING_FIELDS, Project

FROZEN = """
    import time
    from freezegun import freeze_time
    import pytest

    @pytest.fixture(scope="session", autouse=True)
    def frozen():
        with freeze_time("2020-01-01"):
            yield

    def test_mine(ultra_episode):
        assert time.time() == 1577836800
        ultra_episode.assert_passed()
"""


def test_a_clock_that_a_test_has_frozen_stays_running_for_the_run(project: Project) -> None:
    """The fixture freezes the time before the first episode starts; tasks of all types are made in it."""
    slow = ("--ultra-model=demo/perfect?latency=0.1&error_rate=0.1", "--ultra-prompt-type=optimal")
    project.pytester.makepyfile("def test_mine(ultra_episode): pass")
    project.run(*NO_XDIST, *slow)
    expected = [_lasting(episode) for episode in project.episodes()]
    project.pytester.makepyfile(FROZEN)
    for xdist_args in (NO_XDIST, ("-n2",)):
        args = (*xdist_args, *slow, "--ultra-run-timeout=60", "--ultra-fresh")
        project.run_in_own_process(*args).assert_outcomes(passed=5)
        frozen = project.episodes()
        assert all(episode["duration_s"] >= 0.2 and episode["started_at_utc"] > "2021" for episode in frozen)
        assert [_lasting(episode) for episode in frozen] == expected


def _lasting(episode: dict[str, object]) -> dict[str, object]:
    varying = {*VARYING_FIELDS, "nodeid", "requests"}
    return {name: value for name, value in episode.items() if name not in varying}


NO_REQUESTS = """
    import aiohttp
    import pytest

    @pytest.fixture(scope="session", autouse=True)
    def no_requests():
        def refuse(*args, **kwargs):
            raise AssertionError("a test sends a request")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aiohttp.ClientSession, "_request", refuse)
            yield
"""


def test_requests_that_a_fixture_replaces_are_not_those_of_the_run(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    """As with aioresponses and pytest-recording."""
    project.pytester.makeconftest(NO_REQUESTS)
    project.pytester.makepyfile("def test_first(): pass\ndef test_mine(ultra_episode): pass")
    project.run_in_own_process(*xdist_on_off, "--ultra-model=demo/perfect", *ONE_CASE).assert_outcomes(passed=2)


OPTIONS_OF_OTHERS = """
    def pytest_addoption(parser):
        parser.addoption("--forked", action="store_true")
        parser.addoption("--count", type=int, default=1)
        parser.addoption("--repeat-scope", default="function")
        parser.addoption("--flake-finder", action="store_true", dest="flake_finder_enable")
        parser.addoption("--flake-runs", type=int, default=50)
"""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--forked",), "--forked: a test in a process of its own would run all episodes again*"),
        (("--count=3",), "--count=3: a repeated test would check the same episode again; use --ultra-repeats=3*"),
        (("--flake-finder", "--flake-runs=7"), "--flake-finder: a repeated test *; use --ultra-repeats=7*"),
        (("--dist=each", "-n2"), "--dist=each: each worker would run all episodes again; leave it out*"),
        (("-f",), "-f (--looponfail) would run episodes again at each change of a file*"),
    ],
)
def test_an_option_that_would_run_episodes_for_nothing_is_refused(
    project: Project, options: tuple[str, ...], message: str
) -> None:
    project.pytester.makeconftest(OPTIONS_OF_OTHERS)
    result = project.pytester.runpytest("--ultra-model=demo/perfect", TEN_CASES, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert project.runs() == []


TESTS_WITHOUT_AN_EPISODE = """
    import os
    import unittest
    import pytest

    @pytest.mark.usefixtures("ultra_episode")
    class TestOld(unittest.TestCase):
        def test_old(self): pass

    def test_asks(request):
        request.getfixturevalue("ultra_episode")

    @pytest.mark.parametrize("__pytest_repeat_step_number", range(2))
    def test_repeated(__pytest_repeat_step_number, ultra_episode): pass

    @pytest.fixture
    def forked(monkeypatch):
        monkeypatch.setattr(os, "getpid", lambda: 1)

    def test_elsewhere(forked, ultra_episode): pass
"""


def test_a_test_that_cannot_have_an_episode_says_why_before_any_is_run(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.pytester.makepyfile(TESTS_WITHOUT_AN_EPISODE)
    result = project.run(*xdist_on_off, "--ultra-model=demo/perfect", *ONE_CASE)
    result.assert_outcomes(errors=4, failed=1)
    text = result.stdout.str()
    assert text.count("\nultra_episode: this test has no case, because cases are given to tests when they are ") == 2
    assert text.count("\nultra_episode: a repeated test would check the same episode again; use --ultra-repeats=N") == 2
    assert text.count("\nultra_episode: a test in a process of its own would run all episodes again; leave that ") == 1
    assert project.journaled_episodes() == []


MARKED_TESTS = """
    import pytest

    @pytest.mark.ultra(prompt_type="optimal")
    def test_optimal(ultra_episode): pass

    @pytest.mark.ultra(prompt_type=["flawed", "cot"])
    class TestSome:
        def test_all(self, ultra_episode): pass

        @pytest.mark.ultra(prompt_type=("flawed_missing_step", "optimal"))
        def test_one(self, ultra_episode): pass

    @pytest.mark.ultra(difficulty="hard")
    def test_none(ultra_episode): pass
"""


def test_a_marker_on_a_test_restricts_its_cases(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makepyfile(MARKED_TESTS)
    result = project.run(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES, "-rs")
    result.assert_outcomes(passed=1 + 8 + 1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*no case of this run has difficulty='hard'"])
    nodeids = {episode["nodeid"].partition("-simple_task")[0] for episode in project.episodes()}
    assert "test_a_marker_on_a_test_restricts_its_cases.py::test_optimal[demo/perfect-optimal" in nodeids
    assert len(project.episodes()) == 9, "baseline is run for no test"


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("promt_type='cot'", "there is no axis 'promt_type'; choose from model, prompt_type, *"),
        ("prompt_type='ct'", "prompt_type: 'ct' is not valid; choose from *(did you mean 'cot'?)"),
        ("'cot'", "the axes have names, as in @pytest.mark.ultra(prompt_type='optimal')"),
    ],
)
def test_a_marker_that_no_case_can_have_is_an_error(project: Project, marker: str, message: str) -> None:
    project.pytester.makepyfile(f"""
        import pytest

        @pytest.mark.ultra({marker})
        def test_mine(ultra_episode): pass
    """)
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", *ONE_CASE)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"@pytest.mark.ultra: {message}"])


def test_a_reporter_that_has_few_of_pytests_attributes_is_enough(project: Project) -> None:
    """As that of pytest-tldr."""
    project.pytester.makeconftest("""
        import pytest

        class Reporter:
            def __init__(self, real):
                self.verbosity, self.stats = real.verbosity, real.stats
                for name in ("ensure_newline", "section", "write_line", "config"):
                    setattr(self, name, getattr(real, name))

            def pytest_sessionfinish(self, session, exitstatus):
                session.config.hook.pytest_terminal_summary(
                    config=session.config, terminalreporter=self, exitstatus=exitstatus
                )

        @pytest.hookimpl(trylast=True)
        def pytest_configure(config):
            real = config.pluginmanager.unregister(name="terminalreporter")
            config.pluginmanager.register(Reporter(real), "terminalreporter")
    """)
    result = project.run_in_own_process(*NO_XDIST, "-p", "no:warnings", "--ultra-model=demo/perfect", *ONE_CASE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["1 planned: 1 scored (1 full, 0 partial, 0 failed), 0 error, 0 skipped"])
