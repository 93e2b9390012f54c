"""The visibility of flaws and alternative plans, from the options to the outputs of a run."""

from __future__ import annotations

from tests.run.project import TEN_CASES, Project

FLAWED = (TEN_CASES, "--ultra-prompt-type=flawed", "--ultra-model=demo/follower", "--ultra-tool-success-rate=1")


def test_the_visibility_that_was_asked_for_and_the_proved_one_are_in_the_document(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.run(*xdist_on_off, *FLAWED, "--ultra-flaw-visibility=plan")
    episodes = project.document()["episodes"]
    assert len(episodes) == 7
    assert {(episode["flaw_visibility"], episode["proved_visibility"]) for episode in episodes} == {("plan", "plan")}


def test_each_flawed_case_draws_one_of_several_visibilities(project: Project) -> None:
    project.run("-n0", *FLAWED, "--ultra-instances=4")
    episodes = project.document()["episodes"]
    assert {episode["flaw_visibility"] for episode in episodes} == {"job", "world"}
    assert {episode["proved_visibility"] for episode in episodes} >= {"job"}
    assert {episode["outcome"] == "full" for episode in episodes} == {True, False}


def test_a_follower_of_alternative_plans_does_the_job_and_they_are_not_part_of_all(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    options = ("--ultra-prompt-type=alternative,optimal", "--ultra-model=demo/follower", "--ultra-task-type=all")
    project.run(*xdist_on_off, *options, "--ultra-tool-success-rate=1")
    found = {(episode["prompt_type"], episode["outcome"]) for episode in project.document()["episodes"]}
    assert found == {("alternative", "full"), ("optimal", "full")}
    project.run(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES, "--ultra-prompt-type=all")
    kinds = {episode["prompt_type"] for episode in project.document()["episodes"]}
    assert len(kinds) == 10
    assert "alternative" not in kinds


def test_a_case_with_a_visibility_can_be_selected_by_marker(project: Project) -> None:
    project.run("-n0", *FLAWED, "-m", "ultra(flaw_visibility='world')", "--ultra-instances=4")
    shown = {episode["flaw_visibility"] for episode in project.document()["episodes"] if episode["requests"]}
    assert shown == {"world"}
