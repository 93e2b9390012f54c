"""Each run writes a report and prints its path; a report that cannot be written does not fail the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, Project

ULTRA = "--ultra-model=demo/perfect"


def reports(project: Project) -> list[str]:
    return sorted(str(path.relative_to(project.path)) for path in project.path.rglob("*.html"))


def test_each_run_writes_a_report_and_prints_its_path(project: Project, xdist_mode: tuple[str, ...]) -> None:
    result = project.run(*xdist_mode, ULTRA, TEN_CASES)
    assert result.ret == 0
    (report,) = reports(project)
    assert Path(report).parts[:2] == (".ultra", "runs")
    result.stdout.fnmatch_lines([f"report: {report}"])
    page = (project.path / report).read_text(encoding="utf-8")
    assert "demo/perfect" in page
    assert "10 of 10 full" in page
    assert " --ultra-json=out.json -" in page


def test_the_report_is_written_to_the_requested_path(project: Project) -> None:
    project.run(ULTRA, *ONE_CASE, "--ultra-html=site/results.html")
    assert reports(project) == ["site/results.html"]


def test_an_unwritable_report_path_is_a_usage_error_before_any_request(project: Project) -> None:
    (project.path / "taken").write_text("a file")
    result = project.run(ULTRA, *ONE_CASE, "--ultra-html=taken/report.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--ultra-html: *taken*"])
    assert project.journaled_episodes() == []


def test_a_report_that_cannot_be_written_does_not_fail_the_run(project: Project) -> None:
    project.pytester.makeconftest(
        """
        import pathlib
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_sessionstart(session):
            result = yield
            pathlib.Path("there").mkdir()  # at the report's path, after the path was checked
            return result
        """
    )
    result = project.run("-p", "no:xdist", ULTRA, *ONE_CASE, "--ultra-html=there")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["report: not written to there (is a directory); the results are safe, and `pytest-ultra report` writes it *"]
    )
    assert [episode["outcome"] for episode in project.episodes()] == ["full"]


def test_a_run_without_cases_writes_no_report_and_says_so(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = project.run(*xdist_on_off, ULTRA, "-k", "nothing_is_called_so")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert (project.runs(), reports(project)) == ([], [])
    result.stdout.fnmatch_lines(["ultra: no test of these * cases is selected"])
    for start in ("report: ", "ultra: kept in "):
        result.stdout.no_fnmatch_line(f"{start}*")


def test_a_part_of_the_cases_is_said_to_be_one(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = project.run(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES, "-k", "optimal")
    result.stdout.fnmatch_lines(["ultra: 1 of 10 cases selected, kept in .ultra/runs/*"])


def test_the_name_of_a_directory_is_no_command_to_a_terminal_or_to_github(project: Project) -> None:
    hostile = "\x1b[2J\n::error::x ##[add-mask]y"
    args = (f"--ultra-dir={hostile}/runs", f"--ultra-cassette-dir={hostile}/cassettes", "--ultra-cassette=record")
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", *ONE_CASE, *args)
    output = result.stdout.str() + result.stderr.str()
    assert result.ret == 0
    for start in ("ultra: kept in ", "answers in ", "report: "):
        assert start + r"\x1b[2J\n\x3a:error::x \x23#[add-mask]y/" in output
    assert "\x1b[2J" not in output
    assert "##[" not in output
    assert "\n::" not in output
