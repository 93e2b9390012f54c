"""`--ultra-until` adds instances in rounds, in all processes alike, and the cases of later rounds are no part of it."""

from __future__ import annotations

import pytest

from pytest_ultra.commands.cli import main
from tests.run.project import NO_XDIST, Project

PAIRS = "--ultra-prompt-type=optimal,flawed_tool_misuse"
ONE_TYPE = "--ultra-task-type=simple_task"


@pytest.mark.parametrize("mode", [NO_XDIST, ("-n2",)], ids=["no-xdist", "n2"])
def test_a_run_ends_with_the_round_whose_intervals_are_narrow_enough(
    project: Project, mode: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = project.run(*mode, "--ultra-model=demo/perfect", PAIRS, ONE_TYPE, "--ultra-until=25")
    assert result.ret == 0
    # Tango's interval of no discordant pair is within 1.96**2 / (n + 1.96**2): 22.1 points for 14 tasks, 29.9 for 9
    result.stdout.fnmatch_lines(
        ["stopped early: after 14 tasks, every interval is within 21.5 points*", "*28 passed, 72 not needed*"]
    )
    assert dict(project.outcomes()) == {"full": 28}
    assert {episode["instance"] for episode in project.episodes()} == set(range(14))
    monkeypatch.chdir(project.path)
    assert main(["show"]) == 0
    assert "28 planned: 28 scored" in capsys.readouterr().out


def test_a_run_ends_when_its_gates_are_decided(project: Project) -> None:
    gate = ("--ultra-max-drop=0.2", "--ultra-until=decided")
    result = project.run("-n2", "--ultra-model=demo/follower", PAIRS, ONE_TYPE, *gate)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["stopped early: after 21 tasks, every gate is decided", "*MISSED"])
    assert len(project.episodes()) == 42


def test_a_run_that_reaches_its_last_instance_says_so(project: Project) -> None:
    options = ("--ultra-until=5", "--ultra-instances=6", "--ultra-prompt-type=baseline")
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", ONE_TYPE, *options)
    result.stdout.fnmatch_lines(["--ultra-until was not reached with all instances*", "*6 passed*"])
    assert result.ret == 0


def test_a_worker_that_is_killed_between_rounds_is_replaced(project: Project) -> None:
    project.pytester.makepyfile(
        """
        import os, pathlib, signal

        def test_mine(ultra_episode):
            marker = pathlib.Path("killed")
            if ultra_episode.case.instance == 5 and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    result = project.run("-n2", "--ultra-model=demo/perfect", PAIRS, ONE_TYPE, "--ultra-until=25")
    assert "replacing crashed worker" in result.stdout.str()
    assert dict(project.outcomes()) == {"full": 28}
    assert set(project.episode_counts().values()) == {1}


def test_an_interrupted_run_is_resumed_in_its_rounds(project: Project) -> None:
    options = ("--ultra-model=demo/perfect", PAIRS, ONE_TYPE, "--ultra-until=25")
    stopped = project.run(*NO_XDIST, *options, "--ultra-max-requests=30")
    assert "interrupted" in stopped.stdout.str()
    finished = project.outcomes()["full"]
    assert 0 < finished < 28
    resumed = project.run("-n2", *options)
    resumed.stdout.fnmatch_lines([f"*{finished} episodes of * reused*", "stopped early: after 14 tasks*"])
    assert dict(project.outcomes()) == {"full": 28}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ultra-until=decided"], "*--ultra-until: no gate could be decided; add one*"),
        (["--ultra-until=0.5"], "*'0.5' is neither points from 1 to 100 nor 'decided'*"),
        (["--ultra-until=10", "--ultra-detect=10"], "*give only one*"),
        (["--ultra-until=10", "-n2", "--dist=loadfile"], "*leave out --dist loadfile*"),
    ],
)
def test_what_cannot_be_reached_is_a_usage_error(project: Project, options: list[str], message: str) -> None:
    result = project.run("--ultra-model=demo/perfect", *options)
    result.stderr.fnmatch_lines([message])
    assert result.ret == 4
