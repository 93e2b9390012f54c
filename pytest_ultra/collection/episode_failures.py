"""Failures of episodes in pytest's reports: a line, and a text that is made from the journal when somebody reads it.

pytest would format the traceback of each failure, and a worker would send each text; but few of them are ever read.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.collection.run_suite import SUITE, is_on_another_host, open_guidance_cache
from pytest_ultra.errors import UltraError
from pytest_ultra.providers.redaction import Redact
from pytest_ultra.reporting.labelled_text import LabelledText, wrap_texts
from pytest_ultra.reporting.text import neutralise
from pytest_ultra.storage.journal import JournalPlace
from pytest_ultra.storage.run_directory import RunDirectory

_KEY = "ultra_episode_failure"


class EpisodeFailedError(pytest.fail.Exception):  # type: ignore[misc, name-defined]  # pytest defines it at run time
    """An episode did not pass. `headline` is one line; the exception's text is what `explain` returns."""

    def __init__(self, headline: str, place: JournalPlace, explain: Callable[[], str]) -> None:
        super().__init__(headline, pytrace=False)
        self.headline = headline
        self.place = place
        self._explain = explain

    def __str__(self) -> str:
        return self._explain()


class EpisodeMissedError(pytest.xfail.Exception):  # type: ignore[misc, name-defined]  # as above
    """An episode did not pass, and gates decide about the run. `reason` is what pytest prints of it."""

    def __init__(self, reason: str, headline: str, place: JournalPlace) -> None:
        super().__init__(reason)
        self.headline = headline
        self.place = place


class CrashLine(msgspec.Struct, frozen=True):
    """What pytest and JUnit name as the place and the message of a failure."""

    path: str
    lineno: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.lineno}: {self.message}"


class EpisodeFailure(msgspec.Struct, frozen=True):
    """The `longrepr` of a report, as pytest expects one: it has `reprcrash` and `toterminal`.

    `source` is the text, not wrapped yet, or the place of the episode in a journal, from which the text is made.
    """

    reprcrash: CrashLine
    source: JournalPlace | Sequence[LabelledText]
    redact: Redact

    def __str__(self) -> str:
        """Return the whole text in lines of a fixed width, for files."""
        return "\n".join(map(neutralise, wrap_texts(self.texts())))

    def toterminal(self, tw: Any) -> None:
        """Print the whole text in lines as wide as the terminal."""
        for line in wrap_texts(self.texts(), tw.fullwidth):
            tw.line(neutralise(line))

    def texts(self) -> list[LabelledText]:
        """Return the whole text, not wrapped yet; if the journal can no longer be read, the line and why."""
        try:
            texts = _read_text(self.source) if isinstance(self.source, JournalPlace) else self.source
        except (UltraError, OSError, LookupError) as error:
            why = f"the transcript cannot be read: {str(error) or type(error).__name__}"
            texts = [LabelledText("", neutralise(line)) for line in (self.reprcrash.message, *why.split("\n"))]
        return [LabelledText(text.label, self.redact(text.text), text.form) for text in texts]


def _read_text(place: JournalPlace) -> list[LabelledText]:
    from pytest_ultra.reporting.failure_text import explanation  # noqa: PLC0415 - few failures are read

    episode = place.read()
    if episode is None:
        raise LookupError(f"{place.path.name} is damaged")
    guidance = open_guidance_cache(RunDirectory(place.path.parent)).get(episode.case)
    return explanation(episode, guidance, SUITE.check_goal(guidance, episode.transcript))


def episode_failure_of(report: pytest.TestReport | pytest.CollectReport) -> EpisodeFailure | None:
    """Return what a report says of an episode's failure, None if it is about something else."""
    longrepr: Any = report.longrepr
    return longrepr if isinstance(longrepr, EpisodeFailure) else None


class EpisodeFailureHooks:
    """Hook implementations of every process of a run."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport | None:
        """Make the report of an episode's failure without pytest's formatting of its traceback."""
        error = call.excinfo.value if call.excinfo is not None else None
        if not isinstance(error, EpisodeFailedError | EpisodeMissedError):
            return None
        call = copy.copy(call)
        call.excinfo = None
        report = pytest.TestReport.from_item_and_call(item, call)
        path, line, _ = item.location
        report.outcome = "failed"
        report.longrepr = self._failure(CrashLine(path, (line or 0) + 1, error.headline), error.place)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_to_serializable(
        self, config: pytest.Config, report: pytest.TestReport | pytest.CollectReport
    ) -> Generator[None, dict[str, Any], dict[str, Any]]:
        """Send the line and the place alone from a worker; what writes a log in the first process gets the text.

        The place means nothing on another host, so that the text is sent from there.
        """
        whole: Any = report.longrepr
        failure = episode_failure_of(report)
        if failure is None or not hasattr(config, "workerinput"):
            return (yield)
        report.longrepr = failure.reprcrash.message
        try:
            data = yield
        finally:
            report.longrepr = whole
        source = failure.texts() if is_on_another_host(config) else failure.source
        return data | {_KEY: msgspec.to_builtins((failure.reprcrash, source), enc_hook=str)}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_from_serializable(
        self, data: dict[str, Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        sent = data.pop(_KEY, None)
        report = yield
        if sent is not None:
            report.longrepr = self._failure(*_as_sent(sent))
        return report

    def _failure(self, crash: CrashLine, source: JournalPlace | Sequence[LabelledText]) -> Any:
        return EpisodeFailure(crash, source, self._redact)


def _as_sent(sent: object) -> tuple[CrashLine, JournalPlace | list[LabelledText]]:
    return msgspec.convert(sent, tuple[CrashLine, JournalPlace | list[LabelledText]], dec_hook=_as_path)


def _as_path(kind: type, value: object) -> Path:
    del kind
    return Path(str(value))
