"""A suite of the user's own in whole runs: its cases, figures, documents, gates, and what goes wrong with it."""

from __future__ import annotations

import shutil

import pytest

from tests.run import shop_suite
from tests.run.project import Project

SUITE = "--ultra-suite=shop_suite:suite"
REFERENCES = ("--ultra-task-type=half,late_order,write_both", "--ultra-severity=light")
OWN_FLAW = "flawed_own_wrong_share"


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with the shop's suite."""
    shutil.copy(shop_suite.__file__, project.path)
    return project


def outcomes_of(project: Project, model: str, task: str) -> dict[str, str]:
    episodes = [one for one in project.episodes() if (one["model"], one["task_type"]) == (model, task)]
    return {episode["prompt_type"]: episode["outcome"] for episode in episodes}


def test_reference_agents_get_their_known_marks_under_every_flaw(shop: Project, xdist_on_off: tuple[str, ...]) -> None:
    result = shop.run(*xdist_on_off, SUITE, "--ultra-model=demo/perfect,demo/follower", "--ultra-severity=light")
    known = [episode for episode in shop.episodes() if episode["task_type"] != "has_late"]
    assert {episode["outcome"] for episode in known if episode["model"] == "demo/perfect"} == {"full"}
    obeyed = outcomes_of(shop, "demo/follower", "half")
    assert obeyed.pop("optimal") == obeyed.pop("flawed_redundant_operations") == "full"
    assert len(obeyed) == 9
    assert "full" not in obeyed.values()
    assert OWN_FLAW in obeyed
    assert {episode["suite"] for episode in shop.episodes()} == {"shop"}
    assert all(episode["suite_version"].startswith("1-") for episode in shop.episodes())
    assert shop.document()["run"]["options"]["suite"] == "shop_suite:suite"
    result.stdout.fnmatch_lines(["ultra suite: shop_suite:suite", "*has_late: no plans, for it has no reference*"])
    result.stdout.fnmatch_lines(["*own_wrong_share*100%*"])
    assert OWN_FLAW in (shop.runs()[-1] / "report.html").read_text()
