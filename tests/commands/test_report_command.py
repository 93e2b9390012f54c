"""`pytest-ultra report` and `plot`: the output for a stored run, and the errors if there is nothing to show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.commands.plot import NAMES
from pytest_ultra.controller.report_contents import describe_run
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.reporting.charts.charts import CHARTS
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.journal import Journal
from pytest_ultra.storage.results import read_results
from pytest_ultra.storage.reuse import Plan, write_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, write_run_end
from pytest_ultra.storage.slim_episodes import SlimEpisodes
from tests.commands.conftest import CommandResult
from tests.reporting.html.page_data import read_columns
from tests.results_factory import make_case, make_episode, make_guidance, obedient_episode

Command = Callable[..., CommandResult]
FLAWED = obedient_episode()
CONTROL = make_episode(make_case(PromptType.OPTIMAL))
SKIPPED = make_case(PromptType.COT)
OPTIONS = {"seed": 7, "instances": 3, "model": ["gpt-4o-mini"], "max_turns": 30}


@pytest.fixture
def run(root: Path) -> RunDirectory:
    """A run with two episodes, and a third planned."""
    about = {"options": OPTIONS, "git": {"commit": "0123456789abcdef", "is_dirty": True}, "command": ["-k", "a b"]}
    run = RunDirectory.create(root, about, started_at=1_700_000_000.0)
    GuidanceCache(run.guidance, BENCHMARK.task_type).fill([FLAWED.case, CONTROL.case], make_guidance)
    journal = Journal(run, "gw0")
    for episode in (FLAWED, CONTROL):
        journal.append(episode)
    journal.close()
    cases = {case.case_id: case for case in (CONTROL.case, SKIPPED, FLAWED.case)}
    write_plan(run, Plan(is_new_start=False, nodeids=dict.fromkeys(cases, "test"), cases=cases))
    write_run_end(run, RunEnd(1, 1_700_000_090.0, interruption="interrupted"))
    return run


def test_the_report_of_a_stored_run_is_written_into_its_directory(command: Command, run: RunDirectory) -> None:
    shown = command("report")
    assert shown == (0, f".ultra/runs/{run.run_id}/report.html: 3 episodes\n", "")
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "of 3 planned; 0 error, 1 skipped" in page
    assert "The run was interrupted: interrupted; this report covers what it had finished." in page
    assert "pytest -k &#39;a b&#39;" in page
    assert "1 min 30 s" in page


def test_the_report_is_written_to_the_requested_path(command: Command, run: RunDirectory, tmp_path: Path) -> None:
    assert command("report", run.run_id, "-o", "site/index.html").out == "site/index.html: 3 episodes\n"
    assert (tmp_path / "site" / "index.html").exists()
    assert not (run.path / "report.html").exists()


def test_two_runs_are_in_one_report_beside_the_later_one(command: Command, run: RunDirectory, root: Path) -> None:
    later = RunDirectory.create(root, {"options": OPTIONS}, started_at=1_700_100_000.0)
    journal = Journal(later, "gw0")
    journal.append(make_episode(CONTROL.case, Outcome.FAILED))
    journal.close()
    shown = command("report", run.run_id, "latest")
    assert shown == (0, f".ultra/runs/{later.run_id}/comparison.html: 4 episodes\n", "")
    page = (later.path / "comparison.html").read_text(encoding="utf-8")
    assert "1 task is too few to compare B with A" in page
    assert "1 worse in B" in page
    columns = read_columns(page)
    assert columns["id"] == [CONTROL.case_id, f"{CONTROL.case_id}@A", f"{SKIPPED.case_id}@A", f"{FLAWED.case_id}@A"]
    assert columns["run"] == ["B", "A", "A", "A"]
    assert columns["same"][0] == columns["same"][1] != columns["same"][2]
    assert len(set(columns["task"])) == 1


def test_a_report_of_a_run_and_itself_or_of_three_runs_is_an_error(command: Command, run: RunDirectory) -> None:
    same = f"pytest-ultra report: error: both runs are {run.run_id}; name two runs to compare them\n"
    assert command("report", run.run_id, run.run_id) == (2, "", same)
    three = "pytest-ultra report: error: a report holds one run or two, not 3\n"
    assert command("report", "a", "b", "c") == (2, "", three)


def test_transcripts_are_read_on_demand(run: RunDirectory) -> None:
    stored = SlimEpisodes(run)
    assert [(episode.outcome, episode.transcript) for episode in stored.episodes] == [
        (Outcome.FULL, ()),
        (Outcome.SKIPPED, ()),
        (Outcome.FAILED, ()),
    ]
    assert [stored.read(episode) for episode in stored.episodes] == list(read_results(run).episodes)


def test_the_description_of_a_run_has_its_seed_end_commit_and_options(run: RunDirectory) -> None:
    facts = describe_run(run)
    assert (facts.seed, facts.exit_status, facts.interruption, facts.duration_s) == (7, 1, "interrupted", 90.0)
    assert facts.project == "0123456789ab, with changes"
    assert facts.options == (("--ultra-model", "gpt-4o-mini"), ("--ultra-instances", "3"), ("--ultra-seed", "7"))


def test_a_run_that_lost_its_workflows_has_a_report(command: Command, run: RunDirectory) -> None:
    for path in run.guidance.iterdir():
        path.unlink()
    assert command("report").code == 0


@pytest.mark.parametrize("name", ["report", "plot"])
def test_a_run_without_episodes_is_an_error(command: Command, root: Path, name: str) -> None:
    run = RunDirectory.create(root, {}, started_at=1.0)
    shown = command(name)
    assert shown.code == 2
    assert shown.err.startswith(
        f"pytest-ultra {name}: error: the run {run.run_id} holds no episodes, so there is nothing"
    )


@pytest.mark.parametrize("name", ["report", "plot"])
def test_an_unwritable_output_path_is_an_error(command: Command, run: RunDirectory, name: str) -> None:
    (run.path / "taken").write_text("a file")
    shown = command(name, "-o", str(run.path / "taken" / "output"))
    assert shown.code == 2
    assert "--output: cannot write" in shown.err


def test_charts_are_written_into_the_run_directory(command: Command, run: RunDirectory) -> None:
    shown = command("plot", "--format", "svg")
    names = ["models.svg", "heat-map.svg", "paired-differences.svg", "failure-classes.svg", "cost-and-latency.svg"]
    assert shown.lines == [f".ultra/runs/{run.run_id}/charts/{name}" for name in names]
    assert sorted(path.name for path in (run.path / "charts").iterdir()) == sorted(names)


def test_all_formats_are_written_to_the_requested_path(command: Command, run: RunDirectory, tmp_path: Path) -> None:
    assert command("plot", run.run_id, "-o", "figures", "--format", "all").code == 0
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".svg", ".png", ".pdf"}


def test_charts_are_chosen_by_name(command: Command, run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.path.is_dir()
    shown = command("plot", "--chart", "heat-map", "--width", "120", "-o", "new/folder")
    assert shown.lines == ["new/folder/heat-map.svg"]
    assert tuple(CHARTS) == NAMES
    for wrong in (("--chart", "pie"), ("--width", "5")):
        with pytest.raises(SystemExit):
            command("plot", *wrong)
    assert "30 to 600 mm" in capsys.readouterr().err


def test_an_unknown_format_is_an_error(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        command("plot", "--format", "gif")
    assert exited.value.code == 2
    assert "invalid choice: 'gif'" in capsys.readouterr().err


def test_a_stored_episode_is_read_unchanged(run: RunDirectory) -> None:
    episode: Episode = next(e for e in SlimEpisodes(run).episodes if e.outcome is Outcome.FAILED)
    assert SlimEpisodes(run).read(episode) == FLAWED


@pytest.mark.usefixtures("run")
def test_a_path_is_no_command_to_a_terminal_or_to_github(command: Command, tmp_path: Path) -> None:
    hostile = "\x1b[2J\n::error::x ##[add-mask]y"
    for args in (
        ("report", "-o", f"{hostile}/report.html"),
        ("plot", "-o", hostile),
        ("baseline", "-o", f"{hostile}.json"),
        ("store", "status", "--dir", f"{hostile}/.ultra"),
    ):
        if args[0] == "store":
            (tmp_path / hostile / ".ultra").parent.mkdir(exist_ok=True)
            (tmp_path / hostile / ".ultra").symlink_to(tmp_path / ".ultra")
        shown = command(*args)
        output = shown.out + shown.err
        assert r"\x1b[2J\n\x3a:error::x \x23#[add-mask]y" in output
        assert "\x1b" not in output
        assert "##[" not in output
        assert "\n::" not in output
