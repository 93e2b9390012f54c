"""Collection of the built-in suite and of a user's own tests, and all ways of selecting among them."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_ultra

Collect = Callable[..., list[str]]

SUITE = "pytest_ultra/suite/test_workflows.py"
ONE = f"{SUITE}::test_workflow[gpt-4o-mini-optimal-simple_task-easy-0]"
INSTALLED = str(Path(pytest_ultra.__file__).parents[1] / SUITE)
MINE = """
    def test_mine(ultra_episode): pass
    def test_plain(): pass
"""


def test_the_suite_is_collected_without_any_test_file(collect: Collect) -> None:
    nodeids = collect()
    assert len(nodeids) == 50
    assert all(nodeid.startswith(f"{SUITE}::test_workflow[gpt-4o-mini-") for nodeid in nodeids)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_garbage_is_collected_as_before_once_the_suite_is(collect: Collect, *, is_enabled: bool) -> None:
    if not is_enabled:
        gc.disable()
    try:
        collect()
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable()


@pytest.mark.parametrize("path", [".", "{0}", "tests", "{0}/tests"])
def test_the_suite_is_collected_with_paths_as_broad_as_the_project(
    collect: Collect, pytester: pytest.Pytester, path: str
) -> None:
    pytester.makeini("[pytest]\ntestpaths = tests")
    pytester.mkdir("tests")
    assert len(collect(path.format(pytester.path))) == 50


def test_the_suite_is_collected_with_testpaths(collect: Collect, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ntestpaths = tests")
    pytester.mkdir("tests").joinpath("test_plain.py").write_text("def test_plain(): pass")
    assert len(collect()) == 51


@pytest.mark.parametrize("path", ["below", "below/test_plain.py", "below/test_plain.py::test_plain"])
def test_the_suite_is_not_collected_with_a_narrower_path(
    collect: Collect, pytester: pytest.Pytester, path: str
) -> None:
    pytester.mkdir("below").joinpath("test_plain.py").write_text("def test_plain(): pass")
    assert collect(path) == ["below/test_plain.py::test_plain"]


def test_a_users_own_test_replaces_the_suite(collect: Collect, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own=MINE)
    nodeids = collect()
    assert len(nodeids) == 51
    assert "test_own.py::test_mine[gpt-4o-mini-optimal-simple_task-easy-0]" in nodeids
    assert not any(nodeid.startswith(SUITE) for nodeid in nodeids)


def test_a_test_that_uses_the_episode_through_another_fixture_is_parametrized_too(
    collect: Collect, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_own="""
        import pytest

        @pytest.fixture
        def episode(ultra_episode): return ultra_episode

        @pytest.mark.parametrize("metric", ["calls", "tokens"])
        def test_mine(episode, metric): pass
        """
    )
    nodeids = collect("--ultra-prompt-type=optimal", "--ultra-task-type=simple_task")
    assert len(nodeids) == 2
    assert all("gpt-4o-mini-optimal-simple_task-easy-0" in nodeid for nodeid in nodeids)


@pytest.mark.parametrize("prefix", ["", "./", "/somewhere/else/", "{installed}", "C:\\venv\\"])
def test_a_node_id_is_accepted_after_any_path(collect: Collect, prefix: str) -> None:
    path = ONE if prefix != "{installed}" else INSTALLED + ONE.removeprefix(SUITE)
    assert collect(path if prefix == "{installed}" else prefix + path) == [ONE]


def test_several_node_ids_select_several(collect: Collect) -> None:
    two = [ONE, ONE.replace("simple", "basic")]
    assert collect(*two) == two


@pytest.mark.parametrize("path", [SUITE, f"{SUITE}::test_workflow", "pytest_ultra/suite/"])
def test_the_suite_can_be_named_together_with_a_users_own_tests(
    collect: Collect, pytester: pytest.Pytester, path: str
) -> None:
    pytester.makepyfile(test_own=MINE)
    assert len(collect(path)) == 50
    assert len(collect(path, "test_own.py")) == 101


@pytest.mark.parametrize("module", ["pytest_ultra.suite", "pytest_ultra.suite.test_workflows"])
def test_the_suite_can_be_named_as_a_module(collect: Collect, module: str) -> None:
    assert len(collect("--pyargs", module)) == 50
    assert collect("--pyargs", module.removesuffix(".test_workflows") + ".test_workflows::" + ONE.split("::")[1]) == [
        ONE
    ]


@pytest.mark.parametrize("bad", [ONE.replace("optimal", "optimum"), f"{SUITE}::test_other"])
def test_an_unknown_node_id_is_a_usage_error(pytester: pytest.Pytester, way: tuple[str, ...], bad: str) -> None:
    result = pytester.runpytest(*way, "--ultra-model=gpt-4o-mini", bad)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    expected = (
        f"ERROR: not found: {bad}: it is not one of the 50 cases that the --ultra options select, such as "
        f"{SUITE}::test_workflow[gpt-4o-mini-baseline-simple_task-easy-0]; "
        "add the options that it needs, or see --collect-only"
    )
    assert expected in result.errlines


@pytest.mark.parametrize(
    ("args", "count"),
    [
        (("-k", "optimal and simple_task"), 1),
        (("-k", "test_workflow[gpt-4o-mini-optimal"), 5),
        (("-m", "ultra(prompt_type='optimal')"), 5),
        (("-m", "ultra(difficulty='easy', tool_success_rate='0.8', instance=0, severity=None)"), 15),
        (("-m", "ultra(severity='severe')"), 35),
        (("-m", "ultra(prompt_variant='brief')", "--ultra-prompt-variant=all"), 50),
        (("-m", "ultra(flaws=2)", "--ultra-flaws-per-case=2"), 35),
        (("-m", "ultra(tool_protocol='text', tool_discovery=True)", "--ultra-tool-protocol=text"), 0),
        (("-m", "ultra(tool_discovery=True)", "--ultra-tool-discovery=on"), 50),
        (("--deselect", ONE), 49),
        (("--deselect", SUITE), 0),
        (("--import-mode=importlib",), 50),
        (("-p", "no:cacheprovider"), 50),
    ],
)
def test_pytests_own_selection_works(collect: Collect, args: tuple[str, ...], count: int) -> None:
    assert len(collect(*args)) == count


def test_ini_keys_for_names_of_tests_do_not_hide_the_suite(collect: Collect, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npython_files = check_*.py\npython_functions = check_*")
    assert len(collect()) == 50


def test_items_look_like_any_parametrized_function(pytester: pytest.Pytester) -> None:
    items, _ = pytester.inline_genitems("-p", "no:xdist", "--ultra-model=gpt-4o-mini", ONE)
    (item,) = items
    assert isinstance(item, pytest.Function)
    assert item.originalname == "test_workflow"
    assert item.callspec.id == "gpt-4o-mini-optimal-simple_task-easy-0"
    assert item.path == Path(INSTALLED)
    assert item.location[0] == SUITE
    assert item.get_closest_marker("ultra").kwargs == {  # type: ignore[union-attr] # it has the marker
        "model": "gpt-4o-mini",
        "prompt_type": "optimal",
        "task_type": "simple_task",
        "difficulty": "easy",
        "severity": None,
        "prompt_variant": "standard",
        "tool_protocol": "native",
        "tool_discovery": False,
        "flaws": 1,
        "flaw_visibility": None,
        "tool_success_rate": "0.8",
        "fault_kind": "transient",
        "instance": 0,
        "repeat": 0,
    }


def test_collect_only_writes_nothing(collect: Collect, pytester: pytest.Pytester) -> None:
    assert len(collect("-p", "no:cacheprovider")) == 50
    assert not (pytester.path / ".ultra").exists()


FAILING = """
    import pytest

    @pytest.fixture
    def ultra_episode(request):
        case = request.param
        class Episode:
            def assert_passed(self):
                assert case.prompt_type != "flawed_missing_step"
        return Episode()
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project in which five cases of one flaw fail, and one test of the user."""
    pytester.makeconftest(FAILING)
    pytester.makepyfile(test_plain="def test_bad(): assert False\ndef test_good(): pass")
    return pytester


def test_last_failed_runs_the_failures_of_the_suite_and_of_other_tests(
    project: pytest.Pytester, way_on_off: tuple[str, ...]
) -> None:
    args = (*way_on_off, "--ultra-model=gpt-4o-mini")
    project.runpytest(*args).assert_outcomes(passed=46, failed=6)
    project.runpytest(*args, "--lf").assert_outcomes(failed=6)


def test_failed_first_runs_failures_first(project: pytest.Pytester) -> None:
    args = ("-p", "no:xdist", "--ultra-model=gpt-4o-mini", "-v")
    project.runpytest(*args)
    lines = [line for line in project.runpytest(*args, "--ff").outlines if "::" in line and "%]" in line]
    assert ["FAILED" in line for line in lines] == [True] * 6 + [False] * 46
    assert not any("<-" in line for line in lines), "the place of installation is not shown"


def test_stepwise_continues_where_it_stopped(project: pytest.Pytester) -> None:
    project.path.joinpath("test_plain.py").unlink()
    args = ("-p", "no:xdist", "--ultra-model=gpt-4o-mini", "--sw")
    project.runpytest(*args).assert_outcomes(passed=6, failed=1)
    project.runpytest(*args, "--sw-skip").assert_outcomes(passed=9, failed=2, deselected=6)


def test_junit_names_each_case(project: pytest.Pytester, way_on_off: tuple[str, ...]) -> None:
    project.runpytest(*way_on_off, "--ultra-model=gpt-4o-mini", "--junitxml=junit.xml", ONE).assert_outcomes(passed=1)
    text = project.path.joinpath("junit.xml").read_text()
    assert 'classname="pytest_ultra.suite.test_workflows"' in text
    assert 'name="test_workflow[gpt-4o-mini-optimal-simple_task-easy-0]"' in text
