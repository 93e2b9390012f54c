"""The end of a run: failures in a line each, models, comparisons, and what went wrong as a whole; at any width."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.run.project import NO_XDIST, TEN_CASES, Project
from tests.run.test_endpoints import closed_port

TWO_MODELS = ("--ultra-model=demo/perfect,demo/follower", TEN_CASES)
WHOLE = "transcript:"
"""A line of a failure's whole text."""
COUNT_FAILED = """
def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"a plugin sees {len(terminalreporter.stats['failed'])} failures")
"""
OWN_TEST = """
def test_of_the_user():
    assert [WHOLE] == ["another"]
"""


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove what pytest knows a CI job by."""
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    monkeypatch.setenv("CI", "")


@pytest.fixture(params=["", "true"], ids=["local", "ci"])
def in_ci(no_ci: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what pytest knows a CI job by, or not: in one, its short summary prints whole messages."""
    del no_ci
    monkeypatch.setenv("CI", request.param)


def from_summary(result: pytest.RunResult) -> list[str]:
    """Return the lines after pytest's dots."""
    start = max(number for number, line in enumerate(result.outlines) if line.endswith("%]"))
    return result.outlines[start + 1 :]


def named(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith(("FAILED ", "ERROR "))]


@pytest.mark.usefixtures("in_ci")
def test_many_failures_are_named_in_a_line_each_and_reports_have_all(
    project: Project, xdist_on_off: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    project.pytester.makeconftest(COUNT_FAILED)
    result = project.run(*xdist_on_off, *TWO_MODELS, "--junitxml=junit.xml")
    assert result.ret == 1
    result.assert_outcomes(passed=12, failed=8)
    lines = from_summary(result)
    assert len(lines) <= 60 + 2, "besides the other plugins' lines"
    assert WHOLE not in lines
    (heading,) = [number for number, line in enumerate(lines) if "3 of 8 failures" in line]
    listed = [line.split() for line in lines[heading + 1 : heading + 4]]
    assert [words[1] for words in listed] == ["failed"] * 3
    assert len({words[2] for words in listed}) == 3, "they differ in class"
    assert len(named(result)) == 3
    assert "and 5 more of the suite's cases; -v names all" in lines
    assert "a plugin sees 8 failures" in lines
    failures = ET.parse(project.path / "junit.xml").iter("failure")  # noqa: S314 - our own file
    assert [WHOLE in (failure.text or "") for failure in failures] == [True] * 8
    models = next(number for number, line in enumerate(lines) if line.startswith("model "))
    assert [line.split()[0] for line in lines[models + 2 : models + 4]] == ["demo/perfect", "demo/follower"]
    headings = [line for line in lines[models + 4 :] if line in ("demo/perfect", "demo/follower")]
    assert headings == ["demo/perfect", "demo/follower"], "in the order of the command line"
    too_wide = [
        line for line in lines if len(line) > 80 and not line.startswith(("FAILED ", "report: ", "- generated"))
    ]
    assert too_wide == []


def test_the_number_of_whole_texts_can_be_chosen(project: Project) -> None:
    project.pytester.makepyfile(OWN_TEST.replace("WHOLE", '"one"'))
    suite = ("--pyargs", "pytest_ultra.suite", ".")
    chosen = project.run(*NO_XDIST, *suite, *TWO_MODELS, "--ultra-failures=2")
    assert chosen.outlines.count(WHOLE) == 2
    assert len(named(chosen)) == 3, "two of the suite's, and the user's own"
    assert any("test_of_the_user" in line for line in named(chosen))
    assert any("['one'] == ['another']" in line for line in chosen.outlines)
    classes = [line.partition(":")[0] for line in chosen.outlines if line.startswith(("wrong_deliverable:", "tool_"))]
    assert len(classes) == len(set(classes))

    everything = project.run(*NO_XDIST, *suite[:2], *TWO_MODELS, "-v")
    assert everything.outlines.count(WHOLE) == 8
    assert len(named(everything)) == 8
    assert any("resilience" in line for line in everything.outlines)


def test_few_failures_are_shown_whole(project: Project) -> None:
    few = "--ultra-prompt-type=optimal,flawed_tool_misuse,flawed_missing_step"
    result = project.run(*NO_XDIST, "--ultra-model=demo/follower", TEN_CASES, few)
    assert result.outlines.count(WHOLE) == len(named(result)) == 2
    assert not any("more of the suite" in line for line in result.outlines)


@pytest.mark.usefixtures("in_ci")
def test_a_quiet_run_ends_in_few_lines_at_any_width(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert len(from_summary(project.run(*NO_XDIST, *TWO_MODELS, "-q"))) <= 20
    monkeypatch.setenv("COLUMNS", "80")
    quiet = project.run(*NO_XDIST, *TWO_MODELS, "-q", "--ultra-fresh")
    assert len(quiet.outlines) <= 20
    assert named(quiet) == []
    quiet.stdout.fnmatch_lines(
        ["model *success*", "demo/perfect *", "20 planned: *", "report: *", "8 failed, 12 passed*"]
    )


@pytest.mark.parametrize(
    ("args", "most", "others"),
    [(("-q", "-rA"), 3, 5), (("-q", "-rf"), 3, 5), (("-q", "-rE"), 0, 0), (("-rN",), 0, 0), (("-rp",), 0, 0)],
)
def test_the_short_summary_names_what_the_user_chose_by_r(
    project: Project, args: tuple[str, ...], most: int, others: int
) -> None:
    result = project.run(*NO_XDIST, "--ultra-model=demo/follower", TEN_CASES, *args)
    assert len(named(result)) == most
    rest = [line for line in result.outlines if "more of the suite's cases" in line]
    assert rest == ([f"and {others} more of the suite's cases; -v names all"] if others else [])


@pytest.mark.parametrize("args", [("--tb=no",), ("--no-summary",)])
def test_no_failures_are_listed_if_the_user_wants_none(project: Project, args: tuple[str, ...]) -> None:
    result = project.run(*NO_XDIST, *TWO_MODELS, *args)
    assert not any("of 8 failures" in line for line in result.outlines)
    assert len(named(result)) == (3 if args == ("--tb=no",) else 0)
    result.assert_outcomes(passed=12, failed=8)


@pytest.mark.usefixtures("in_ci")
def test_a_cause_of_all_errors_is_said_once_with_its_remedy(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    url = closed_port()
    result = project.run(*NO_XDIST, "--ultra-model=gpt-4o-mini", TEN_CASES, f"--ultra-base-url={url}")
    assert result.ret == 1
    result.assert_outcomes(errors=10)
    lines = from_summary(result)
    text = " ".join(lines)
    assert text.count("refused the connection 3 times") == 1
    assert "gpt-4o-mini: 10 of 10 cases ended in an error: " in text
    assert "check that it is running and that the base URL is right." in text
    assert len(named(result)) == 3
    assert len(lines) <= 30
    assert not any(line.startswith("prompt type") for line in lines), "no row has a figure"


@pytest.mark.usefixtures("in_ci")
def test_a_failure_without_an_episode_keeps_its_text(project: Project) -> None:
    project.pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def ultra_shard():
            raise RuntimeError("the fixture is broken")
    """)
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN_CASES)
    result.assert_outcomes(errors=10)
    assert "and 7 more of the suite's cases; -v names all" in result.outlines
    assert sum(line.startswith("E ") for line in result.outlines) == len(named(result)) == 3
