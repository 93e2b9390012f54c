"""JUnit, Markdown, JSON lines, CSV and Parquet of a real run agree with an independent computation."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from pyarrow import parquet

from pytest_ultra.commands.cli import main
from pytest_ultra.core.episode import Episode
from tests import independent, independent_words
from tests.results_factory import DERIVED_FIELDS
from tests.run.project import Project

OPTIONS = (
    "--ultra-model=demo,demo/stubborn",
    "--ultra-prompt-type=optimal,flawed_tool_misuse,flawed_redundant_operations",
    "--ultra-task-type=simple_task,data_pipeline",
    "--ultra-instances=2",
)


class RunOutput(NamedTuple):
    """A run's project directory, its episodes by node id, and its figures by the independent computation."""

    folder: Path
    episodes: dict[str, dict[str, Any]]
    summary: dict[str, Any]


def identify(episode: dict[str, Any]) -> str:
    return msgspec.convert(episode, Episode).case_id


@pytest.fixture
def output(project: Project, monkeypatch: pytest.MonkeyPatch) -> RunOutput:
    monkeypatch.chdir(project.path)
    project.run(
        "-n2", *OPTIONS, "--junitxml=junit.xml", "--ultra-junit-properties=testcase", "--ultra-markdown=summary.md"
    )
    (run,) = project.runs()
    episodes = independent.read_journals(run)
    assert len(episodes) == 24
    return RunOutput(project.path, {e["nodeid"]: e for e in episodes}, independent.summary(episodes, identify))


def flat(episode: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that the row of an episode must have, from its journal line."""
    own = {
        name: value for name, value in episode.items() if name not in ("case", "score", "usage", "transcript", "plan")
    }
    return {**own, **episode["case"], **episode["score"], **episode["usage"], "case_id": identify(episode)}


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def export(form: str, path: Path) -> Path:
    assert main(["export", "--format", form, "-o", str(path)]) == 0
    return path


def check_formats(output: RunOutput) -> None:
    """Check each row of each format against the journals; `flaw_kind` is derived from the prompt type."""
    lines = [json.loads(line) for line in export("jsonl", output.folder / "rows.jsonl").read_text().splitlines()]
    table: list[dict[str, Any]] = parquet.read_table(export("parquet", output.folder / "rows.parquet")).to_pylist()
    with export("csv", output.folder / "rows.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    assert len(lines) == len(table) == len(cells) == len(output.episodes)
    for line, record, row in zip(lines, table, cells, strict=True):
        expected = flat(output.episodes[line["nodeid"]])
        assert {name: line[name] for name in expected} == expected
        assert line["flaw_kind"] == (expected["prompt_type"].partition("flawed_")[2] or None)
        assert set(line) == {*expected, "flaw_kind", "run_id", *DERIVED_FIELDS}
        assert line["control_case_id"] == (line["flaw_kind"] and find_control(lines, line)["case_id"])
        assert datetime.fromisoformat(line["started_at_utc"]).timestamp() == pytest.approx(line["started_at"], abs=1e-3)
        assert record == line
        assert {name: as_cell(value) for name, value in line.items()} == row


def find_control(lines: list[dict[str, Any]], flawed: dict[str, Any]) -> dict[str, Any]:
    same = ("model", "task_type", "difficulty", "instance", "repeat", "seed", "tool_success_rate")
    (found,) = (line for line in lines if line["prompt_type"] == "optimal" and all(line[n] == flawed[n] for n in same))
    return found


def as_cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_junit(output: RunOutput) -> None:
    (suite,) = ET.parse(output.folder / "junit.xml").getroot()  # noqa: S314 - written by the run above
    shown = {each.attrib["name"]: each.attrib["value"] for each in suite.findall("./properties/property")}
    for name, count in output.summary["counts"].items():
        assert shown[f"ultra_{name}"] == f"{count}"
    assert shown["ultra_planned"] == shown["ultra_scored"] == f"{len(output.episodes)}"
    for row in output.summary["rows"]:
        rate = row["success"]
        interval = f"{rate['low']:.4f}-{rate['high']:.4f}"
        share = f"{rate['successes'] / rate['n']:.4f} ({rate['successes']}/{rate['n']}, 95% interval {interval})"
        assert shown[f"ultra_success[{row['model']}, {row['prompt_type']}]"] == share
    for case in suite.findall("testcase"):
        properties = {each.attrib["name"]: each.attrib["value"] for each in case.findall("./properties/property")}
        episode = next(e for e in output.episodes.values() if identify(e) == properties["ultra_case_id"])
        assert properties["ultra_outcome"] == episode["score"]["outcome"]
        assert properties.get("ultra_failure_class") == episode["score"]["failure_class"]


def read_tables(markdown: str) -> Iterator[list[str]]:
    for line in markdown.splitlines():
        if line.startswith("|") and "--" not in line:
            yield [re.sub(r"\\(.)", r"\1", cell.strip()) for cell in line.strip("|").split("|")]


def check_markdown(output: RunOutput) -> None:
    text = (output.folder / "summary.md").read_text(encoding="utf-8")
    found = {(row[0], row[1]): row[2:] for row in read_tables(text)}
    for row in output.summary["rows"]:
        rate, difference = row["success"], row["difference"]
        success, interval, n, *rest = found[row["model"], row["prompt_type"]]
        points, difference_interval, p, verdict, pairs, *_ = rest
        assert success == f"{percent(rate['successes'] / rate['n'])}%"
        assert interval == f"{percent(rate['low'])}-{percent(rate['high'])}"
        assert n == f"{rate['n']}"
        if difference is None:
            assert points == difference_interval == p == verdict == pairs == "-"
            continue
        assert points == f"{100 * (difference['won'] - difference['lost']) / difference['pairs']:+.1f}"
        assert pairs == f"{difference['pairs']}"
        if independent_words.is_too_small(difference):
            assert (difference_interval, p, verdict) == ("-", "-", "too few")
            continue
        assert difference_interval == f"{100 * difference['low']:+.1f}..{100 * difference['high']:+.1f}"
        assert float(p) == pytest.approx(difference["p_adjusted"], abs=0.005)
        assert verdict == difference["evidence"]
    assert (
        f"{len(output.episodes)} planned: {len(output.episodes)} scored ({output.summary['counts']['full']} full"
        in text
    )
    for name, count in output.summary["failure_classes"]:
        assert f"{name} {count}".replace("_", "\\_") in text


def test_all_exports_agree_with_the_journals(output: RunOutput) -> None:
    check_formats(output)
    check_junit(output)
    check_markdown(output)
