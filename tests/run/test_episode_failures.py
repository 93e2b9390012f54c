"""Failures in pytest's reports: one line where a line is asked for, the whole text where somebody reads it."""

from __future__ import annotations

import json
import sys
from xml.etree import ElementTree as ET

import pytest

from tests.run.project import Project, shown_failures

TWO_FAILURES = (
    "--ultra-model=demo/follower",
    "--ultra-task-type=simple_task",
    "--ultra-prompt-type=baseline,flawed_missing_step",
)


def test_reports_have_a_line_and_the_whole_text(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    outputs = ("-p", "pytest_reportlog.plugin", "--junit-xml=junit.xml", "--report-log=log.jsonl", "--tb=line")
    result = project.run(*xdist_on_off, *TWO_FAILURES, *outputs)
    lines = [line for line in result.outlines if line.startswith("pytest_ultra/suite/test_workflows.py:")]
    assert len(lines) == 2
    assert all("failed: the job was not done (" in line for line in lines)
    assert "transcript:" not in result.outlines
    failures = list(ET.parse(project.path / "junit.xml").iter("failure"))  # noqa: S314 - our own
    logged = [json.loads(line) for line in (project.path / "log.jsonl").read_text().splitlines()]
    texts = [entry["longrepr"] for entry in logged if entry.get("outcome") == "failed"]
    assert len(failures) == len(texts) == 2
    assert sorted(str(failure.text) for failure in failures) == sorted(texts)
    for failure, text in zip(failures, texts, strict=True):
        assert "\n" not in failure.attrib["message"]
        assert "\ntranscript:\n" in text


def test_a_text_is_as_wide_as_the_terminal_that_shows_it_and_the_same_in_each_file(
    project: Project, xdist_on_off: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    result = project.run(*xdist_on_off, *TWO_FAILURES, "--junit-xml=junit.xml")
    assert 50 < max(map(len, shown_failures(result))) <= 60
    texts = [failure.text or "" for failure in ET.parse(project.path / "junit.xml").iter("failure")]  # noqa: S314 - our own
    assert all(60 < max(map(len, text.splitlines())) <= 100 for text in texts)


def test_a_lost_journal_leaves_the_line(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    project.pytester.makeconftest(
        """
        def pytest_sessionfinish(session):
            if not hasattr(session.config, "workerinput"):
                for journal in (session.config.rootpath / ".ultra/runs").glob("*/journal-*.jsonl"):
                    journal.unlink()
        """
    )
    result = project.run(*xdist_on_off, *TWO_FAILURES)
    result.stdout.fnmatch_lines(["failed: the job was not done (*)", "the transcript cannot be read: *No such file*"])


def test_a_worker_makes_no_texts_for_its_own_terminal_which_nobody_sees(project: Project) -> None:
    project.pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(tryfirst=True, wrapper=True)
        def pytest_terminal_summary(terminalreporter, config):
            if not hasattr(config, "workerinput"):
                return (yield)
            with open("worker.txt", "w") as file:
                config.get_terminal_writer()._file = file
                file.write("here pytest prints what a worker's terminal shows")
                return (yield)
        """
    )
    result = project.run("-n1", *TWO_FAILURES, "--ultra-failures=2")
    assert result.stdout.str().count("\ntranscript:\n") == 2
    shown = (project.path / "worker.txt").read_text()
    assert shown.startswith("here pytest prints")
    assert "transcript:" not in shown


def test_a_caught_failure_has_the_whole_text(project: Project) -> None:
    project.pytester.makepyfile(
        """
        import pytest

        def test_it(ultra_episode):
            with pytest.raises(pytest.fail.Exception, match="transcript:"):
                ultra_episode.assert_passed()
        """
    )
    result = project.run("-p", "no:xdist", *TWO_FAILURES)
    result.assert_outcomes(passed=2)


def test_a_debugger_stops_at_a_failure(project: Project) -> None:
    result = project.pytester.run(
        "sh", "-c", f"echo q | {sys.executable} -m pytest -p no:cacheprovider --pdb {' '.join(TWO_FAILURES)}"
    )
    result.stdout.fnmatch_lines(["transcript:", "*entering PDB*", "-> ultra_episode.assert_passed()"])
