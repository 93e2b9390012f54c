"""Every run leaves a report and says where; one that cannot be written is said, and costs nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.running import ONE, TEN, Project

ULTRA = "--ultra-model=demo/perfect"


def reports(project: Project) -> list[str]:
    return sorted(str(path.relative_to(project.path)) for path in project.path.rglob("*.html"))


def test_every_run_leaves_a_report_and_says_where(project: Project, way: tuple[str, ...]) -> None:
    result = project.run(*way, ULTRA, TEN)
    assert result.ret == 0
    (report,) = reports(project)
    assert Path(report).parts[:2] == (".ultra", "runs")
    result.stdout.fnmatch_lines([f"report: {report}"])
    page = (project.path / report).read_text(encoding="utf-8")
    assert "demo/perfect" in page
    assert "10 full of 10 scored" in page
    assert " --ultra-json=out.json -" in page


def test_the_report_lies_where_the_user_wants_it(project: Project) -> None:
    (project.path / "site").mkdir()
    project.run(ULTRA, *ONE, "--ultra-html=site/results.html")
    assert reports(project) == ["site/results.html"]


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_paid_for(project: Project) -> None:
    (project.path / "taken").write_text("a file")
    result = project.run(ULTRA, *ONE, "--ultra-html=taken/report.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--ultra-html: *taken*"])
    assert project.lives() == []


def test_a_report_that_cannot_be_written_costs_nothing_else(project: Project) -> None:
    project.pytester.makeconftest(
        """
        import pathlib
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_sessionstart(session):
            result = yield
            pathlib.Path("there").mkdir()  # where the report should go, after it was checked
            return result
        """
    )
    result = project.run("-p", "no:xdist", ULTRA, *ONE, "--ultra-html=there")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["report: not written to there (is a directory); the results are safe, and `pytest-ultra report` writes it *"]
    )
    assert [episode["outcome"] for episode in project.episodes()] == ["full"]


def test_a_run_without_cases_leaves_no_report(project: Project) -> None:
    result = project.run(ULTRA, "-k", "nothing_is_called_so")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert reports(project) == []
    result.stdout.no_fnmatch_line("report: *")
