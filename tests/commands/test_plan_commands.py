"""`pytest-ultra inject` and `pytest-ultra lint`: plans and tools from files, flawed plans as text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.commands.cli import main
from pytest_ultra.core.axes import FlawKind
from pytest_ultra.flaws.own_plans.flaw_library import inject, lint
from tests.commands.conftest import CommandResult
from tests.flaws.own_plans.shop import PLAN, TOOLS, WORDS
from tests.fuzzing import damage, fuzz

Command = Callable[..., CommandResult]
FILES = ("plan.json", "--tools", "tools.json")


@pytest.fixture(autouse=True)
def files(root: Path) -> Path:
    folder = root.parent
    (folder / "plan.json").write_text(json.dumps(PLAN))
    (folder / "tools.json").write_text("\ufeff" + json.dumps({"tools": TOOLS}), encoding="utf-8")
    return folder


def test_a_flawed_plan_is_printed_with_its_damage_and_what_is_proved(command: Command) -> None:
    flawed = inject(PLAN, "missing_step", "light", tools=TOOLS)
    shown = command("inject", *FILES, "--kind", "missing_step", "--severity", "light")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"{flawed.text}\n\nmissing_step, light, visibility job, seed 0\n")
    assert shown.lines[-4:] == [
        f"step {flawed.damages[0].optimal_step} of the sound plan is missing",
        "proved by: structure",
        "not proved: whether the result is wrong: no rehearsal was given",
        "not proved: what shows the flaw, the job's words or only the world: no words were given",
    ]
    visible = command("inject", *FILES, "--kind", "parameter_error", "--severity", "light", "--visibility", "plan")
    assert "linter: step " in visible.out
    asked = command("inject", *FILES, "--kind", "tool_misuse", "--severity", "light", "--visibility", "world")
    assert "the plan has no place for a flaw of visibility world" in asked.lines
    added = command("inject", *FILES, "--kind", "redundant_operations", "--severity", "light")
    assert any(line.startswith("step ") and " (added): looks up" in line for line in added.lines)


def test_the_json_document_is_that_of_the_library_and_goes_to_a_file_if_asked(command: Command, files: Path) -> None:
    arguments = ("inject", *FILES, "--kind", "semantic_drift", "--words", WORDS, "--seed", "x", "--json")
    printed = command(*arguments)
    assert printed.json == inject(PLAN, "semantic_drift", "severe", tools=TOOLS, words=WORDS, seed="x").document()
    written = command(*arguments, "-o", "out/flawed.json")
    assert (written.code, written.out) == (0, "")
    assert (files / "out" / "flawed.json").read_text() == printed.out


def test_findings_are_printed_with_exit_code_1(command: Command, files: Path) -> None:
    assert command("lint", *FILES) == (0, "", "")
    swapped = {"steps": [PLAN["steps"][1], PLAN["steps"][0], *PLAN["steps"][2:]]}
    (files / "plan.json").write_text(json.dumps(swapped))
    found = command("lint", *FILES)
    assert (found.code, found.out) == (1, "plan.json: step 1: step 1 comes later (forward_reference)\n")
    assert command("lint", *FILES, "--json").json == [
        {"kind": finding.kind, "step": finding.step, "message": finding.message, "subject": finding.subject}
        for finding in lint(swapped, TOOLS)
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"steps": [\n  {"tool": }]}', "plan.json: line 2, column 12: Expecting value; give a file of JSON"),
        (b"\xff\xfe", "plan.json: the file is not UTF-8; give a file of JSON"),
        ("[" * 100_000, "plan.json: no JSON that can be read ("),
        ('{"steps": [{"tool": 3}]}', "plan.json: steps[0].tool: Expected `str`, got `int`; a plan looks like"),
        ('{"steps": [{"tool": "find"}]}', "the linter has findings in the sound plan, 2 in all: step 1: "),
    ],
)
def test_an_error_names_the_file_and_the_place(
    command: Command, files: Path, content: str | bytes, problem: str
) -> None:
    (files / "plan.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    failed = command("inject", *FILES, "--kind", "missing_step")
    assert (failed.code, failed.out) == (2, "")
    assert failed.err.startswith(f"pytest-ultra inject: error: {problem}")


def test_other_errors_name_the_file_too(command: Command, files: Path) -> None:
    missing = command("lint", *FILES[:-1], "none.json").err
    assert missing == "pytest-ultra lint: error: 'none.json': no such file or directory\n"
    folder = command("lint", *FILES[:-1], str(files)).err
    assert folder == f"pytest-ultra lint: error: {str(files)!r}: is a directory\n"
    (files / "tools.json").write_text("{}")
    failed = command("lint", *FILES)
    assert (failed.code, failed.err[:60]) == (2, "pytest-ultra lint: error: tools.json has no tool; give a lis")


def test_a_rehearsal_of_the_users_own_proves_the_cost(
    command: Command, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", sys.path[:])
    (files / "shop_rehearsal.py").write_text(
        "from tests.flaws.own_plans.shop import reaches_goal\n\n\ndef crash(plan):\n    return plan['x']\n"
    )
    arguments = ("inject", *FILES, "--kind", "missing_step", "--words", WORDS, "--rehearse")
    proved = command(*arguments, "shop_rehearsal:reaches_goal")
    assert (proved.code, proved.lines[-1]) == (0, "proved by: rehearsal")
    for target, problem in (
        ("shop_rehearsal:crash", "raised KeyError: 'x'; return False for a plan whose calls fail"),
        ("shop_rehearsal:none", "shop_rehearsal has no 'none'; it has reaches_goal, crash"),
        ("no_such_module:it", "cannot be imported: there is no module 'no_such_module'"),
    ):
        failed = command(*arguments, target)
        assert (failed.code, failed.out) == (2, "")
        assert problem in failed.err


@fuzz(60)
@given(st.sampled_from(["plan.json", "tools.json"]), st.sampled_from(FlawKind), st.data())
def test_no_damaged_file_is_unexpected(
    files: Path, capsys: pytest.CaptureFixture[str], name: str, kind: FlawKind, data: st.DataObject
) -> None:
    valid = (files / name).read_bytes()
    (files / name).write_bytes(damage(valid, data))
    try:
        assert main(["lint", *FILES]) in (0, 1, 2)
        assert main(["inject", *FILES, "--kind", kind, "--severity", "light"]) in (0, 2)
        assert "report a bug" not in capsys.readouterr().err
    finally:
        (files / name).write_bytes(valid)
