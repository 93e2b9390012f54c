"""`pytest-ultra baseline` and `pytest-ultra compare`: compare runs and baseline files, with an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.storage.journal import Journal
from pytest_ultra.storage.run_directory import RunDirectory
from tests import independent, independent_runs
from tests.results_factory import make_case, make_episode

COMMAND = Path(sys.executable).with_name("pytest-ultra")
F, P, X, E = Outcome.FULL, Outcome.PARTIAL, Outcome.FAILED, Outcome.ERROR

StoreRun = Callable[..., str]


@pytest.fixture
def store_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> StoreRun:
    """Store a run with a case for each outcome; return its id."""
    monkeypatch.setenv("COLUMNS", "100")
    started_at = 1_700_000_000.0

    def store_run(*outcomes: Outcome, scorer: int | None = None, **axes: Any) -> str:
        nonlocal started_at
        started_at += 60
        run = RunDirectory.create(pytester.path / ".ultra", {}, started_at=started_at)
        journal = Journal(run, "gw0")
        for episode in make_episodes(outcomes, **axes):
            journal.append(episode if scorer is None else msgspec.structs.replace(episode, scorer_version=scorer))
        journal.close()
        return run.run_id

    return store_run


def make_episodes(outcomes: tuple[Outcome, ...], **axes: Any) -> list[Episode]:
    prompt_types = (PromptType.OPTIMAL, PromptType.FLAWED_TOOL_MISUSE)
    return [
        make_episode(make_case(prompt_types[number % 2], instance=number // 2, **axes), outcome)
        for number, outcome in enumerate(outcomes)
    ]


def test_a_run_is_compared_with_an_earlier_one(pytester: pytest.Pytester, store_run: StoreRun) -> None:
    before, now = store_run(F, F, F, P, X, F, F), store_run(F, X, F, F, P, P, E)
    result = pytester.run(COMMAND, "compare", before, now)
    assert result.ret == 0
    loss = "16.7 points lost over 6 pairs of 3 tasks, 90% interval -35.3 to 59.9"
    verdict = "undecided (about 65 tasks would decide it)"
    assert result.outlines == [
        f"{now} compared with {before}",
        "",
        "group               before  n    now  n  difference  95% interval  p  verdict  pairs",
        "------------------------------------------------------------------------------------",
        "all                  66.7%  6  50.0%  6       -16.7             -  -  too few      6",
        "optimal              66.7%  3  66.7%  3        +0.0             -  -  too few      3",
        "flawed_tool_misuse   66.7%  3  33.3%  3       -33.3             -  -  too few      3",
        "flawed               66.7%  3  33.3%  3       -33.3             -  -  too few      3",
        "",
        "before, now: success (full / scored); difference: points over pairs of the same case; 95% interval",
        "by task (Tango); p: McNemar's test by task, corrected (Holm) over the prompt types; too few tasks:",
        "not even 50 points would have shown",
        "6 pairs of 3 tasks; scored only now: 0, only before: 1",
        "worse (2):",
        "  full -> failed: gpt-4o-mini-flawed_tool_misuse-simple_task-easy-0",
        "  full -> partial: gpt-4o-mini-flawed_tool_misuse-simple_task-easy-2",
        "better (1):",
        "  partial -> full: gpt-4o-mini-flawed_tool_misuse-simple_task-easy-1",
        f"gate max-regression: {loss}, 1 error",
        f"  left out, no significant loss allowed: {verdict}",
        "0 of 1 gate met, 1 undecided: exit code 0",
    ]


def test_a_legend_explains_the_columns_and_cells_that_are_shown(
    pytester: pytest.Pytester, store_run: StoreRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, now = store_run(F, F), store_run(F, X)
    of_groups, of_p = "before, now: success (full / scored)", "p: McNemar's test by task"
    of_interval, of_cells = "95% interval by task (Tango)", "too few tasks: not even 50 points would have shown"
    everything = (of_groups, of_interval, of_p, of_cells)
    for columns, shown in ((80, everything), (60, (of_groups, of_cells)), (45, (of_cells,)), (35, ())):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = pytester.run(COMMAND, "compare", before, now).outlines
        legend = " ".join(lines[lines.index("", 2) + 1 :])
        assert [text for text in everything if text in legend] == list(shown)
        assert "difference: points over pairs of the same case" in legend


def test_a_baseline_file_gives_the_same_figures_as_its_run(pytester: pytest.Pytester, store_run: StoreRun) -> None:
    before, now = store_run(F, F, F), store_run(F, X, F)
    made = pytester.run(COMMAND, "baseline", before, "-o", "base.json")
    assert (made.ret, made.outlines) == (0, [f"base.json: 3 cases of run {before}"])
    of_file, of_run = (
        json.loads(pytester.run(COMMAND, "compare", a, "--json").stdout.str()) for a in ("base.json", before)
    )
    assert of_file["figures"]["reference"] == f"base.json (of run {before})"
    assert of_file["figures"]["sample"] == of_run["figures"]["sample"] == now
    assert of_file["figures"]["groups"] == of_run["figures"]["groups"]
    assert of_file["figures"]["flips"] == of_run["figures"]["flips"] != []


def test_every_figure_agrees_with_an_independent_computation_from_the_journals(
    pytester: pytest.Pytester, store_run: StoreRun
) -> None:
    before, now = store_run(*[F, F, X, F, P] * 6, E), store_run(*[F, X, X, P, F] * 6, F, F)
    shown = json.loads(pytester.run(COMMAND, "compare", before, now, "--json").stdout.str())["figures"]
    theirs, ours = (independent.read_journals(pytester.path / ".ultra" / "runs" / run) for run in (before, now))
    ids = {episode.nodeid: episode.case_id for episode in make_episodes((F,) * 32)}
    expected = independent_runs.compare_runs(ours, theirs, lambda episode: ids[episode["nodeid"]])
    assert flatten(shown) == pytest.approx(flatten(expected | {"sample": now, "reference": before}), abs=1e-9)


def test_lines_of_journals_that_cannot_be_read_are_named(pytester: pytest.Pytester, store_run: StoreRun) -> None:
    runs = store_run(F, F, F, F), store_run(F, F, F, X)
    for run in runs:
        journal = pytester.path / ".ultra" / "runs" / run / "journal-gw0.jsonl"
        journal.write_bytes(journal.read_bytes()[:-500])
    result = pytester.run(COMMAND, "compare", *runs)
    assert result.ret == 0
    damage = "pytest-ultra compare: run {}: journal-gw0.jsonl, line 4: * bytes cannot be read and were skipped"
    result.stderr.fnmatch_lines([damage.format(run) for run in runs])
    assert "3 pairs" in result.stdout.str()


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Return the values of nested JSON by their paths."""
    if not isinstance(value, dict | list):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {name: leaf for key, item in items for name, leaf in flatten(item, f"{path}.{key}").items()}


def test_a_loss_that_chance_does_not_explain_sets_the_exit_code(pytester: pytest.Pytester, store_run: StoreRun) -> None:
    before, now = store_run(*[F] * 40), store_run(*[F, X] * 20)
    assert pytester.run(COMMAND, "compare", now, before).ret == 0, "better is not worse"
    result = pytester.run(COMMAND, "compare", before, now)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["worse (20):", "1 of 1 gate missed: exit code 1"])
    limits = ("--max-regression=0.65", "--max-regression=optimal=0")
    allowed = pytester.run(COMMAND, "compare", before, now, *limits)
    assert allowed.ret == 0
    allowed.stdout.fnmatch_lines(["2 of 2 gates met: exit code 0"])
    assert pytester.run(COMMAND, "compare", before, now, "--max-regression=0.35", "--json").ret == 1


def test_a_loss_that_is_neither_shown_nor_excluded_fails_only_if_the_user_says_so(
    pytester: pytest.Pytester, store_run: StoreRun
) -> None:
    before, now = store_run(*[F] * 40), store_run(*[F, X] * 20)
    limit = "--max-regression=0.45"
    passed = pytester.run(COMMAND, "compare", before, now, limit)
    assert passed.ret == 0
    passed.stdout.fnmatch_lines(["gate *, at", "  most 45 points: undecided (about * tasks would decide it)"])
    failed = pytester.run(COMMAND, "compare", before, now, limit, "--undecided=fail")
    assert failed.ret == 1
    failed.stdout.fnmatch_lines(["0 of 1 gate met, 1 undecided, which fails: exit code 1"])


def test_a_missed_gate_is_an_annotation_of_a_job_of_github(
    pytester: pytest.Pytester, store_run: StoreRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, now = store_run(*[F] * 40), store_run(*[F, X] * 20)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = pytester.run(COMMAND, "compare", before, now)
    assert result.outlines[-1].startswith("::error title=pytest-ultra::gate max-regression: ")
    shown = pytester.run(COMMAND, "compare", before, now, "--json")
    assert json.loads(shown.stdout.str())["decision"]["exit_code"] == 1


def test_two_models_are_compared_case_by_case(pytester: pytest.Pytester, store_run: StoreRun) -> None:
    before, now = store_run(F, F, model="large"), store_run(F, X, model="small\x1b[2J")
    result = pytester.run(COMMAND, "compare", before, now)
    result.stdout.fnmatch_lines(["  model: large before, small\\x1b[[]2J now", "2 pairs of 1 task; *"])
    assert "\x1b" not in result.stdout.str()


def test_the_terminal_shows_some_of_many_flipped_cases_and_json_has_all(
    pytester: pytest.Pytester, store_run: StoreRun
) -> None:
    before, now = store_run(*[F] * 50), store_run(*[X] * 50)
    result = pytester.run(COMMAND, "compare", before, now)
    result.stdout.fnmatch_lines(["worse (50):", "  and 30 more"])
    assert len([line for line in result.outlines if "full -> failed" in line]) == 20
    compared = json.loads(pytester.run(COMMAND, "compare", before, now, "--json").stdout.str())
    assert len(compared["figures"]["flips"]) == 50


def test_the_newest_run_is_not_compared_with_itself_unless_both_are_named(
    pytester: pytest.Pytester, store_run: StoreRun
) -> None:
    _, now = store_run(F), store_run(F)
    for name in ("latest", now):
        alone = pytester.run(COMMAND, "compare", name)
        assert alone.ret == 2
        alone.stderr.fnmatch_lines([f"*: A is the newest run ({now}), which B is by default; give an earlier run *"])
    assert pytester.run(COMMAND, "compare", "latest", "latest").ret == 0


def test_an_impossible_comparison_is_an_error_with_the_reason(pytester: pytest.Pytester, store_run: StoreRun) -> None:
    nothing = pytester.run(COMMAND, "compare", "base.json")
    assert nothing.ret == 2
    nothing.stderr.fnmatch_lines(["pytest-ultra compare: error: there is no file 'base.json'; write one with *"])
    before, now = store_run(F, seed=1), store_run(F, temperature=1.0)
    for args, message in (
        (
            (before, now),
            f"no case of {now} was scored in {before} too (seed: 1 before, 0 now; temperature: none before*)",
        ),
        ((before, "20261124"), "'20261124' is not a run; give a run id*"),
        ((before, now, "--max-regression=3"), "--max-regression: '3' is not a limit; give a share from 0 to 1*"),
        ((before, now, "--max-regression=cott=0"), "--max-regression: there is no group 'cott'*did you mean 'cot'?)"),
    ):
        result = pytester.run(COMMAND, "compare", *args)
        assert result.ret == 2
        result.stderr.fnmatch_lines([f"pytest-ultra compare: error: {message}"])


def test_a_baseline_needs_a_scored_case_and_a_writable_path(pytester: pytest.Pytester, store_run: StoreRun) -> None:
    run_id = store_run(E)
    result = pytester.run(COMMAND, "baseline", "-o", "base.json")
    assert result.ret == 2
    result.stderr.fnmatch_lines([f"pytest-ultra baseline: error: run {run_id} has scored no case, so *"])
    assert pytester.run(COMMAND, "baseline", "-o", "/proc/base.json").ret == 2
    assert pytester.run(COMMAND, "baseline").ret == 2


def test_runs_of_different_scorers_are_not_compared_and_the_message_names_the_versions(
    pytester: pytest.Pytester, store_run: StoreRun
) -> None:
    result = pytester.run(COMMAND, "compare", store_run(F, F, scorer=1), store_run(F, X, scorer=2))
    assert result.ret != 0
    assert "version of scorer" in result.stdout.str() + result.stderr.str()
    assert "-> failed" not in result.stdout.str()
