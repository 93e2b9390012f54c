"""`pytest-ultra show`: the summary of a run, a case by any of its names, and the prompt that a model gets."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.collection.case_names import parse_case_id
from pytest_ultra.collection.planned_cases import draw_visibility
from pytest_ultra.commands.run_overview import show_run
from pytest_ultra.core.axes import (
    DRAWN_VISIBILITIES,
    Difficulty,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    Visibility,
)
from pytest_ultra.core.episode import Episode, flatten
from pytest_ultra.reporting.failure_text import explain
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, lock_run
from tests.benchmark import agent_runs
from tests.commands.conftest import CommandResult
from tests.results_factory import make_case, make_episode, make_nodeid
from tests.storage.stored_runs import STARTED_AT, make_run, some_episodes

Command = Callable[..., CommandResult]

MISUSE = agent_runs.make_case(PromptType.FLAWED_TOOL_MISUSE)
NOT_RUN = agent_runs.make_case(PromptType.COT, TaskType.API_INTEGRATION)


def play_episode(case: Any = MISUSE) -> Episode:
    conversation = agent_runs.run_agent("follower", case)
    return make_episode(case, transcript=conversation.events, plan=conversation.plan)


@pytest.fixture
def run(root: Path) -> RunDirectory:
    made = make_run(root, [play_episode()], planned=[MISUSE, NOT_RUN])
    GuidanceCache(made.guidance, BENCHMARK.task_type).fill([MISUSE], make_guidance)
    return made


def test_a_run_is_shown_with_the_summary_that_it_printed_at_its_end(root: Path, command: Command) -> None:
    episodes = some_episodes()
    described = {
        "pytest_ultra": "0.9.0",
        "options": {"seed": 7},
        "git": {"commit": "c0ffee", "is_dirty": True},
        "command": ["--ultra-model", "\x1b[31m"],
    }
    run = make_run(root, episodes, planned=[e.case for e in episodes] + [make_case(instance=5)], described=described)
    shown = command("show")
    assert (shown.code, shown.err) == (0, "")
    assert shown.lines[:5] == [
        f"run {run.run_id}: finished, started 2023-11-14T22:13:20 UTC",
        "pytest-ultra 0.9.0, seed 7",
        "commit c0ffee, with changes",
        "pytest --ultra-model '\\x1b[31m'",
        "",
    ]
    assert any(
        line.startswith("5 planned: 3 scored (1 full, 1 partial, 1 failed), 1 error, 1 skipped") for line in shown.lines
    )
    assert "\x1b" not in shown.out, "no colours in a pipe"
    assert command("show", run.run_id[:13]).out == command("show", str(run.path)).out == shown.out


def test_a_run_in_progress_is_shown_with_the_cases_run_so_far(root: Path, command: Command) -> None:
    run = make_run(root, some_episodes()[:1], planned=[make_case(instance=n) for n in range(3)], run_end=None)
    lock = lock_run(run)
    lines = command("show").lines
    lock.release()
    assert lines[:2] == [
        f"run {run.run_id}: running, started 2023-11-14T22:13:20 UTC",
        "these are the cases that have been run, of 3 planned cases",
    ]
    assert any(line.startswith("1 planned: 1 scored (1 full, ") for line in lines)


def test_a_run_is_shown_as_json_with_all_figures(root: Path, command: Command) -> None:
    run = make_run(root, some_episodes(), run_end=RunEnd(2, STARTED_AT, "interrupted"))
    document = command("show", "--json").json
    assert document["run"] == run.describe()
    assert (document["state"], document["cut_off"]) == ("cut off", "interrupted")
    assert document["summary"]["counts"] == {"full": 1, "partial": 1, "failed": 1, "error": 1, "skipped": 0}
    (optimal,) = [row for row in document["summary"]["rows"] if row["prompt_type"] == "optimal"]
    assert (optimal["success"]["value"], optimal["success"]["n"]) == (1.0, 1)


def test_a_terminal_gets_colours_unless_no_color_is_set(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    run = make_run(root, some_episodes())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for has_colours in (True, False):
        terminal = Terminal()
        with redirect_stdout(terminal):
            show_run(run, is_json=False)
        assert ("\x1b[33m" in terminal.getvalue()) is has_colours
        monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize(
    "name",
    [
        MISUSE.case_id,
        MISUSE.case_id[:4],
        make_nodeid(MISUSE),
        make_nodeid(MISUSE).rpartition("::")[2],
        make_nodeid(MISUSE).replace("test_workflow[", "test_another_that_takes_the_case["),
        "demo/agent-flawed_tool_misuse-basic_task-easy-0",
    ],
)
def test_a_case_is_shown_by_any_of_its_names(run: RunDirectory, command: Command, name: str) -> None:
    shown = command("show", name)
    assert (shown.code, shown.err) == (0, "")
    episode, guidance = play_episode(), GuidanceCache(run.guidance, BENCHMARK.task_type).get(MISUSE)
    goal = BENCHMARK.check_goal(guidance, episode.transcript)
    assert shown.out.rstrip("\n") == explain(episode, guidance, goal)


@pytest.mark.usefixtures("run")
def test_a_case_is_shown_as_wide_as_the_terminal(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    for arguments in ((MISUSE.case_id,), (MISUSE.case_id, "--prompt")):
        widths = [len(line) for line in command("show", *arguments).lines]
        assert 50 < max(widths) <= 60


def test_a_case_is_searched_in_older_runs_or_in_the_named_run(run: RunDirectory, root: Path, command: Command) -> None:
    newer = make_run(root, [make_episode(NOT_RUN)], at=STARTED_AT + 1)
    assert command("show", MISUSE.case_id, "--json").json["run"] == run.run_id
    assert command("show", NOT_RUN.case_id, "--json").json["run"] == newer.run_id
    assert command("show", NOT_RUN.case_id, "--json", "--run", run.run_id).json["run"] == run.run_id


def test_the_prompt_of_a_case_is_shown_as_the_model_got_it(run: RunDirectory, command: Command) -> None:
    shown = command("show", MISUSE.case_id, "--prompt")
    lines = shown.lines
    assert lines[0] == f"run {run.run_id}: the model was shown first:"
    assert lines[1].startswith("case: flawed_tool_misuse (severe), basic_task, easy, ")
    request = Conversation.begin(MISUSE, make_guidance(MISUSE)).request()
    output = " ".join(shown.out.split())
    for message in request.messages:
        assert f"{message['role']} message: {' '.join(message['content'].split())}" in output
    assert f"{len(request.tools)} tools:" in lines
    for tool in request.tools:
        assert any(line.startswith(f"  {tool['function']['name']}(") for line in lines)
    flawed = make_guidance(MISUSE).flawed
    assert flawed is not None
    assert flawed.visibility is not None
    where = {Visibility.PLAN: "plan", Visibility.JOB: "job", Visibility.WORLD: "world"}[flawed.visibility]
    assert f"plan, as the model saw it (! marks what tool_misuse damaged; visible in the {where}):" in lines


def test_a_case_that_was_not_run_is_shown_by_its_prompt(run: RunDirectory, command: Command) -> None:
    shown = command("show", NOT_RUN.case_id)
    assert shown.lines[0] == f"run {run.run_id}: the model would be shown first:"
    assert "plan: none was shown (cot); the optimal one is" in shown.lines


def test_a_case_is_shown_as_json_with_all_its_data(run: RunDirectory, command: Command) -> None:
    document = command("show", MISUSE.case_id, "--json").json
    request = Conversation.begin(MISUSE, make_guidance(MISUSE)).request()
    assert document["episode"] == flatten(play_episode())
    assert document["messages"] == list(request.messages)
    assert document["tools"] == list(request.tools)
    assert len(document["transcript"]) == len(play_episode().transcript)
    assert document["job"] == make_guidance(MISUSE).task.words
    not_run = command("show", NOT_RUN.case_id, "--json").json
    assert (not_run["run"], not_run["episode"], not_run["transcript"], not_run["plan"]) == (
        run.run_id,
        None,
        None,
        None,
    )


OTHER_AXES = ("--prompt-variant=brief", "--tool-success-rate=0.7", "--repeat=1", "--instance=3")


@pytest.mark.parametrize(
    "args",
    [
        ("demo-flawed_tool_misuse-basic_task-hard-medium-brief-0.7-r1-3",),
        (
            "--prompt-type=flawed_tool_misuse",
            "--task-type=basic_task",
            "--difficulty=hard",
            "--severity=medium",
            *OTHER_AXES,
        ),
        ("demo-optimal-basic_task-hard-9", "--prompt-type=flawed_tool_misuse", "--severity=medium", *OTHER_AXES),
    ],
    ids=["by its id", "by its axes", "by both"],
)
def test_a_case_of_no_run_is_shown_by_its_prompt(command: Command, args: tuple[str, ...]) -> None:
    document = command("show", *args, "--json").json
    assert (document["run"], document["episode"]) == (None, None)
    expected = make_case(
        PromptType.FLAWED_TOOL_MISUSE,
        model="demo",
        task_type=TaskType.BASIC_TASK,
        difficulty=Difficulty.HARD,
        severity=Severity.MEDIUM,
        prompt_variant=PromptVariant.BRIEF,
        tool_success_rate=0.7,
        repeat=1,
        instance=3,
    )
    drawn = draw_visibility(DRAWN_VISIBILITIES, expected.task_key, expected.prompt_type, expected.severity)
    assert document["case_id"] == msgspec.structs.replace(expected, flaw_visibility=drawn).case_id
    assert command("show", *args).lines[0] == "a case without a run; a model would be shown:"


def test_with_the_text_protocol_the_tools_are_in_the_messages(command: Command) -> None:
    shown = command("show", "--tool-protocol", "text")
    assert "tools: none sent separately; the text protocol describes them in the messages" in shown.lines


def test_case_ids_are_parsed_whatever_the_model_name() -> None:
    assert parse_case_id("a-cot-b/c-optimal-simple_task-very_easy-12") == {
        "model": "a-cot-b/c",
        "prompt_type": "optimal",
        "task_type": "simple_task",
        "difficulty": "very_easy",
        "instance": "12",
    }
    assert parse_case_id("nothing of the kind") is None
    assert parse_case_id("demo-optimal-simple_task-easy") is None


UNKNOWN = (
    "'nope' is no run, and no case of a run under '.ultra/runs'; give the id of a run (see `pytest-ultra runs`) or its "
    "directory, or a case by its id, the beginning of the id, its node id or the text in brackets\n"
)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("nope",), UNKNOWN),
        (
            ("2023",),
            "'2023' is a prefix of 2 run ids, such as 20231114T221320.000000Z, 20231114T221321.000000Z; ",
        ),
        (
            ("nope", "--run", "2024"),
            "'2024' is not a run; give a run id, the directory of a run, or latest (the newest under ",
        ),
        (("nope", "--run", "20231114T221321"), "'nope' is no run, and no case of the run 20231114T221321; give "),
        (("--format", "md", "--json"), "--json and --format are two formats of the same output; give one of them"),
        (("--prompt",), "--prompt shows a case; name one, or give options of its own such as --task-type"),
        (("--tool-success-rate=0",), "--tool-success-rate: 0.0 is not valid; give a rate above 0 and up to 1"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_way_out(
    root: Path, command: Command, args: tuple[str, ...], message: str
) -> None:
    for second in range(2):
        make_run(root, [], at=STARTED_AT + second)
    shown = command("show", *args)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith(f"pytest-ultra show: error: {message}")


def test_an_ambiguous_case_id_is_an_error_that_lists_the_matches(root: Path, command: Command) -> None:
    cases = [make_case(instance=n) for n in range(2000)]
    prefix = max((case.case_id[:4] for case in cases), key=[case.case_id[:4] for case in cases].count)
    same = [case.case_id for case in cases if case.case_id.startswith(prefix)]
    assert len(same) > 1
    run = make_run(root, [], planned=cases)
    listed = ", ".join(same)
    message = f"{prefix!r} is a prefix of {len(same)} case ids of the run {run.run_id}: {listed}; give more characters"
    assert command("show", prefix).err == f"pytest-ultra show: error: {message}\n"


def test_an_instance_must_be_a_whole_number(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command("show", "--instance", "x")
    assert "argument --instance: 'x' is not valid; give a whole number of at least 0" in capsys.readouterr().err


def test_damaged_lines_are_reported_on_stderr(root: Path, command: Command) -> None:
    run = make_run(root, some_episodes())
    (run.path / "journal-gw1.jsonl").write_bytes(b"{")
    message = "pytest-ultra show: journal-gw1.jsonl, line 1: 1 bytes cannot be read and were skipped\n"
    assert command("show").err == message


def test_a_commit_of_which_the_changes_are_not_known_is_shown_so(root: Path, command: Command) -> None:
    make_run(root, [make_episode()], described={"git": {"commit": "c0ffee"}})
    shown = command("show")
    assert shown.code == 0
    assert "commit c0ffee, perhaps with changes" in shown.lines


@pytest.mark.parametrize(
    ("table_format", "beginning"), [("latex", "\\begin{tabular}"), ("md", "| model"), ("csv", "model,")]
)
def test_the_table_of_a_run_is_shown_for_papers(
    root: Path, command: Command, tmp_path: Path, table_format: str, beginning: str
) -> None:
    run = make_run(root, some_episodes())
    shown = command("show", "--format", table_format)
    assert shown.code == 0
    assert shown.out.startswith(beginning)
    assert command("show", run.run_id, "--format", table_format, "-o", "new/table").out == ""
    assert (tmp_path / "new" / "table").read_text() == shown.out
    assert "-o needs --format" in command("show", "-o", "table").err


def test_the_table_for_papers_has_the_models_in_the_order_of_the_run(root: Path, command: Command) -> None:
    described = {"pytest_ultra": "0.9.0", "models": [{"name": "b"}, {"name": "a"}]}
    make_run(root, [make_episode(make_case(model=name)) for name in "ab"], described=described)
    _, *rows = command("show", "--format", "csv").lines
    assert [row.partition(",")[0] for row in rows] == ["b", "a"]
