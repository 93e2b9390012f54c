"""Without `--ultra-model`, the installed plugin costs nothing and writes nothing."""

from __future__ import annotations

import pytest

from pytest_ultra.collection.builtin_suite import SUITE_PATH

REPORT_MODULES = """
    import sys

    before = set(sys.modules)

    def pytest_unconfigure(config):
        print("\\nIMPORTED", *sorted(name for name in sys.modules if name.startswith("pytest_ultra")))
        heavy = {"msgspec", "filelock", "jsonschema_rs", "aiohttp"}
        if sys.version_info < (3, 14):  # from then on, pytest imports it, for pdb
            heavy.add("asyncio")
        print("HEAVY", *sorted(set(sys.modules) & heavy))
"""

HEAVY_MODULES = (
    "pytest_ultra.collection",
    "pytest_ultra.engine",
    "pytest_ultra.options.option_parsers",
    "pytest_ultra.options.settings",
)

PYTESTERS_OWN = ("stdout", "stderr", "runpytest-0", "runpytest-current")


def test_nothing_heavy_is_imported_nothing_written_nothing_printed(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(REPORT_MODULES)
    pytester.makepyfile("def test_plain(): pass")
    before = {path.name for path in pytester.path.iterdir()}
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["HEAVY"])
    imported = next(line for line in result.outlines if line.startswith("IMPORTED")).split()[1:]
    assert "pytest_ultra.plugin" in imported
    assert not any(name.startswith(HEAVY_MODULES) for name in imported)
    assert not any(
        "ultra" in line for line in result.outlines if not line.startswith(("IMPORTED", "plugins:", "rootdir:"))
    )
    assert {path.name for path in pytester.path.iterdir()} - before <= {"__pycache__", *PYTESTERS_OWN}


def test_a_test_that_uses_the_fixture_is_skipped_when_no_model_is_named(
    pytester: pytest.Pytester, way: tuple[str, ...]
) -> None:
    pytester.makepyfile("def test_mine(ultra_episode): assert False")
    result = pytester.runpytest(*way, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        "SKIPPED * no model is named: add --ultra-model NAME (demo needs no key), or --ultra-agent MODULE:ATTR"
    )


def test_the_marker_is_known(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--markers")
    result.stdout.fnmatch_lines("@pytest.mark.ultra(model, prompt_type, *")


def test_a_test_that_uses_the_fixture_fails_without_a_model_if_one_is_required(
    pytester: pytest.Pytester, way: tuple[str, ...]
) -> None:
    pytester.makeini("[pytest]\nultra_require = yes")
    pytester.makepyfile("def test_mine(ultra_episode): assert False\ndef test_plain(): pass")
    result = pytester.runpytest(*way)
    result.assert_outcomes(errors=1, passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines("--ultra-require: no model is named: add --ultra-model NAME (demo needs no key), *")


def test_an_option_that_is_typed_without_a_model_says_what_is_missing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_plain(): pass")
    result = pytester.runpytest("--ultra-prompt-type=optimal")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        "ERROR: --ultra-prompt-type: no model is named; add --ultra-model NAME (demo needs no key), or --ultra-agent *"
    )
    pytester.makeini("[pytest]\naddopts = --ultra-prompt-type=optimal\nultra_severity = light")
    pytester.runpytest().assert_outcomes(passed=1)


def test_a_case_that_is_named_without_a_model_says_what_is_missing(pytester: pytest.Pytester) -> None:
    """As an IDE names it, if pytest does not find the project's ini file from there."""
    result = pytester.runpytest(f"{SUITE_PATH}::test_workflow[demo-optimal-simple_task-easy-0]")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        "ERROR: not found: *easy-0]: no model is named, so there are no cases; add the --ultra *"
    )
