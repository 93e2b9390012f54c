"""The report in a real browser: navigation, search, transcripts, keys, printing, accessibility, and hostile text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import Open
from tests.browser.report_factory import HOSTILE, NAME, large_episodes, named_episodes, varied_episodes, write

DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


def rows(page: Page) -> Locator:
    return page.locator("#cases-body tr")


def case_count(page: Page) -> Locator:
    return page.locator("#cases-count")


def test_the_overview_shows_the_headline_figures(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary)
    expect(page.get_by_role("heading", level=1)).to_have_text("one and two")
    scored = page.locator(".tile").nth(0)
    expect(scored).to_contain_text("238")
    expect(scored).to_contain_text("of 240 planned; 1 error, 1 skipped")
    heat = page.get_by_role("table", name="Success by prompt type and model")
    expect(heat.get_by_role("rowheader", name="tool misuse")).to_be_visible()
    expect(heat.get_by_role("columnheader", name="two")).to_be_visible()
    expect(page.locator(".legend")).to_contain_text(re.compile(r"1\s+error"))


def test_a_cell_of_the_heat_map_links_to_its_cases(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary)
    page.locator("table.heat tr", has_text="missing step").get_by_role("link").first.click()
    expect(case_count(page)).to_have_text("12 of 240 cases")
    assert page.evaluate("location.hash") == "#cases?model=one&prompt_type=flawed_missing_step&severity=severe"
    expect(page.get_by_role("combobox", name="Model")).to_have_value("one")


def test_filters_and_search_select_cases_and_are_in_the_address(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases")
    expect(case_count(page)).to_have_text("240 cases")
    page.get_by_role("combobox", name="Outcome").select_option("partial")
    page.get_by_role("combobox", name="Model").select_option("two")
    page.get_by_role("searchbox").fill("MISSING step")
    expect(page).to_have_url(re.compile(r"#cases\?q=MISSING\+step&outcome=partial&model=two$"))
    expect(rows(page)).to_have_count(4)
    other = open_report(ordinary, page.evaluate("location.hash"))
    expect(other.get_by_role("searchbox")).to_have_value("MISSING step")
    expect(other.get_by_role("combobox", name="Outcome")).to_have_value("partial")
    expect(rows(other)).to_have_count(4)
    other.get_by_role("searchbox").fill("no such thing")
    expect(other.get_by_text("No cases match.")).to_be_visible()
    other.get_by_role("button", name="Clear search and filters").click()
    expect(case_count(other)).to_have_text("240 cases")


def test_the_search_finds_jobs_reasons_and_ids(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases?q=billing.example")
    expect(case_count(page)).to_have_text("240 cases")
    page.get_by_role("searchbox").fill("overloaded")
    expect(rows(page)).to_have_count(1)


def test_headings_sort_in_both_directions_and_reset(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases")
    turns = page.get_by_role("columnheader", name="Turns")
    first = rows(page).first.locator("td[data-label=turns]")
    turns.get_by_role("button").click()
    expect(turns).to_have_attribute("aria-sort", "ascending")
    expect(first).to_have_text("3")
    turns.get_by_role("button").click()
    expect(turns).to_have_attribute("aria-sort", "descending")
    expect(first).to_have_text("14")
    assert page.evaluate("location.hash") == "#cases?sort=-turns"
    turns.get_by_role("button").click()
    expect(turns).not_to_have_attribute("aria-sort", re.compile("."))


def test_a_long_table_has_pages(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases")
    expect(rows(page)).to_have_count(100)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    expect(rows(page)).to_have_count(40)
    expect(page.get_by_text("Page 3 of 3")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()


def test_a_case_shows_its_outcome_plan_world_and_transcript(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases?prompt_type=flawed_tool_misuse&model=one")
    rows(page).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("flawed: tool misuse, medium")
    case = page.locator("#case")
    expect(case).to_contain_text("failed: the job was not done")
    expect(case).to_contain_text("the model stopped with a wrong or missing deliverable")
    expect(case.locator(".words")).to_contain_text("The orders of the day lie in orders.csv.")
    expect(case.locator(".damaged")).to_have_count(2)
    expect(case.locator(".damaged").first).to_contain_text("wrong tool")
    expect(case.locator(".damaged").first).to_contain_text("Step 2 of the optimal plan: data_processing_parser")
    expect(case).to_contain_text("random fault, not charged")
    expect(case).to_contain_text("here the model left the plan that it was shown")
    expect(case.locator(".goals")).to_contain_text("Missed")
    expect(case).to_contain_text("End: the model stopped calling tools.")


def test_the_transcript_of_the_control_is_shown_from_the_first_difference_on(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases?prompt_type=flawed_tool_misuse&model=one")
    rows(page).first.get_by_role("link").click()
    transcript = page.locator(".transcript")
    expect(transcript.locator(".transcript-head")).to_contain_text("same task, same tool faults")
    expect(transcript.locator("text=The two transcripts differ from here on")).to_have_count(1)
    assert transcript.locator("> *").evaluate_all("all => all.map(each => each.className)")[:4] == [
        "transcript-head",
        "pair same",
        "divider",
        "pair",
    ]
    expect(transcript.get_by_text("nothing here")).to_have_count(3)
    page.get_by_role("button", name="Hide the control").click()
    expect(transcript.locator(".transcript-head")).to_have_count(0)
    page.get_by_role("button", name="Show the control").click()
    expect(transcript.locator(".transcript-head")).to_have_count(1)


def test_a_case_links_to_other_prompt_types_and_models_of_its_task(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases?prompt_type=optimal&model=two")
    rows(page).first.get_by_role("link").click()
    same = page.get_by_role("table", name="Outcomes of the same task by prompt type and model")
    expect(same.get_by_role("link")).to_have_count(20)
    expect(same.locator("[aria-current]")).to_have_text(re.compile("full"))
    same.get_by_role("row", name=re.compile("^cot")).get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("cot")
    expect(page.locator(".meta")).to_contain_text("one")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("optimal")


def test_keys_work_as_documented_on_the_page(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("drift")
    expect(case_count(page)).to_have_text("24 of 240 cases")
    page.keyboard.press("Escape")
    expect(rows(page).nth(0).get_by_role("link")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(rows(page).nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 24")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_text("3 of 24")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_text("2 of 24")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Show the control")).to_be_visible()
    page.keyboard.press("Escape")
    expect(rows(page).nth(1).get_by_role("link")).to_be_focused()
    expect(case_count(page)).to_have_text("24 of 240 cases")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text("one and two")


def test_going_back_opens_the_table_page_of_the_case(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases?page=2")
    rows(page).first.get_by_role("link").click()
    expect(page.locator("#case-place")).to_have_text("101 of 240")
    page.keyboard.press("k")
    expect(page.locator("#case-place")).to_have_text("100 of 240")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Page 1 of 3")).to_be_visible()
    expect(rows(page).last.get_by_role("link")).to_be_focused()


def test_a_link_to_a_case_opens_it_or_reports_that_there_is_none(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, "#cases?model=two&outcome=partial")
    href = rows(page).first.get_by_role("link").get_attribute("href")
    other = open_report(ordinary, href)
    expect(other.locator("#case-place")).to_contain_text(re.compile(r"^1 of \d+$"))
    expect(open_report(ordinary, "#case/0123").get_by_role("heading", level=1)).to_have_text("No such case")


@pytest.mark.parametrize("view", ["#overview", "#cases", "case"])
def test_a_view_is_accessible_at_each_size_and_has_enough_contrast_in_each_scheme(
    open_report: Open, ordinary: Path, view: str
) -> None:
    page = open_report(ordinary, "#cases?prompt_type=flawed_tool_misuse" if view == "case" else view)
    if view == "case":
        rows(page).first.get_by_role("link").click()
        page.locator(".transcript").wait_for()
    for is_dark in (True, False):
        page.emulate_media(color_scheme="dark" if is_dark else "light")
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(16, 18, 21)") == is_dark
        assert page.evaluate(CONTRAST) == []
    if view == "#cases":  # as many rows as on the last page suffice
        page.get_by_role("button", name="Next").click()
        page.get_by_role("button", name="Next").click()
        expect(rows(page)).to_have_count(40)
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert found_by_axe(page) == []


def test_optional_sections_are_accessible_too(open_report: Open, tmp_path: Path) -> None:
    page = open_report(write(tmp_path / "report.html", varied_episodes()))
    expect(page.get_by_role("heading", name="Success against tool success rate")).to_be_visible()
    expect(page.get_by_role("heading", name="Repeats")).to_be_visible()
    assert found_by_axe(page) == []
    assert page.evaluate(CONTRAST) == []


def found_by_axe(page: Page) -> list[str]:
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
    ]


def test_the_focus_is_visible_and_the_first_link_skips_to_the_content(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    assert skip.evaluate("e => e.getBoundingClientRect().top >= 0 && getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()


@pytest.mark.parametrize("view", ["#overview", "#cases", "#cases?prompt_type=flawed_tool_misuse&model=one"])
def test_the_page_fits_a_phone(open_report: Open, ordinary: Path, view: str) -> None:
    page = open_report(ordinary, view, viewport=PHONE, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    if "misuse" in view:
        rows(page).first.get_by_role("link").click()
        page.get_by_role("button", name="Show the control").click()
        expect(page.locator(".transcript")).to_contain_text("nothing here")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_table_of_cases_fits_a_desktop_and_has_a_cue_where_it_does_not(open_report: Open, tmp_path: Path) -> None:
    report = write(tmp_path / "report.html", named_episodes())
    page = open_report(report, "#cases?sort=-model")
    area, cue = page.get_by_role("region", name="Cases, scrolls sideways"), page.locator("#cases-view .cue")
    assert area.get_by_role("columnheader").all_inner_texts()[1::8] == ["Model", "Time"]
    assert area.evaluate("area => area.scrollWidth <= area.clientWidth")
    assert cue.is_hidden()
    page.set_viewport_size({"width": 800, "height": 900})
    cue.wait_for()
    assert area.evaluate("area => area.scrollWidth > area.clientWidth")
    page.get_by_role("searchbox").fill("no such case")
    area.wait_for(state="hidden")
    assert cue.is_hidden()


BROKEN_WORDS = """() => {
  const texts = document.createTreeWalker(document.getElementById("overview-view"), NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const broken = [];
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.parentElement.closest("th") || text.parentElement.closest(".unseen")) continue;
    for (const word of text.data.matchAll(/[a-z0-9]+/gi)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (range.getClientRects().length > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""


def test_names_are_broken_between_their_words(open_report: Open, tmp_path: Path) -> None:
    page = open_report(write(tmp_path / "report.html", named_episodes()), viewport={"width": 600, "height": 900})
    model = page.locator(".forest-table").get_by_role("link", name="my_agent:solve@gpt-4o-mini").first
    assert model.evaluate("link => link.getClientRects().length") > 1
    assert page.evaluate(BROKEN_WORDS) == []


def test_it_prints_without_controls(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.get_by_role("navigation", name="Views")).to_be_hidden()
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 8


def test_the_overview_works_without_javascript(open_report: Open, ordinary: Path) -> None:
    page = open_report(ordinary, java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("one and two")
    expect(page.get_by_role("table", name="Success by prompt type and model")).to_be_visible()
    assert "need JavaScript" in page.locator("noscript").inner_text()
    expect(page.get_by_role("navigation", name="Views")).to_be_hidden()


def test_a_browser_that_cannot_unpack_shows_a_notice_and_the_overview(browser: Browser, ordinary: Path) -> None:
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(ordinary.as_uri())
    expect(page.get_by_text("This browser cannot unpack the cases and transcripts in this page")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("one and two")
    expect(page.get_by_role("navigation", name="Views")).to_be_hidden()
    page.close()


def test_model_output_stays_text(open_report: Open, hostile: Path) -> None:
    """Nothing is executed, loaded or reversed; the fixture checks that there was no request and no error."""
    page = open_report(hostile)
    assert_harmless(page)
    page.evaluate("location.hash = '#cases?prompt_type=flawed_tool_misuse'")
    expect(rows(page)).to_have_count(1)
    assert_harmless(page)
    rows(page).first.get_by_role("link").click()
    page.locator(".transcript").wait_for()
    assert page.locator(".message").count() >= len(HOSTILE)
    expect(page.locator("#case")).to_contain_text("\\x1b[31mred\\x1b[0m \\x07 \\u202ereversed\\u202c")
    expect(page.locator("#case")).to_contain_text("</script><script>document.title = 'broken out'</script>")
    expect(page.locator("#case")).to_contain_text("characters)")
    assert page.locator("#case img, #case link, #case script, #case b b").count() == 0
    assert_harmless(page)


def assert_harmless(page: Page) -> None:
    assert "broken out" not in page.title() or page.title().startswith(NAME.split("<", maxsplit=1)[0])
    shown = page.evaluate("document.body.innerText")
    assert not re.search("[\u0000-\u0008\u001b\u202a-\u202e\u2066-\u2069\u2028]", shown)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_the_policy_blocks_foreign_scripts(browser: Browser, ordinary: Path) -> None:
    page = browser.new_page()
    page.goto(ordinary.as_uri())
    blocked = page.evaluate(
        """() => new Promise(done => {
            document.addEventListener("securitypolicyviolation", event => done(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "document.title = 'broken out'";
            document.body.append(script);
        })"""
    )
    assert blocked == "script-src-elem"
    assert "broken out" not in page.title()
    page.close()


def test_a_large_report_has_its_episodes_on_separate_pages(open_report: Open, tmp_path: Path) -> None:
    report = write(tmp_path / "large #1.htm", large_episodes())
    parts = sorted(path.name for path in (tmp_path / "large #1-files").iterdir())
    assert parts == ["part-001.html", "part-002.html", "part-003.html"]
    assert max(path.stat().st_size for path in tmp_path.rglob("*.htm*")) < 3_000_000
    page = open_report(report, "#cases?prompt_type=flawed_tool_misuse&model=two")
    expect(case_count(page)).to_have_text("12 of 240 cases")
    case = rows(page).last.get_by_role("link")
    href = case.get_attribute("href") or ""
    case.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("flawed: tool misuse, severe")
    expect(page.locator(".transcript-head")).to_contain_text("same task, same tool faults")
    assert page.url.endswith(href)
    page.get_by_role("link", name="Whole report").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("one and two")
    page.goto(f"{report.as_uri()}{href[href.index('#') :]}")
    expect(page.locator(".transcript")).to_be_visible()
    assert "large%20%231-files/part-" in page.url
