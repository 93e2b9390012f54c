"""Reports for CI: JUnit properties, the fields of pytest-html and pytest-reportlog, and the Markdown summary."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from pytest_ultra.core.case import Versions
from tests import independent, independent_words
from tests.run import slow_imports  # noqa: F401 - for speed
from tests.run.project import ONE_CASE, TEN_CASES, Project

MIXTURE = "--ultra-model=demo"
JENKINS_SCHEMA = Path(__file__).with_name("junit-10.xsd")
"""The newest schema of Jenkins' xUnit plugin (https://github.com/jenkinsci/xunit-plugin, MIT licence)."""
FOLLOWER = "--ultra-model=demo/follower"


@pytest.fixture(autouse=True)
def _with_report_plugins(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    del project  # whose PYTEST_ADDOPTS leaves these plugins out
    monkeypatch.delenv("PYTEST_ADDOPTS")


def properties(node: ET.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.attrib["value"] for each in node.findall("properties/property")}


def properties_in_output(node: ET.Element) -> dict[str, str]:
    return dict(re.findall(r"^\[\[PROPERTY\|(\w+)=(.*)\]\]$", node.findtext("system-out", ""), re.MULTILINE))


def read_junit(path: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the properties of the suite, and those of each test. The file must be valid for Jenkins' xUnit plugin."""
    xmlschema.validate(path, JENKINS_SCHEMA)
    suite = ET.parse(path).getroot()[0]  # noqa: S314 - our own file
    return properties(suite), [properties_in_output(case) for case in suite.findall("testcase")]


def read_html(path: Path) -> dict[str, Any]:
    blob = re.search(r'data-jsonblob="([^"]*)"', path.read_text())
    assert blob is not None
    content: dict[str, Any] = json.loads(html.unescape(blob[1]))
    return content


def test_each_report_covers_each_case_and_the_run(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    """All reports agree with the JSON document, which is computed from the journals."""
    reports = ("--junitxml=junit.xml", "--html=report.html", "--report-log=log.jsonl")
    result = project.run(*xdist_on_off, MIXTURE, TEN_CASES, "--ultra-price=demo=1,4", *reports)
    assert result.ret == 1
    episodes = {episode["case_id"]: episode for episode in project.episodes()}

    suite, tests = read_junit(project.path / "junit.xml")
    run = project.document()["run"]
    assert (suite["ultra_run"], suite["ultra_seed"]) == (run["run_id"], "0")
    assert suite["ultra_versions"] == str(Versions())
    outcomes = Counter(episode["outcome"] for episode in episodes.values())
    assert {name: int(suite[f"ultra_{name}"]) for name in outcomes} == outcomes
    assert (suite["ultra_planned"], suite["ultra_scored"], suite["ultra_error"]) == ("10", "10", "0")
    for episode in episodes.values():
        share = f"{float(episode['outcome'] == 'full'):.4f} ({int(episode['outcome'] == 'full')}/1, "
        assert suite[f"ultra_success[demo, {episode['prompt_type']}]"].startswith(share)

    assert [test["ultra_case_id"] for test in tests] != []
    for test in tests:
        assert test == expected(episodes[test["ultra_case_id"]])
    logged = [json.loads(line) for line in (project.path / "log.jsonl").read_text().splitlines()]
    called = [entry for entry in logged if entry.get("when") == "call"]
    assert [dict(entry["user_properties"]) for entry in called] == [
        expected(episodes[dict(entry["user_properties"])["ultra_case_id"]]) for entry in called
    ]
    assert len(tests) == len(called) == 10

    rows = [row for (row,) in read_html(project.path / "report.html")["tests"].values()]
    shown = {tuple(re.sub("<.*?>", "", cell) for cell in row["resultsTableRow"][2:6]) for row in rows}
    names = ("model", "prompt_type", "outcome", "failure_class")
    assert shown == {tuple(episode[name] or "" for name in names) for episode in episodes.values()}
    assert re.search(r"<p>pytest-ultra: 10 planned: 10 scored \(\d full, ", (project.path / "report.html").read_text())


def test_the_summary_agrees_with_an_independent_computation_from_the_journals(project: Project) -> None:
    project.pytester.runpytest(
        "-n0", "--ultra-model=demo,demo/follower", TEN_CASES, "--ultra-instances=2", "--ultra-markdown=summary.md"
    )
    text = (project.path / "summary.md").read_text()
    shown = {tuple(cells[:2]): cells for cells in table_rows(text)}
    (run,) = project.runs()
    for row in independent.rows(independent.read_journals(run)):
        cells = shown[row["model"], row["prompt_type"].replace("_", "\\_")]
        rate, difference = row["success"], row["difference"]
        share, low, high = (100 * value for value in (rate["successes"] / rate["n"], rate["low"], rate["high"]))
        assert cells[2:5] == [f"{share:.1f}%", f"{low:.1f}-{high:.1f}", str(rate["n"])]
        if difference is None:
            assert cells[5:10] == ["-"] * 5
        else:
            low, high = (f"{100 * difference[end] + 0.0:+.1f}" for end in ("low", "high"))
            points = 100 * (difference["won"] - difference["lost"]) / difference["pairs"]
            is_too_small = independent_words.is_too_small(difference)
            assert cells[5:7] == [f"{points:+.1f}", "-" if is_too_small else f"{low}..{high}"]
            assert cells[8:10] == ["too few" if is_too_small else difference["evidence"], str(difference["pairs"])]
        assert cells[10:12] == [f"{row['mean_calls']:.1f}", f"{row['mean_tokens']:,.0f}"]
    counts = independent.counts(independent.read_journals(run))
    counts_text = "{full} full, {partial} partial, {failed} failed), {error} error, {skipped} skipped".format(**counts)
    assert f"**40 planned: 40 scored ({counts_text}**" in text


def table_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| demo")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def expected(episode: dict[str, Any]) -> dict[str, str]:
    names = ("case_id", "model", "prompt_type", "task_type", "difficulty", "severity", "outcome", "failure_class")
    properties = {f"ultra_{name}": episode[name] for name in names} | {"ultra_visibility": episode["proved_visibility"]}
    properties["ultra_duration_s"] = f"{episode['duration_s']:.3f}"
    properties["ultra_tokens"] = str(episode["prompt_tokens"] + episode["completion_tokens"])
    properties["ultra_cost"] = None if episode["cost"] is None else str(episode["cost"])
    return {name: value for name, value in properties.items() if value is not None}


def test_a_hostile_model_name_is_escaped_in_all_reports(project: Project) -> None:
    """The endpoint is unreachable, so the reports also show an error."""
    name = "<script>alert(1)</script>\x1b[31m"
    reports = ("--junitxml=junit.xml", "--html=report.html", "--ultra-markdown=summary.md")
    model = (f"--ultra-model={name}", "--ultra-base-url=http://127.0.0.1:9")
    result = project.pytester.runpytest("-n0", *model, *ONE_CASE, *reports)
    assert result.ret == 1
    _, (test,) = read_junit(project.path / "junit.xml")
    assert (test["ultra_model"], test["ultra_outcome"]) == ("<script>alert(1)</script>\\x1b[31m", "error")
    ((row,),) = read_html(project.path / "report.html")["tests"].values()
    assert row["resultsTableRow"][2] == "<td>&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m</td>"
    assert "<script" not in (project.path / "summary.md").read_text()


def test_a_test_without_a_case_has_empty_cells(project: Project) -> None:
    project.pytester.makepyfile("def test_plain(): pass")
    project.pytester.runpytest("-n0", MIXTURE, *ONE_CASE, "--html=report.html", "--junitxml=junit.xml")
    tests = read_html(project.path / "report.html")["tests"]
    (row,) = next(rows for nodeid, rows in tests.items() if "test_plain" in nodeid)
    assert row["resultsTableRow"][2:6] == ["<td></td>"] * 4
    assert {} in read_junit(project.path / "junit.xml")[1]


def test_a_summary_is_written_to_its_file_and_appended_to_the_github_step_summary(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = project.path / "step.md"
    step.write_text("# Built\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    gates = ("--ultra-fail-under=0.9", "--ultra-gate-on=rate")
    result = project.pytester.runpytest("-n2", FOLLOWER, TEN_CASES, *gates, "--ultra-markdown=summary.md")
    assert result.ret == 1
    text = (project.path / "summary.md").read_text()
    assert text.startswith("## pytest-ultra: 1 of 2 gates missed: exit code 1\n")
    missed = r"\| fail-under 0\.9 \| \d of 10 full, \d0\.0%, 95% interval [\d.-]+, at least 90\.0% \| \*\*MISSED\*\* \|"
    assert re.search(missed, text)
    assert step.read_text() == "# Built\n" + text


def test_a_summary_stays_within_the_size_limit_of_github(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    step = project.path / "step.md"
    step.write_bytes(b"x" * (1024 * 1024 - 500))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    project.pytester.runpytest("-n0", MIXTURE, TEN_CASES, "--ultra-markdown=summary.md")
    assert 0 < 1024 * 1024 - step.stat().st_size < 500
    assert step.read_text().endswith("*The summary was cut here because it exceeds the size limit.*\n")
    assert len((project.path / "summary.md").read_text()) > 1000


def test_a_summary_that_cannot_be_written_is_reported_and_does_not_fail_the_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path))
    result = project.pytester.runpytest("-n0", "--ultra-model=demo/perfect", *ONE_CASE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["the summary of the GitHub step was not written (is a directory)"])


def test_outputs_make_missing_folders(project: Project) -> None:
    outputs = ("--ultra-markdown=a/b/summary.md", "--ultra-json=c/d/out.json", "--ultra-html=e/report.html")
    result = project.pytester.runpytest("-n0", "--ultra-model=demo/perfect", *ONE_CASE, *outputs)
    assert result.ret == 0
    assert [
        path for path in ("a/b/summary.md", "c/d/out.json", "e/report.html") if not (project.path / path).is_file()
    ] == []


def test_a_rerun_replaces_the_properties_of_the_test(project: Project) -> None:
    junit = ("--junitxml=junit.xml", "--ultra-junit-properties=testcase")
    project.pytester.runpytest("-n0", "--ultra-model=demo/null", *ONE_CASE, "--reruns=1", *junit)
    for case in ET.parse(project.path / "junit.xml").getroot().iter("testcase"):  # noqa: S314 - our own file
        names = [each.attrib["name"] for each in case.iter("property")]
        assert sorted(set(names)) == sorted(names)
        assert "ultra_outcome" in names


RECORDING_TEST = """
    def test_mine(ultra_episode, record_property):
        record_property("mark", 3)
        record_property("note", ultra_episode.case.prompt_type)
"""


def test_what_a_test_records_is_in_the_document_and_in_junits_report(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    """The user's own properties stay where pytest puts them, which is outside the schema."""
    project.pytester.makepyfile(RECORDING_TEST)
    args = ("--ultra-model=demo/perfect", *ONE_CASE, "-o", "junit_family=xunit2", "-W", "ignore")
    project.run(*xdist_on_off, *args, "--junitxml=junit.xml")
    (episode,) = project.episodes()
    assert episode["properties"] == {"mark": 3, "note": "optimal"}
    (case,) = ET.parse(project.path / "junit.xml").getroot().iter("testcase")  # noqa: S314 - our own file
    assert properties(case).keys() == {"mark", "note"}
    assert properties_in_output(case)["ultra_outcome"] == "full"


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (("-o", "junit_family=xunit1"), properties),
        (("--ultra-junit-properties=testcase",), properties),
        (("--ultra-junit-properties=output", "-o", "junit_family=xunit1"), properties_in_output),
        (("--ultra-junit-properties=off",), None),
    ],
    ids=["xunit1", "testcase", "output", "off"],
)
def test_the_properties_of_a_case_are_where_the_user_wants_them(
    project: Project, options: tuple[str, ...], place: Callable[[ET.Element], dict[str, str]] | None
) -> None:
    output = ("-o", "junit_logging=all", "-o", "junit_log_passing_tests=true")
    project.run("-n0", "--ultra-model=demo/perfect", *ONE_CASE, "--junitxml=junit.xml", *options, *output)
    (case,) = ET.parse(project.path / "junit.xml").getroot().iter("testcase")  # noqa: S314 - our own file
    found = {each: "ultra_outcome" in each(case) for each in (properties, properties_in_output)}
    assert found == {each: each is place for each in found}
    assert len(case.findall("system-out")) == 1
