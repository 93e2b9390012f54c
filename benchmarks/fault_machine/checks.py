"""The claims that must hold after a trial; each function returns what contradicts them."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from fault_machine.bill import Bill
from fault_machine.ended_run import SCORED, EndedRun
from pytest_ultra.commands.cli import main as run_command

_UNREADABLE = "that pytest-ultra cannot use"  # the words of a command that has no better ones


def check_exit(run: EndedRun) -> Iterator[str]:
    """The exit code is true, and the stored exit status agrees with it; no process is left."""
    end, planned = run.end, run.planned
    name = run.directory.name if run.directory else "a run without directory"
    if run.left_processes:
        yield f"{name}: {run.left_processes} processes were left"
    if run.exit_code == 0:
        if end is None or end["exit_status"] != 0 or end["cut_off"] is not None:
            yield f"{name}: exit code 0, but ended.json is {end}"
        if planned is None or not planned <= run.scored():
            yield f"{name}: exit code 0, but not all planned cases are scored"
    if end is None:
        return
    if not (_agree(run.exit_code, end) or run.got_signal_after_its_end or run.crashed_after_its_end):
        yield f"{name}: exit code {run.exit_code}, but ended.json is {end}"
    has_all = (planned or set()) <= {episode.case_id for episode in run.episodes()}
    if end["cut_off"] is None and not has_all:
        yield f"{name}: it says that it finished, but planned cases have no episode"


def _agree(exit_code: int, end: dict[str, Any]) -> bool:
    """Return whether the codes are equal, or both say that an interrupted run failed: pytest can crash at its end."""
    stored = end["exit_status"]
    return bool(exit_code == stored or (exit_code and stored and end["cut_off"]))


def check_document(folder: Path, runs: Sequence[EndedRun]) -> Iterator[str]:
    """Each case is scored once; nothing that was finished is lost or was run twice."""
    document = json.loads((folder / "result.json").read_bytes())
    scored = Counter(each["case_id"] for each in document["episodes"] if each["outcome"] in SCORED)
    final = {(each["case_id"], each["started_at"]) for each in document["episodes"]}
    if document["run"]["exit_status"] != runs[-1].exit_code and not runs[-1].crashed_after_its_end:
        yield f"exit code {runs[-1].exit_code}, but the document says {document['run']['exit_status']}"
    if not len(scored) == len(document["episodes"]) == scored.total() == len(runs[-1].planned or ()):
        yield f"{len(document['episodes'])} cases, of which {len(scored)} are scored {scored.total()} times"
    finished = [each for run in runs for each in run.episodes() if each.is_scored and not each.is_reused]
    if lost := [each for each in finished if (each.case_id, each.started_at) not in final]:
        yield f"{len(lost)} finished episodes are lost, such as {lost[0]}"
    if twice := [case for case, times in Counter(each.case_id for each in finished).items() if times > 1]:
        yield f"{len(twice)} finished cases were run again, such as {twice[0]}"
    tests = _count_tests(folder / "junit.xml")
    if tests is None and runs[-1].exit_code == 0:
        yield "exit code 0, but the JUnit file cannot be read"
    if tests is not None and tests != len(scored):
        yield f"{len(scored)} cases, but {tests} tests in the JUnit file"


def _count_tests(path: Path) -> int | None:
    """Count the tests of a JUnit file; None if pytest could not write it to its end, as on a full disk.

    pytest leaves an entry without a name for a test whose worker dies between its set-up and its end.
    """
    try:
        return len(ET.parse(path).findall(".//testcase[@name]"))  # noqa: S314 - ours
    except (ET.ParseError, OSError):
        return None


def check_bill(bill: Bill, runs: Sequence[EndedRun]) -> Iterator[str]:
    """No answer is paid for twice but those that were in flight when something happened."""
    yield from (f"paid for again: {request}" for request in bill.repeated_needlessly())
    known = {each.endpoint_case for each in runs[-1].episodes()} - {""}
    if known != bill.cases or len(known) != len(runs[-1].planned or ()):
        yield f"the endpoint was asked for {len(bill.cases)} cases, of which {len(known & bill.cases)} are on disk"


def check_commands(folder: Path, runs: Sequence[EndedRun]) -> Iterator[str]:
    """All files of all runs can be read by the commands."""
    stored = [run for run in runs if run.directory and (run.directory / "run.json").is_file()]
    for run in stored:
        yield from _check_command(folder, "show", str(run.directory))
        if any(run.episodes()):
            yield from _check_command(folder, "report", str(run.directory))
    first = next(run for run in stored if run.scored())
    yield from _check_command(folder, "compare", str(first.directory), str(stored[-1].directory), accepted=(0, 1))
    yield from _check_command(folder, "export", str(stored[-1].directory), "-o", str(folder / "export.csv"))
    yield from _check_command(folder, "runs")
    for action in ("sync", "status", "rebuild"):
        yield from _check_command(folder, "store", action)


def _check_command(folder: Path, *command: str, accepted: tuple[int, ...] = (0,)) -> Iterator[str]:
    output, errors = io.StringIO(), io.StringIO()
    code: Any
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            code = run_command([*command, "--dir", str(folder / ".ultra")])
        except SystemExit as error:
            code = error.code
        except Exception as error:  # noqa: BLE001 - reported as what it is
            code = repr(error)
    if code not in accepted or _UNREADABLE in errors.getvalue():
        yield f"pytest-ultra {' '.join(command)}: {code}, {errors.getvalue().strip()}"
