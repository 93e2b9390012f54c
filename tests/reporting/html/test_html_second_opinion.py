"""Each figure of the page agrees with an independent computation from the run's journals."""

from __future__ import annotations

import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.controller.report_contents import stored_contents, write_report
from pytest_ultra.storage.run_directory import RunDirectory
from tests import independent, independent_words
from tests.analysis.test_second_opinion import draw_run, identify, write_journals
from tests.reporting.html.page_data import read_columns

MINUS = "\N{MINUS SIGN}"
COLUMNS = 9
"""Of the forest plot of prompt types, with the column that only the first line of a prompt type has."""


class Tables(HTMLParser):
    """Parses the tables of a page: by caption, a list of rows, each with the texts of its cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._caption: list[str] | None = None
        self._is_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        del attrs
        if tag == "table":
            self._rows = []
        elif tag == "caption":
            self._caption = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._is_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "caption":
            self.found["".join(self._caption or ())] = self._rows
            self._caption = None
        elif tag in ("td", "th"):
            self._is_cell = False

    def handle_data(self, data: str) -> None:
        if self._caption is not None:
            self._caption.append(data)
        elif self._is_cell:
            self._rows[-1][-1] = f"{self._rows[-1][-1]} {data}".strip()


@pytest.fixture
def stored(tmp_path: Path) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    """The page of a stored run, its episodes, and its independently computed figures."""
    chance = random.Random(4)
    run = RunDirectory.create(tmp_path, {}, started_at=1_700_000_000.0)
    write_journals(run, chance, draw_run(chance, "repeats"))
    write_report(tmp_path / "report.html", stored_contents(run))
    episodes = independent.read_journals(run.path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    return page, episodes, independent.summary(episodes, identify)


def short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def share(value: float) -> str:
    return f"{short(100 * value)}%"


def points(value: float) -> str:
    text = short(abs(100 * value))
    return text if text == "0" else f"{'+' if value > 0 else MINUS}{text}"


def label(row: dict[str, Any]) -> str:
    return str(row["prompt_type"]).replace("flawed_", "flawed: ").replace("_", " ")


def test_headline_figures(stored: Any) -> None:
    page, _, summary = stored
    counts = summary["counts"]
    scored = sum(counts[name] for name in independent.SCORED)
    values = re.findall(r'<dd class="value">(.*?)</dd><dd class="note">(.*?)</dd>', page)
    tokens = sum(row["mean_tokens"] * row["success"]["n"] for row in summary["rows"])
    planned = f"of {sum(counts.values())} planned; {counts['error']} error, {counts['skipped']} skipped"
    assert values[0] == (f"{scored}", f"{planned}; {summary['reused']} reused from earlier runs")
    assert summary["estimated_requests"]
    assert values[1][0] == f"~{tokens / 1e6:.2f} M"
    assert values[2][0] in (f"~${summary['cost']:.2f}", f"~${summary['cost']:.2g}")
    segments = re.findall(r"<b>([\d,]+)</b> (\w+)</a>", page)
    assert {name: int(n) for n, name in segments} == counts


def test_success_by_prompt_type(stored: Any) -> None:
    page, _, summary = stored
    head, *body = Tables(page).found["Success by prompt type and model"]
    found = {
        (model, row[0]): cell for row in body if len(row) > 1 for model, cell in zip(head[1:], row[1:], strict=True)
    }
    expected = {}
    for row in summary["rows"]:
        rate, planned = row["success"], sum(row["counts"].values())
        n = f"{rate['n']}" if rate["n"] == planned else f"{rate['n']}/{planned}"
        cell = (
            f"{share(rate['successes'] / rate['n'])} {short(100 * rate['low'])} to {short(100 * rate['high'])}%, n {n}"
        )
        expected[row["model"], label(row).removeprefix("flawed: ")] = cell
    assert found == expected


def test_paired_differences(stored: Any) -> None:
    page, _, summary = stored
    caption = "Success minus success with the optimal plan, by prompt type and model"
    found: dict[tuple[str, str], list[str]] = {}
    title = ""
    for row in Tables(page).found[caption][1:]:
        title = row[0] if len(row) == COLUMNS else title
        found[title, row[-8].split()[0]] = row[-6:]
    compared = {
        (label(row).removeprefix("flawed: "), row["model"]): row["difference"]
        for row in summary["rows"]
        if row["difference"]
    }
    assert len(compared) == 20
    for key, difference in compared.items():
        assert found[key] == difference_cells(difference)
    assert {title for title, _ in found.keys() - compared.keys()} == {"all flawed plans"}


def test_model_comparison(stored: Any) -> None:
    page, _, summary = stored
    found = Tables(page).found["Success of one model minus success of another"][1:]
    assert len(found) == len(summary["models"]) == 1
    for cells, each in zip(found, summary["models"], strict=True):
        assert cells[0].startswith(f"{each['sample']} vs {each['reference']}")
        assert cells[2:] == difference_cells(each["difference"])


def difference_cells(difference: dict[str, Any]) -> list[str]:
    """Return the expected table cells of a difference."""
    value = (difference["won"] - difference["lost"]) / difference["pairs"]
    p = difference["p_adjusted"] if difference["p_adjusted"] is not None else difference["p_value"]
    star = "" if difference["p_adjusted"] is not None else "*"
    shown = [f"{points(difference['low'])} to {points(difference['high'])}"]
    shown += [("&lt; 0.001" if p < 0.001 else f"{p:.3f}") + star]
    is_too_small = independent_words.is_too_small(difference)
    return [
        points(value),
        *(["too few", "-", "-"] if is_too_small else [difference["evidence"], *shown]),
        f"{difference['pairs']} ({difference['won']} won, {difference['lost']} lost)",
        points(difference["detectable"]).lstrip("+"),
    ]


def test_failure_classes(stored: Any) -> None:
    page, episodes, summary = stored
    head, *body = Tables(page).found["Failure classes by model, most frequent first"]
    lines = [row for row in body if len(row) > 1]
    assert len(lines) == len(summary["failure_classes"])
    for name, _ in summary["failure_classes"]:
        (cells,) = (row[1:] for row in lines if row[0].startswith(name.replace("_", " ")))
        for model, cell in zip(head[1:], cells, strict=True):
            own = [e["score"] for e in episodes if e["case"]["model"] == model]
            n = sum(score["failure_class"] == name for score in own)
            attempted = sum(score["outcome"] != "skipped" for score in own)
            assert cell == (f"{n} {share(n / attempted)}" if n else "0")


def test_robustness_repeats_and_costs(stored: Any) -> None:
    page, _, summary = stored
    tables = Tables(page).found
    rows = {name: [row for row in tables[name][1:] if len(row) > 1] for name in tables}
    flawed = [row for row in summary["rows"] if row["robustness"]]
    for cells, row in zip(rows["Robustness by model and flaw"], flawed, strict=True):
        found, recovery = row["robustness"], row["recovery"]
        assert cells[0] == label(row).removeprefix("flawed: ")
        assert cells[1] == share(found["resilience"])
        assert cells[2] == f"{share(found['over_trust'])} n {found['damaged']}"
        recovered = f"{recovery['successes']} of {recovery['n']}"
        assert cells[3] == f"{share(recovery['successes'] / recovery['n'])} {recovered}"
        assert cells[4] == f"{found['extra_calls']:+.1f} n {found['recovered']}".replace("-", MINUS)
        assert cells[5] == f"{found['extra_tokens']:+,.0f}".replace("-", MINUS)
    of_repeats = [(label(row), each) for row in summary["rows"] for each in row["repeats"]]
    for cells, (name, each) in zip(rows["pass@k and pass^k by model and prompt type"], of_repeats, strict=True):
        assert cells == [name, f"{each['k']}", share(each["pass_at"]), share(each["pass_all"]), f"{each['tasks']}"]
    costs = rows["Calls, tokens, time and cost by model and prompt type"]
    for cells, row in zip(costs, summary["rows"], strict=True):
        mark = "~" if row["estimated_requests"] else ""
        assert cells[:3] == [label(row), f"{row['mean_calls']:.1f}", f"{mark}{row['mean_tokens']:,.0f}"]
        assert cells[3] == f"{row['mean_duration_s']:.1f} s"


def test_rows_of_the_table_of_cases(stored: Any) -> None:
    page, episodes, _ = stored
    found = read_columns(page)
    by_id = {case_id: at for at, case_id in enumerate(found["id"])}
    assert len(by_id) == len(episodes)
    for episode in episodes:
        at, score, usage = by_id[identify(episode)], episode["score"], episode["usage"]
        assert found["outcome"][at] == score["outcome"]
        assert found["failure_class"][at] == score["failure_class"]
        assert found["tokens"][at] == usage["prompt_tokens"] + usage["completion_tokens"]
        assert found["cost"][at] == usage["cost"]
        assert found["duration"][at] == pytest.approx(episode["duration_s"], abs=0.0005)
        assert (found["turns"][at], found["calls"][at]) == (score["turns"], score["tool_calls"])
        assert found["reused"][at] == episode["reused"]
