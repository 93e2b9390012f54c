"""Kinds of tool faults as a user sees them: the option, node ids, figures, reports, and the same without xdist."""

from __future__ import annotations

import sys
from collections import defaultdict

import pytest

from pytest_ultra.core.axes import FaultKind
from tests.run.project import NO_XDIST, ONE_CASE, Project

AGENTS = "demo/perfect,demo/no-fallback,demo/no-check,demo/stubborn"
HALF_RELIABLE = ("--ultra-prompt-type=optimal", "--ultra-tool-success-rate=0.5", "--ultra-max-turns=60")
LOSES = {
    "transient": {"demo/stubborn"},
    "permanent": {"demo/no-fallback"},
    "lost_reply": {"demo/no-check", "demo/stubborn"},
    "implicit": {"demo/no-check"},
}


@pytest.mark.parametrize("kind", FaultKind)
def test_each_kind_costs_the_agent_without_the_skill_for_it(project: Project, kind: FaultKind) -> None:
    """The next test shows that faults are the same on workers."""
    project.run(
        *NO_XDIST, f"--ultra-model={AGENTS}", *HALF_RELIABLE, f"--ultra-fault-kind={kind}", "--ultra-instances=2"
    )
    counts: dict[str, int] = defaultdict(int)
    for episode in project.episodes():
        assert episode["fault_kind"] == kind
        assert (f"-{kind}-" in episode["nodeid"]) == (kind is not FaultKind.TRANSIENT)
        kinds = {k: episode[f"{k}_faults"] for k in ("permanent", "lost_reply", "implicit")}
        assert episode["random_faults"] == kinds.get(kind, episode["random_faults"])
        if episode["outcome"] != "full":
            counts[episode["model"]] += 1
            assert episode["failure_class"] in ("unrecovered_fault", "max_turns")
            named = episode["unrecovered_fault"] or kind.value
            assert named.startswith(kind.replace("_", " ") if episode["unrecovered_fault"] else kind)
    assert {model for model, lost in counts.items() if lost} == LOSES[kind]


def test_all_modes_meet_the_same_faults(project: Project) -> None:
    args = ("--ultra-model=demo/no-check", *HALF_RELIABLE, "--ultra-fault-kind=all")
    found = []
    for mode in (NO_XDIST, ("-n2",)):
        project.run(*mode, *args, "--ultra-fresh")
        found.append(project.comparable_episodes())
    assert found[0] == found[1]
    assert any(episode["random_faults"] for episode in found[0].values())


def test_a_summary_shows_the_recovery_by_kind(project: Project) -> None:
    jobs = ("--ultra-task-type=api_integration,multi_stage_pipeline", "--ultra-instances=12")
    kinds = "--ultra-fault-kind=lost_reply,transient"
    result = project.run(
        *NO_XDIST, "--ultra-model=demo/no-check", *HALF_RELIABLE, *jobs, kinds, "--ultra-markdown=summary.md", "-v"
    )
    text = result.stdout.str()
    assert "recovery by the kind of random fault" in text
    result.stdout.re_match_lines([r"prompt type +transient +lost reply", r"optimal +100% \(\d+\) +\d+% \(\d+\)"])
    result.stdout.re_match_lines([r"unrecovered_fault: .*, and the model did not deal with it: lost reply.*"])
    assert "faults transient+lost_reply" in text
    markdown = (project.path / "summary.md").read_text()
    assert "| model | prompt type | transient | lost reply |" in markdown


def test_without_other_kinds_a_summary_has_no_block_for_them(project: Project) -> None:
    result = project.run(*NO_XDIST, "--ultra-model=demo", *HALF_RELIABLE, "-v")
    assert "by the kind of random fault" not in result.stdout.str()
    assert all("-transient" not in episode["nodeid"] for episode in project.episodes())


def test_the_ini_file_and_the_marker_know_the_kinds(project: Project) -> None:
    project.pytester.makeini("[pytest]\nultra_fault_kind =\n    implicit\n    transient\n")
    result = project.run(*NO_XDIST, "--ultra-model=demo", *ONE_CASE, "-m", "ultra(fault_kind='transient+implicit')")
    result.assert_outcomes(passed=1)
    (episode,) = project.episodes()
    assert episode["fault_kind"] == "transient+implicit"
    shown = project.pytester.run(sys.executable, "-m", "pytest_ultra", "show", episode["nodeid"])
    assert "faults transient+implicit" in shown.stdout.str()
