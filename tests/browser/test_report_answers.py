"""The answers of the report in a browser: which model, where it goes astray, beside what, what changed between runs."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from pytest_ultra.controller.report_server import ReportServer
from pytest_ultra.controller.served_report import ServedReport
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.transcript import Ended, EndReason, ToolResult
from pytest_ultra.storage.journal import Journal
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, write_run_end
from tests.browser.conftest import Open
from tests.browser.report_factory import NAME, hostile_episodes, ordinary_episodes, write, write_two
from tests.browser.test_report_pages import PHONE, case_count, found_by_axe, rows
from tests.results_factory import call_event, make_case, make_episode

MISUSE = "#cases?prompt_type=flawed_tool_misuse&model=one"


def full_of(episodes: list[Episode], model: str) -> list[int]:
    """Return how many cases of a model are full, and how many are scored."""
    own = [episode for episode in episodes if episode.case.model == model and episode.outcome.is_scored]
    return [sum(episode.outcome is Outcome.FULL for episode in own), len(own)]


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier run is that of the other tests; in the later one the first model fails all its cot cases."""

    def worsen(episode: Episode) -> Episode:
        is_worse = episode.case.model == "one" and episode.case.prompt_type is PromptType.COT
        score = msgspec.structs.replace(episode.score, outcome=Outcome.FAILED)
        return msgspec.structs.replace(episode, score=score) if is_worse else episode

    earlier = [*ordinary_episodes(), *hostile_episodes()]
    return write_two(tmp_path_factory.mktemp("two") / "report.html", earlier, list(map(worsen, earlier)))


def test_the_first_screen_has_verdicts_and_a_card_for_each_model(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary)
    verdicts = page.get_by_role("list", name="What the comparisons show")
    expect(verdicts.get_by_role("listitem")).to_have_count(3)
    expect(verdicts).to_contain_text(re.compile(r"Flawed plans make one worse by \d+ points"))
    cards = page.get_by_role("list", name="Models")
    expect(cards.get_by_role("heading")).to_have_text(["one", "two"])
    full, scored = full_of(ordinary_episodes(), "one")
    expect(cards.get_by_role("listitem").first).to_contain_text(f"{full} of {scored} full; 120 planned")
    cards.get_by_role("listitem").first.get_by_role("link", name="wrong deliverable").click()
    assert page.evaluate("location.hash") == "#cases?model=one&failure_class=wrong_deliverable"


def test_two_clicks_show_a_case_that_a_flaw_led_astray(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary)
    plot = page.get_by_role("table", name="Success minus success with the optimal plan, by prompt type and model")
    group = plot.locator("tbody", has_text="tool misuse")
    expect(group.get_by_role("row")).to_have_count(2)
    group.get_by_role("link", name="two").click()
    expect(case_count(page)).to_have_text("12 of 240 cases")
    expect(page.get_by_role("combobox", name="Compared")).to_have_value("lost:control")
    rows(page).first.click()
    expect(page.locator(".transcript-head")).to_contain_text("Control · optimal plan, same task, same tool faults")
    page.get_by_role("button", name="Go to the first difference").click()
    expect(page.locator("#difference")).to_be_focused()
    expect(page.locator("#difference")).to_be_in_viewport()


def test_a_case_is_compared_with_any_other_episode_of_its_task(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, MISUSE)
    rows(page).first.click()
    choice = page.get_by_role("combobox", name="Compare with")
    expect(choice.locator("option")).to_have_count(20)
    choice.select_option(label="flawed: tool misuse, medium, two: failed")
    expect(page.locator(".transcript-head")).to_contain_text("Other · flawed: tool misuse, medium, two: failed")
    expect(choice).to_be_focused()
    expect(page.locator(".pair:not(.same)")).to_have_count(0)
    again = open_report(ordinary, page.evaluate("location.hash"))
    expect(again.locator(".transcript-head")).to_contain_text("two: failed")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".transcript-head")).to_contain_text("Control")


def test_turns_that_are_alike_stand_beside_each_other(open_report: Open, tmp_path: Path) -> None:
    """A case that does one thing more than its control is as its control again afterwards."""
    reads = [call_event(turn, "reader", {"path": f"{turn}.csv"}, ToolResult(f"data_{turn}", turn)) for turn in (1, 2)]
    late = call_event(3, "reader", {"path": "2.csv"}, ToolResult("data_2", 2))
    control = make_episode(make_case(), transcript=(*reads[0], *reads[1], Ended(EndReason.STOPPED)))
    extra = call_event(2, "parser", {"data": "data_1"}, ToolResult(code="WRONG_DATA", message="no table"))
    flawed = make_episode(
        make_case(PromptType.FLAWED_TOOL_MISUSE),
        Outcome.FAILED,
        transcript=(
            *reads[0],
            *extra,
            *late,
            *call_event(4, "reader", {"path": "3.csv"}, ToolResult("data_3", 3)),
            Ended(EndReason.STOPPED),
        ),
    )
    page = open_report(write(tmp_path / "report.html", [control, flawed]), f"#case/{flawed.case_id}")
    expect(page.locator(".transcript .ordinal")).to_have_text(
        ["Both, turn 1", "This case, turn 2", "\N{EN DASH}", "Both, turn 3/2", "This case, turn 4", "\N{EN DASH}"]
    )
    assert page.locator(".divider").evaluate("e => e.nextElementSibling.textContent").startswith("This case, turn 2")


def test_filters_by_result_and_fault_agree_with_the_episodes(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases")
    episodes = ordinary_episodes()
    outcomes = {msgspec.structs.replace(e.case, model=""): e.outcome for e in episodes if e.case.model == "two"}
    lost = [
        e
        for e in episodes
        if e.case.model == "one"
        and e.outcome in (Outcome.PARTIAL, Outcome.FAILED)
        and outcomes[msgspec.structs.replace(e.case, model="")] is Outcome.FULL
    ]
    compared = page.get_by_role("combobox", name="Compared")
    groups = compared.locator("optgroup").evaluate_all("all => all.map(group => group.label)")
    assert groups == ["With its control", "With one", "With two"]
    values = compared.locator("option").evaluate_all("all => all.map(option => option.value)")
    assert ("lost:model:two" in values) == bool(lost)
    compared.select_option("both:model:two")
    expect(page).to_have_url(re.compile(r"against=both%3Amodel%3Atwo"))
    both = sum(
        e.outcome is outcomes[msgspec.structs.replace(e.case, model="")] is Outcome.FULL
        for e in episodes
        if e.case.model == "one"
    )
    expect(case_count(page)).to_have_text(f"{both} of 240 cases")
    compared.select_option("*")
    page.get_by_role("combobox", name="Met a fault").select_option("transient")
    met = sum(e.score.random_faults > 0 for e in episodes)
    expect(case_count(page)).to_have_text(f"{met} of 240 cases")


def test_the_timeline_has_the_time_tokens_and_cost_of_each_turn(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, MISUSE)
    rows(page).first.click()
    turns = page.get_by_role("table", name="Turns of this case with their time, tools and tokens")
    fifth = turns.get_by_role("row", name=re.compile("^Turn 5"))
    expect(fifth).to_contain_text("1 failed request, 1.5 s")
    expect(fifth.locator("td.number")).to_have_text(["0.9 s", "900", "40", "$0.0013"])
    expect(turns.get_by_role("row", name=re.compile("^Turn 1"))).to_contain_text("1 call, 1 random fault")
    expect(turns.get_by_role("row", name=re.compile("^Turn 3"))).to_contain_text("1 call, 1 error")
    turns.get_by_role("button", name="Turn 2").click()
    expect(page.locator(".transcript [data-turn='2']").first).to_be_in_viewport()


def test_failure_classes_are_counted_for_each_model_and_link_to_their_cases(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary)
    classes = page.get_by_role("table", name="Failure classes by model, most frequent first")
    wrong = classes.get_by_role("row", name=re.compile("^wrong deliverable"))
    n = sum(e.score.failure_class == "wrong_deliverable" for e in ordinary_episodes() if e.case.model == "two")
    expect(wrong.locator("td b").nth(1)).to_have_text(f"{n}")
    wrong.locator("td a").nth(1).click()
    expect(case_count(page)).to_have_text(f"{n} of 240 cases")


def test_a_button_copies_the_address_of_the_view(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, MISUSE)
    page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("window.copied === location.href")


def test_two_runs_are_compared_case_by_case(open_report: Open, two_runs: Path) -> None:
    page = open_report(two_runs)
    verdict = page.get_by_role("list", name="Run B compared with run A")
    expect(verdict).to_contain_text(re.compile(r"^(B is worse than A by|No evidence that B and A differ)"))
    worse = sum(
        e.outcome is Outcome.FULL and e.case.model == "one" and e.case.prompt_type is PromptType.COT
        for e in ordinary_episodes()
    )
    page.get_by_role("link", name=f"{worse} worse in B").click()
    expect(case_count(page)).to_have_text(f"{worse} of 484 cases")
    rows(page).first.click()
    outcomes = page.get_by_role("table", name="Outcomes of the same task by prompt type and model")
    expect(outcomes.get_by_role("columnheader", name="one (run A)")).to_be_visible()
    page.get_by_role("combobox", name="Compare with").select_option(label="cot, one, run A: full")
    expect(page.locator(".transcript-head")).to_contain_text("run A: full")
    href = (
        outcomes.get_by_role("row", name=re.compile("^cot"))
        .get_by_role("link", name="full")
        .first.get_attribute("href")
    )
    earlier = open_report(two_runs, href)
    expect(earlier.locator(".verdict")).to_contain_text("full")
    expect(earlier.locator(".identifier").last).to_have_text(re.compile("^[0-9a-f]{16}$"))
    assert found_by_axe(earlier) == []


def test_two_runs_with_hostile_text_stay_text_and_are_accessible(open_report: Open, two_runs: Path) -> None:
    page = open_report(two_runs, "#cases?q=flawed&run=B&model=" + page_name())
    rows(page).first.click()
    page.locator(".transcript").wait_for()
    assert page.locator("#case img, #case b b, #case script").count() == 0
    expect(page.locator("#compare option")).to_have_count(4)
    assert "broken out" not in page.title()
    page.goto(two_runs.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    assert found_by_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def page_name() -> str:
    """Return the name of the hostile model as the page shows it, for an address."""
    from urllib.parse import quote  # noqa: PLC0415

    return quote(NAME)


@pytest.mark.parametrize("report", ["ordinary", "hostile"])
def test_on_a_phone_nothing_lies_off_screen_without_a_cue(
    open_report: Open, report: str, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(report)
    page = open_report(path, viewport=PHONE, has_touch=True)
    assert_cues(page)
    case = open_report(path, "#cases?prompt_type=flawed_tool_misuse", viewport=PHONE, has_touch=True)
    rows(case).first.get_by_role("link").click()
    case.locator(".transcript").wait_for()
    assert_cues(case)


CUT = """() => [...document.querySelectorAll(".scroll")]
    .filter(area => area.checkVisibility() && area.scrollWidth > area.clientWidth + 1)
    .filter(area => !area.previousElementSibling?.matches(".cue") || area.previousElementSibling.hidden)
    .map(area => area.outerHTML.slice(0, 200))"""
NEEDED = """() => [...document.querySelectorAll(".group tr")].flatMap(row => [...row.cells].slice(0, -4))
    .filter(cell => cell.checkVisibility() && cell.getBoundingClientRect().right > innerWidth)
    .map(cell => cell.outerHTML.slice(0, 200))"""


def assert_cues(page: Page) -> None:
    """The page does not scroll sideways, a wide table says so, and what flaws cost is read without scrolling."""
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.evaluate(CUT) == []
    assert page.evaluate(NEEDED) == []


def test_charts_are_printed_whole_and_headings_with_what_follows(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary)
    page.emulate_media(media="print")
    for selector in (".panel:has(.forest-table)", ".panel:has(.heat)", ".panel:has(.strip)", ".model-card"):
        assert page.locator(selector).first.evaluate("e => getComputedStyle(e).breakInside") == "avoid"
    headings = page.locator("h2:visible").evaluate_all("all => all.map(e => getComputedStyle(e).breakAfter)")
    assert set(headings) == {"avoid"}
    assert page.locator(".cue:visible, [data-copy-link]:visible").count() == 0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[ReportServer, RunDirectory, Journal]]:
    """A run with one episode, and a server that follows it."""
    run = RunDirectory.create(tmp_path / ".ultra", {}, started_at=1_700_000_000.0)
    journal = Journal(run, "gw0")
    journal.append(make_episode(make_case(model="one")))
    folder = tmp_path / "served"
    folder.mkdir()
    with ReportServer(ServedReport(lambda: run, folder, time.monotonic)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server, run, journal
        server.shutdown()
        thread.join()
    journal.close()


def test_a_served_page_follows_its_run(browser: Browser, served: tuple[ReportServer, RunDirectory, Journal]) -> None:
    server, run, journal = served
    page = browser.new_page()
    page.goto(f"{server.url}#cases")
    expect(case_count(page)).to_have_text("1 case")
    journal.append(make_episode(make_case(model="two")))
    expect(case_count(page)).to_have_text("2 cases", timeout=15_000)
    assert page.evaluate("location.hash") == "#cases"
    write_run_end(run, RunEnd(0, 1_700_000_090.0))
    expect(page.locator("#run-status")).to_contain_text("finished: 2 of 2 cases", timeout=15_000)
    page.close()
