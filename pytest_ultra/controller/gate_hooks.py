"""Gates at the end of a run: judges them, prints the verdicts, and sets the exit code."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterable, Iterator
from typing import Protocol

import msgspec
import pytest

from pytest_ultra.controller.comparison import (
    Compared,
    Side,
    compare_sides,
    find_finished,
    load_side,
    no_common_case,
)
from pytest_ultra.controller.gate_judgement import InfrastructureErrors, is_stopped, judge_run
from pytest_ultra.controller.output_failures import OutputFailures
from pytest_ultra.controller.wrapped_lines import write_wrapped
from pytest_ultra.core.case import Case, Versions
from pytest_ultra.core.differences import Identity, find_differences
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import RunComparison
from pytest_ultra.core.gates import Decision, GateKind
from pytest_ultra.core.groups import ALL, FLAWED
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.gate_settings import gates_of
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.gate_lines import gate_lines, gate_name, github_commands
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import read_interruption

FLIPS = 5
"""How many cases with another outcome are named at the end of a run; `pytest-ultra compare` shows all."""


class _Run(Protocol):
    @property
    def started(self) -> RunDirectory | None: ...
    @property
    def episodes(self) -> tuple[Episode, ...]: ...


class GateHooks:
    """Hook implementations of the first process."""

    def __init__(self, settings: Settings, run: _Run, reference: Side | None) -> None:
        self._settings = settings
        self._run = run
        self._reference = reference
        self._errors = InfrastructureErrors()
        self._failures = OutputFailures()
        self.decision: Decision | None = None
        self._compared: Compared | None = None

    @pytest.hookimpl
    def pytest_report_header(self) -> list[str]:
        damage = () if self._reference is None else self._reference.damage
        return [f"ultra: {text}" for text in (*find_empty_groups(self._settings), *damage)]

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._errors.note(report)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Judge when all journals are closed, before the exit code is written anywhere."""
        self._errors.excuse(session)
        result = yield
        with self._failures.caught("the gates cannot be judged"):
            self.decision = self._decide(session)
            session.exitstatus = self.decision.exit_code
        if self.decision is None and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Come after the table."""
        if self._compared is not None:
            with self._failures.caught("the comparison cannot be shown"):
                _print_comparison(self._compared, terminalreporter)
        self._failures.print(terminalreporter)
        if self.decision is not None:
            for line in gate_lines(self.decision):
                write_wrapped(terminalreporter, line.text, **dict.fromkeys(line.markup, True))
            if os.environ.get("GITHUB_ACTIONS") == "true":
                for text in github_commands(self.decision):
                    terminalreporter.write_line(text)

    @property
    def compared(self) -> RunComparison | None:
        return None if self._compared is None else self._compared.figures

    def _decide(self, session: pytest.Session) -> Decision:
        run = self._run.started
        episodes = () if run is None else self._run.episodes
        if self._reference is not None and run is not None:
            self._compared = compare_sides(Side(f"run {run.run_id}", episodes), self._reference)
        return judge_run(
            self._settings.gates,
            episodes,
            self._reference,
            int(session.exitstatus),
            other_failures=session.testsfailed - self._errors.number,
            interruption=None if run is None else read_interruption(run),
            is_stopped=is_stopped(session),
        )


def _print_comparison(compared: Compared, terminalreporter: pytest.TerminalReporter) -> None:
    from pytest_ultra.reporting.comparison_lines import comparison_lines  # noqa: PLC0415 - for the end of a run only
    from pytest_ultra.reporting.comparison_sentences import run_sentence  # noqa: PLC0415

    width = shutil.get_terminal_size().columns
    if sentence := run_sentence(compared.figures):
        write_wrapped(terminalreporter, sentence, bold=True)
    if terminalreporter.verbosity < 0:
        return
    terminalreporter.write_line("")
    for text in comparison_lines(compared.figures, compared.differences, width, most_flips=FLIPS):
        terminalreporter.write_line(text)


def find_empty_groups(settings: Settings) -> Iterator[str]:
    """Yield a warning for each gate whose group has no case in the run, because it will be missed."""
    for gate in gates_of(settings.gates):
        group = FLAWED if gate.kind is GateKind.MAX_DROP and gate.group == ALL else gate.group
        if group not in _planned_groups(settings):
            yield f"gate {gate_name(gate)}: the run has no such case, so it will be missed"


def _planned_groups(settings: Settings) -> set[str]:
    flawed = [prompt_type for prompt_type in settings.prompt_type if prompt_type.flaw_kind]
    severities = settings.severity if flawed else ()
    groups = {ALL, *settings.prompt_type, *settings.task_type, *settings.difficulty, *severities, *settings.tested}
    return groups | ({FLAWED} if flawed else set())


def load_reference(settings: Settings, planned: Iterable[Case]) -> Side | None:
    """Return what `--ultra-compare` names; raise `pytest.UsageError` if no case could be compared with it."""
    if settings.gates.compare is None:
        return None
    try:
        side = load_side(settings.gates.compare, settings.dir, find_latest=find_finished)
        check_common(planned, side)
    except ConfigurationError as error:
        raise pytest.UsageError(f"--ultra-compare: {error}") from None
    return side


def check_common(planned: Iterable[Case], side: Side) -> None:
    """Raise ConfigurationError unless the other side has scored a case of the run that starts."""
    ours = [(case, Versions()) for case in planned]
    theirs = [(episode.case, episode.versions) for episode in side.episodes if episode.outcome.is_scored]
    if not theirs:
        raise ConfigurationError(f"{side.name} has scored no case; name another run, or a baseline file")
    if _has_one_model(ours) and _has_one_model(theirs):  # two single models are compared case by case
        ours, theirs = _without_model(ours), _without_model(theirs)
    if not set(ours) & set(theirs):
        reasons = no_common_case(find_differences(ours, theirs))
        raise ConfigurationError(f"no case of this run is in {side.name} ({reasons}); give this run the same options")


def _has_one_model(identities: Iterable[Identity]) -> bool:
    return len({case.model for case, _ in identities}) == 1


def _without_model(identities: Iterable[Identity]) -> list[Identity]:
    return [(msgspec.structs.replace(case, model=""), versions) for case, versions in identities]
