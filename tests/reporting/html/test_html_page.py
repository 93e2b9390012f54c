"""The page as text: escaped, self-contained, small, and with a matching content security policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import msgspec
import pytest

from pytest_ultra.analysis.summary import summarize
from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.controller.report_contents import write_report
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.goal_report import GoalReport
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.transcript import Replied, Reply
from pytest_ultra.reporting.html.html_report import make_report
from pytest_ultra.reporting.html.html_text import breakable, multi_line, safe_text, script_json
from pytest_ultra.reporting.html.report_data import ReportContents
from pytest_ultra.reporting.html.run_facts import RunFacts
from tests.reporting.html.page_data import read_columns, read_episodes
from tests.results_factory import make_case, make_episode, make_guidance, obedient_episode

HOSTILE = "</script><!--<b onclick=x>\u202e\x1b[0m\ud800"


def contents(*episodes: Episode, has_guidance: bool = True) -> ReportContents:
    def look_up(episode: Episode) -> tuple[Episode, AnyGuidance | None, GoalReport | None]:
        if not has_guidance:
            return episode, None, None
        guidance = make_guidance(episode.case)
        return episode, guidance, BENCHMARK.check_goal(guidance, episode.transcript)

    return ReportContents(RunFacts("a run"), summarize(episodes), episodes, look_up)


def page_of(*episodes: Episode, has_guidance: bool = True) -> str:
    (page,) = make_report(contents(*episodes, has_guidance=has_guidance), "report.html")
    assert page.name is None
    return page.content.decode("utf-8")


def pair() -> tuple[Episode, Episode]:
    return make_episode(make_case(PromptType.OPTIMAL)), obedient_episode()


def test_the_policy_allows_only_our_script_and_style() -> None:
    page = page_of(*pair())
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert policy
    directives = dict(part.strip().split(" ", 1) for part in policy[1].replace("&#39;", "'").split(";"))
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert directives == {
        "default-src": "'none'",
        "script-src": f"'{digest(script)}'",
        "style-src": f"'{digest(style)}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def test_the_page_refers_to_no_other_address() -> None:
    page = page_of(*pair())
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)[^\s\"'<]+", page) == []
    assert (
        re.findall(r"\s(?:src|srcset|action|style|on\w+)=", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
        == []
    )


def test_names_are_escaped() -> None:
    case = make_case(model=f"<b>{HOSTILE.removesuffix(chr(0xD800))}</b>")
    page = page_of(msgspec.structs.replace(make_episode(case), nodeid=f"test[{HOSTILE}]"))
    assert page.count("</script>") == page.count("<script")
    assert "<!--" not in page
    assert "onclick=x&gt;\\u202e\\x1b[0m" in page
    assert read_columns(page)["model"] == ["<b></script><!--<b onclick=x>\\u202e\\x1b[0m</b>"]
    assert read_columns(page)["nodeid"] == ["test[</script><!--<b onclick=x>\\u202e\\x1b[0m\\ud800]"]


def test_json_cannot_end_its_script_element() -> None:
    encoded = script_json({"text": "</script><!-- & \u2028"})
    assert not re.search("[<>&\u2028]", encoded)
    assert json.loads(encoded) == {"text": "</script><!-- & \u2028"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("\u202eturned\u2066", "\\u202eturned\\u2066"),
        ("half \ud83d", "half \\ud83d"),
        ("x" * 12, "xxxxxxxxxx... (+2 characters)"),
    ],
)
def test_texts_are_escaped_and_truncated(text: str, expected: str) -> None:
    max_length = 10 if text.startswith("x") else 100
    assert safe_text(text, max_length) == expected


def test_names_may_be_broken_after_their_signs_and_stay_text() -> None:
    assert breakable("my_agent:solve@<b>/gpt-4o") == "my_<wbr>agent:<wbr>solve@<wbr>&lt;b&gt;/<wbr>gpt-<wbr>4o"
    assert breakable("plain name") == "plain name"


def test_values_are_formatted_for_reading() -> None:
    assert multi_line("a,b\n1,2") == "a,b\n1,2"
    assert multi_line([{"a": 1}, {"a": 2}]) == '{"a": 1}\n{"a": 2}'
    assert multi_line({"at": "noon", "data": [{"a": 1}]}) == 'at: "noon"\ndata: \n  {"a": 1}'
    assert multi_line(None) == "null"


def test_cases_have_rows_in_order() -> None:
    flawed = obedient_episode()
    rows = read_columns(page_of(make_episode(make_case(PromptType.COT)), flawed, make_episode()))
    assert rows["prompt_type"] == ["cot", "flawed_tool_misuse", "optimal"]
    assert rows["id"][1] == flawed.case_id
    assert (rows["outcome"][1], rows["failure_class"][1], rows["faults"][1]) == ("failed", "wrong_deliverable", 1)
    assert rows["tokens"] == [4300, 4300, 4300]
    assert (rows["control"], rows["task"], rows["peer"]) == ([0, 0, 0], [0, 0, 0], [0, 1, 2])
    assert rows["words"][0].startswith("The orders of the day")


def test_an_episode_has_all_data_of_its_page() -> None:
    flawed = read_episodes(page_of(*pair()))[1]
    assert [step.get("damage", {}).get("how") for step in flawed["plan"]["steps"]] == [
        None,
        "wrong tool",
        None,
        "wrong address",
    ]
    assert flawed["plan"]["steps"][1]["damage"]["call"]["tool"] == "data_processing_parser"
    results = [
        event.get("result_kind", "ok") for turn in flawed["turns"] for event in turn["events"] if "call" in event
    ]
    assert results == ["fault", "ok", "error", "ok", "ok"]
    assert [goal["is_reached"] for goal in flawed["goals"]] == [True, True, False, False, False]
    assert flawed["goals"][3]["place"] == "sink https://billing.example/invoices"
    assert flawed["harms"] == ["sink https://archive.example/old received what the job does not ask for"]
    assert flawed["end"] == "the model stopped calling tools"


def test_equal_turns_have_equal_markers() -> None:
    episodes = (obedient_episode(), msgspec.structs.replace(obedient_episode(), case=make_case(PromptType.OPTIMAL)))
    one, other = read_episodes(page_of(*episodes))
    assert [turn["marker"] for turn in one["turns"][:5]] == [turn["marker"] for turn in other["turns"][:5]]
    assert len({turn["marker"] for turn in one["turns"][:5]}) == 5
    assert "marker" not in one["turns"][5]


def test_without_workflows_an_episode_has_only_its_own_data() -> None:
    (episode,) = read_episodes(page_of(obedient_episode(), has_guidance=False))
    assert episode["note"].startswith("This run's directory no longer has the task and its plans")
    assert "data_processing_transformer" in episode["words"]
    assert len(episode["turns"]) == 6
    assert "goals" not in episode


def test_a_very_long_episode_is_truncated_with_a_notice() -> None:
    transcript = tuple(Replied(turn, Reply(f"turn {turn}")) for turn in range(1, 601))
    (episode,) = read_episodes(page_of(make_episode(transcript=transcript)))
    assert (len(episode["turns"]), episode["left_out"]) == (500, 100)


def test_the_same_run_gives_the_same_bytes() -> None:
    assert page_of(*pair()) == page_of(*pair())


def test_five_hundred_episodes_take_less_than_three_megabytes() -> None:
    episodes = [
        msgspec.structs.replace(obedient_episode(), case=make_case(PromptType.FLAWED_TOOL_MISUSE, instance=n))
        for n in range(500)
    ]
    assert len(page_of(*episodes)) < 3_000_000


def test_a_smaller_report_removes_the_pages_of_a_larger_one(tmp_path: Path) -> None:
    old = tmp_path / "report-files" / "part-009.html"
    old.parent.mkdir()
    old.write_text("old")
    (old.parent / "notes.txt").write_text("the user's own")
    write_report(tmp_path / "report.html", contents(*pair()))
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["notes.txt", "report.html"]


def test_a_run_without_episodes_has_a_page() -> None:
    assert "No cases" in page_of()


def test_outcomes_have_a_word_and_a_shape() -> None:
    page = page_of(*(make_episode(make_case(instance=n), outcome) for n, outcome in enumerate(Outcome)))
    for outcome in Outcome:
        assert re.search(rf'<i class="glyph {outcome}" aria-hidden="true"></i><b>1</b> {outcome}</a>', page)
